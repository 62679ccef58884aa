"""Checks that a file is a model at all, before any runtime, which may crash on one cut short.

ONNX's protobuf is checked by its own runtime.
"""

from __future__ import annotations

import mmap
from pathlib import Path

from ghostdeploy.errors import InputFileError
from ghostdeploy.files import open_input
from ghostdeploy.flatbuffer_tables import check_tables

FORMATS = {".tflite": "tflite", ".onnx": "onnx"}
TFLITE_IDENTIFIER = b"TFL3"


def model_format(path: Path) -> str:
    """Return ``tflite`` or ``onnx`` by the file's suffix. Raises InputFileError for any other."""
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        known = " or ".join(FORMATS)
        raise InputFileError(f"{path}: a model's file name ends in {known}") from None


def check_model_file(path: Path) -> None:
    """Raise InputFileError for a file that is missing, empty, cut short or of another kind."""
    kind = model_format(path)
    with open_input(path) as file:
        try:
            if not file.read(1):
                raise InputFileError(f"{path}: is empty")
            if kind == "tflite":
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    _check_tflite(path, data)
        except OSError as error:
            raise InputFileError(f"{path}: {error.strerror or error}") from error


def _check_tflite(path: Path, data: mmap.mmap) -> None:
    if data[4:8] != TFLITE_IDENTIFIER:
        raise InputFileError(f"{path}: is not a TFLite model (no {TFLITE_IDENTIFIER.decode()})")
    try:
        check_tables(data)
    except ValueError as error:
        raise InputFileError(f"{path}: a damaged TFLite model: {error}") from error
