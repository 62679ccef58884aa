"""What identifies a file: its SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ghostdeploy.errors import InputFileError
from ghostdeploy.files import open_input

CHUNK_BYTES = 1 << 20  # models are hundreds of MB, and are hashed in constant memory


def file_sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal. Raises InputFileError where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open_input(path) as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror or error}") from error
    return digest.hexdigest()
