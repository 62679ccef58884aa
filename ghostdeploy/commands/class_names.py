"""A model's class names, as a user writes them: a text of one name a line."""

from __future__ import annotations

from pathlib import Path

from ghostdeploy.errors import InputFileError
from ghostdeploy.files import read_text


def read_class_names(path: Path) -> tuple[str, ...]:
    """Return the class names in ``path``, one a line. Raises InputFileError for another text."""
    lines = read_text(path).splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines or not all(line.strip() for line in lines):
        raise InputFileError(f"{path} must hold one class name a line, without empty lines")
    return tuple(line.strip() for line in lines)
