"""A model at a URL, kept by its SHA-256: what is there already is never fetched again."""

from __future__ import annotations

import os
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import InputFileError, UsageError

MAX_BYTES = 2_000_000_000
CHUNK_BYTES = 1 << 20
TIMEOUT_S = 60.0


def fetch_model(url: str, sha256: str) -> Path:
    """Fetch the file at ``url`` into the user's cache, where it is not there yet.

    Raises UsageError for a URL that is none, InputFileError where it cannot be had or is not what
    the hash says; nothing is kept then.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError(f"a model's URL begins with https://, not {url!r}")
    kept = cache_folder() / sha256 / (Path(parts.path).name or "model.tflite")
    if kept.is_file() and file_sha256(kept) == sha256:
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=kept.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            _download(url, file)
        if file_sha256(Path(name)) != sha256:
            raise InputFileError(f"{url}: is not the file it was: its SHA-256 differs")
        os.replace(name, kept)
    except BaseException:
        os.unlink(name)
        raise
    return kept


def cache_folder() -> Path:
    """Return ``$XDG_CACHE_HOME/ghostdeploy/models``, or the same under ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ghostdeploy" / "models"


def _download(url: str, file: BinaryIO) -> None:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            total = 0
            while chunk := answer.read(CHUNK_BYTES):
                total += len(chunk)
                if total > MAX_BYTES:
                    raise InputFileError(f"{url}: is larger than {MAX_BYTES / 1e9:.0f} GB")
                file.write(chunk)
    except (OSError, ValueError) as error:  # HTTPError and URLError are OSErrors
        raise InputFileError(f"{url}: cannot be fetched: {error}") from error
