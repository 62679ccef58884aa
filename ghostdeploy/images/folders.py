"""The image files of a folder. Light: nothing is decoded."""

from __future__ import annotations

from pathlib import Path

from ghostdeploy.errors import InputFileError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".ppm"})


def find_images(folder: Path) -> list[Path]:
    """Return every image below ``folder``, sorted by name.

    Raises InputFileError where there is no such folder, or none in it.
    """
    if not folder.exists():
        raise InputFileError(f"{folder} does not exist")
    if not folder.is_dir():
        raise InputFileError(f"{folder} is not a folder of images")
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found:
        raise InputFileError(f"{folder} has no images (of {', '.join(sorted(SUFFIXES))})")
    return found
