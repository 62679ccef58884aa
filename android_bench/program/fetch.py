"""Fetch the published benchmark_model, once: what came is checked and pinned."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from android_bench.adb.digest import file_sha256
from android_bench.errors import FetchError
from android_bench.log.lines import quote
from android_bench.program.abi import read_elf_abi
from android_bench.program.cache import locate_pin, locate_program, write_pin
from android_bench.program.download import download

# TFLite's nightly builds, as its performance documentation links them.
_NIGHTLY = (
    "https://storage.googleapis.com/tensorflow-nightly-public/prod/tensorflow/release/lite/tools"
    "/nightly/latest/{}_benchmark_model"
)
URLS = {
    "arm64-v8a": _NIGHTLY.format("android_aarch64"),
    "armeabi-v7a": _NIGHTLY.format("android_arm"),
    "x86_64": _NIGHTLY.format("linux_x86-64"),
}
MAX_BYTES = 200_000_000


@dataclass(frozen=True)
class FetchedProgram:
    """A program is in the cache now; ``fresh`` is False where the pinned file was there already."""

    path: Path
    url: str
    sha256: str
    fresh: bool


def fetch(
    abi: str,
    url: str = "",
    sha256: str = "",
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> FetchedProgram:
    """Download the program for ``abi`` into the cache, or find it there.

    ``sha256`` is what it must be, if that is known; else what comes first is pinned from then on:
    a file that was changed since is an error until its folder is removed. ``progress`` gets bytes,
    and how many there will be. Raises FetchError.
    """
    url = url or URLS.get(abi, "")
    if not url:
        raise FetchError(f"no published build for {quote(abi)}; there is {', '.join(URLS)}")
    if not url.startswith(("https://", "http://")):
        raise FetchError(f"{quote(url)} is no web address: https://…")
    if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise FetchError(f"{quote(sha256)} is no SHA-256: 64 hex digits")
    target = locate_program(abi)
    if target.is_file():
        return _pinned(target, url, sha256)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FetchError(f"{target.parent}: {error.strerror or error}") from None
    partial = target.with_name(f".{target.name}.{token_hex(4)}")
    try:
        download(url, partial, MAX_BYTES, progress)
        digest = file_sha256(partial)
        _check(partial, abi, url, digest, sha256)
        partial.chmod(0o755)
        write_pin(target, url, digest)
        os.replace(partial, target)
    except OSError as error:
        raise FetchError(f"{target}: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return FetchedProgram(target, url, digest, fresh=True)


def _pinned(target: Path, url: str, sha256: str) -> FetchedProgram:
    try:
        pin = json.loads(locate_pin(target).read_text(encoding="utf-8"))
        known, origin, when = str(pin["sha256"]), str(pin["url"]), str(pin["fetched_at"])
    except (OSError, ValueError, KeyError, TypeError):
        raise FetchError(f"{target} is not of our fetching; remove it first") from None
    found = file_sha256(target)
    anew = f"to fetch anew remove {target.parent}"
    if found != known:
        raise FetchError(f"{target} is not what was fetched on {when}: its SHA-256 differs; {anew}")
    if sha256 and found != sha256:
        raise FetchError(f"{target}, pinned on {when}, has SHA-256 {found}, not {sha256}; {anew}")
    if origin != url:
        raise FetchError(f"{target} is pinned to {origin} since {when}; {anew}")
    return FetchedProgram(target, origin, found, fresh=False)


def _check(partial: Path, abi: str, url: str, digest: str, sha256: str) -> None:
    with partial.open("rb") as file:
        head = file.read(64)
    if sha256 and digest != sha256:
        raise FetchError(f"{url}: has SHA-256 {digest}, not {sha256}; it was not kept")
    found = read_elf_abi(head[:20])
    if found is None:
        page = " but a web page: is there a proxy between?" if b"<" in head else ""
        raise FetchError(f"{url}: is no program{page}; it was not kept")
    if found != abi:
        raise FetchError(f"{url}: is a program for {found}, not {abi}; it was not kept")
