"""Benchmark records and sidecars on disk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ghostdeploy.errors import InputFileError
from ghostdeploy.schema import SCHEMA, Artifact, BenchRecord
from ghostdeploy.typed_json import decode, read_object, show_value

# DATE-TIME-ID_N-…, as ``commands.bench.new_records`` makes them
_RECORD_NAME = re.compile(r"(\d{8}-\d{6}-[0-9a-f]{6})_(\d{1,4})-")


def read_record(path: Path) -> BenchRecord:
    """Return the benchmark record in ``path``.

    Raises InputFileError, naming the file and the first wrong field, for anything else.
    """
    data = read_object(path)
    schema = data.get("schema")
    if schema != SCHEMA:
        said = f"has the schema {show_value(schema)}" if schema is not None else "has no schema"
        raise InputFileError(f"{path}: not a benchmark record of this version: {said}")
    return decode(path, BenchRecord, data)


def read_artifact(path: Path) -> Artifact:
    """Return what the sidecar ``path`` (``NAME.tflite.json``) says of its model file.

    Raises InputFileError as read_record does.
    """
    return decode(path, Artifact, read_object(path))


def sessions_in(folder: Path) -> Iterator[list[tuple[Path, BenchRecord]]]:
    """Yield the sessions whose records lie in ``folder``, newest first.

    Each is in the order in which its models were given. What cannot be read is left out.
    """
    named = [(found, path) for path in _list(folder) if (found := _RECORD_NAME.match(path.name))]
    for session in sorted({found[1] for found, _ in named}, reverse=True):
        paths = sorted((int(found[2]), path) for found, path in named if found[1] == session)
        try:
            yield [(path, read_record(path)) for _, path in paths]
        except InputFileError:
            continue


def _list(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("*.json"))
    except OSError:
        return []
