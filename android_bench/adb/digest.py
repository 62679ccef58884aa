"""Compute the digests of files on this machine, by which what is on a phone is verified."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_CHUNK_BYTES = 1 << 20


def file_digests(path: Path, names: Iterable[str]) -> dict[str, str]:
    """Return a file's hex digests by name (``sha256``, ``md5``, …), read once. Raises OSError."""
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in names}
    with path.open("rb") as file:
        while data := file.read(_CHUNK_BYTES):
            for each in hashes.values():
                each.update(data)
    return {name: each.hexdigest() for name, each in hashes.items()}


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file on this machine, in hex. Raises OSError."""
    return file_digests(path, ["sha256"])["sha256"]
