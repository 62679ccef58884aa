"""A model at a URL, kept by its SHA-256: what is there already is never fetched again."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.files import cannot_write
from ghostdeploy.runners.published import fetch_file

MAX_BYTES = 2_000_000_000
LONGEST_NAME = 100


def fetch_model(url: str, sha256: str) -> Path:
    """Fetch the file at ``url`` into the user's cache, where it is not there yet.

    Raises UsageError for a URL that is none, MeasurementError where it cannot be had, and
    InputFileError where it is not what the hash says; nothing is kept then.
    """
    kept = cache_folder() / sha256 / _file_name(url)
    partial = kept.with_name(f".{secrets.token_hex(8)}.part")
    try:
        if kept.is_file() and file_sha256(kept) == sha256:
            return kept
        kept.parent.mkdir(parents=True, exist_ok=True)
        fetch_file(url, partial, MAX_BYTES)
        if file_sha256(partial) != sha256:
            raise InputFileError(f"{url}: is not the file it was: its SHA-256 differs")
        os.replace(partial, kept)
    except OSError as error:
        raise cannot_write(kept, error) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return kept


def _file_name(url: str) -> str:
    """Return the last name in a URL's path. Raises UsageError for a URL that is none."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        sound = False
    if not sound or any(sign.isspace() or not sign.isprintable() for sign in url):
        raise UsageError(f"a model's URL begins with https:// and has no blanks, not {url[:200]!r}")
    return Path(parts.path).name[-LONGEST_NAME:] or "model.tflite"


def cache_folder() -> Path:
    """Return ``$XDG_CACHE_HOME/ghostdeploy/models``, or the same under ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ghostdeploy" / "models"
