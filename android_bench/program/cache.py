"""Keep fetched programs on this machine, each with a file that says what it must be."""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from pathlib import Path
from secrets import token_hex

from android_bench.adb.digest import file_sha256
from android_bench.errors import OptionError

NAME = "benchmark_model"
FETCH = "ghostdeploy doctor --fetch-benchmark-model"


def locate_cache() -> Path:
    """Return where fetched programs are kept: ``$XDG_CACHE_HOME/ghostdeploy/benchmark_model``."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base, "ghostdeploy", NAME)


def locate_program(abi: str) -> Path:
    """Return the path of the program that a fetch for this ABI makes."""
    return locate_cache() / abi / NAME


def locate_pin(program: Path) -> Path:
    """Return the path of the file that says where a program is from, and what it must be."""
    return program.with_name(f"{NAME}.json")


def check_pin(program: Path) -> None:
    """Raise OptionError if a fetched program is not what was fetched."""
    wanted = read_pin(program).get("sha256", "")
    if file_sha256(program) != wanted:
        raise OptionError(
            f"{program} is not the file that was fetched: its SHA-256 differs; remove its folder"
            f" and run {FETCH}"
        )


def read_pin(program: Path) -> dict[str, str]:
    """Read what was written when a program was fetched; {} where that cannot be read."""
    try:
        found = json.loads(locate_pin(program).read_text(encoding="utf-8"))
        return {str(key): str(value) for key, value in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def write_pin(program: Path, url: str, digest: str) -> None:
    """Write beside a program where it was fetched from, and its SHA-256. Raises OSError."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    text = json.dumps({"url": url, "sha256": digest, "fetched_at": now}, indent=2)
    partial = locate_pin(program).with_name(f".{locate_pin(program).name}.{token_hex(4)}")
    partial.write_text(text + "\n", encoding="utf-8")
    os.replace(partial, locate_pin(program))
