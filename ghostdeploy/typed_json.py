"""Frozen dataclasses as JSON, read back with every type checked.

A file that someone else wrote, cut short or edited never becomes a half-right object: the first
wrong field is named and nothing else is done with it.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, asdict, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from ghostdeploy.errors import GhostdeployError, InputFileError
from ghostdeploy.files import read_input
from ghostdeploy.schema import LatencySummary, ModelSpec
from ghostdeploy.zoo.options import Options

MAX_FILE_BYTES = 64_000_000
# A quantity whose unit is one of these cannot be negative (a temperature, ``_c``, can).
UNSIGNED_SUFFIXES = ("_ms", "_s", "_mb", "_khz", "_bytes", "_1min", "_percent")
INSTRUCTION_CLASSES = ("multiply_accumulate", "load", "store", "other")
UNSIGNED_NAMES = frozenset(
    {"count", "round", "position", "partitions", "cpus", "cores", "macs", *INSTRUCTION_CLASSES}
)

T = TypeVar("T")


def to_json(obj: object) -> str:
    """Return ``obj``, a dataclass instance of plain fields, as indented ASCII JSON with a newline.

    Raises TypeError for anything else, and ValueError for NaN and infinities: JSON has none.
    """
    if not is_dataclass(obj) or isinstance(obj, type):
        raise TypeError(f"not a dataclass instance: {obj!r}")
    return json.dumps(asdict(obj), indent=1, allow_nan=False) + "\n"


class _Wrong(Exception):
    """A value that is not what its field says; ``where`` grows on the way out."""

    def __init__(self, why: str, where: str = "") -> None:
        super().__init__(why)
        self.why, self.where = why, where

    def inside(self, outer: str) -> _Wrong:
        joint = "" if not self.where or self.where.startswith("[") else "."
        return _Wrong(self.why, f"{outer}{joint}{self.where}")


def read_object(path: Path) -> dict[str, object]:
    """Return the JSON object in ``path``, of at most MAX_FILE_BYTES. Raises InputFileError."""
    try:
        data = json.loads(read_input(path, MAX_FILE_BYTES).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputFileError(f"{path}: not JSON: it is not text") from error
    except (ValueError, RecursionError) as error:  # ValueError: also numbers of 5000 digits
        raise InputFileError(f"{path}: not JSON, or cut short: {error}") from error
    if not isinstance(data, dict):
        raise InputFileError(f"{path}: expected a JSON object, not {_kind(data)}")
    return data


def decode(path: Path, target: type[T], data: object) -> T:
    """Return ``data``, parsed from ``path``, as the dataclass ``target``.

    Raises InputFileError, naming ``path`` and the first wrong field.
    """
    try:
        return _dataclass(target, data)
    except _Wrong as wrong:
        where = f"{wrong.where}: " if wrong.where else ""
        raise InputFileError(f"{path}: {where}{wrong.why}") from wrong


@cache
def _plan(target: type[Any]) -> tuple[tuple[Field[object], object], ...]:
    hints = get_type_hints(target)
    return tuple((f, hints[f.name]) for f in fields(target))


def _dataclass(target: type[T], data: object) -> T:
    if not isinstance(data, dict):
        raise _Wrong(f"expected an object, not {_kind(data)}")
    plan = _plan(target)  # type: ignore[arg-type]
    unknown = data.keys() - {field.name for field, _ in plan}
    if unknown:
        raise _Wrong("there is no such field", show_value(min(unknown)).strip('"'))
    values: dict[str, Any] = {}
    for field, hint in plan:
        if field.name in data:
            values[field.name] = _field(target, field.name, hint, data[field.name])
        elif field.default is MISSING and field.default_factory is MISSING:
            raise _Wrong("is missing", field.name)
    try:
        made = target(**values)
    except GhostdeployError as error:  # the class's own check of its values
        raise _Wrong(str(error)) from error
    if isinstance(made, LatencySummary) and not (made.count > 0 and made.value_ms > 0):
        raise _Wrong("a latency of 0 ms, or of no runs")
    return made


def _field(target: type[Any], name: str, hint: object, data: object) -> object:
    try:
        if target is ModelSpec and name == "options":
            return _options(data)
        value = _value(hint, data)
        if name in UNSIGNED_NAMES or name.endswith(UNSIGNED_SUFFIXES):
            _refuse_negative(value)
    except _Wrong as wrong:
        raise wrong.inside(name) from wrong
    return value


def _refuse_negative(value: object) -> None:
    for item in value if isinstance(value, tuple) else (value,):
        if isinstance(item, (int, float)) and item < 0:
            raise _Wrong(f"must not be negative, not {item}")


def _options(data: object) -> object:
    """Decode ModelSpec.options: the architectures' classes differ in their fields' names."""
    if data is None:
        return None
    for candidate in get_args(Options):
        if candidate is type(None) or not isinstance(data, dict):
            continue
        if data.keys() == {f.name for f in fields(candidate)}:
            return _dataclass(candidate, data)
    raise _Wrong("not the options of a known architecture")


def _value(hint: object, data: object) -> object:
    """Return ``data`` as the type ``hint``. Raises _Wrong."""
    if is_dataclass(hint):
        return _dataclass(hint, data)  # type: ignore[arg-type]
    if hint in _SCALARS:
        return _SCALARS[hint](data)
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _optional(get_args(hint), data)
    if origin is tuple:
        return _tuple(get_args(hint), data)
    if origin is dict:
        return _mapping(get_args(hint)[1], data)
    raise TypeError(f"a field of type {hint} has no decoder")


def _optional(choices: tuple[object, ...], data: object) -> object:
    if data is None and type(None) in choices:
        return None
    known = [c for c in choices if c is not type(None)]
    return _value(known[0] if len(known) == 1 else _choose(known, data), data)


def _choose(choices: Sequence[object], data: object) -> object:
    """Return the class of which ``data`` has the most fields."""
    given = data.keys() if isinstance(data, dict) else set()
    return max(choices, key=lambda c: len(given & {f.name for f in fields(c)}))  # type: ignore[arg-type]


def _tuple(items: tuple[object, ...], data: object) -> tuple[object, ...]:
    if not isinstance(data, list):
        raise _Wrong(f"expected a list, not {_kind(data)}")
    if items[-1] is Ellipsis:
        items = items[:1] * len(data)
    if len(items) != len(data):
        raise _Wrong(f"expected {len(items)} values, not {len(data)}")
    return tuple(_item(f"[{n}]", *pair) for n, pair in enumerate(zip(items, data, strict=True)))


def _mapping(item: object, data: object) -> dict[str, object]:
    if not isinstance(data, dict):
        raise _Wrong(f"expected an object, not {_kind(data)}")
    return {key: _item(f"[{show_value(key)}]", item, value) for key, value in data.items()}


def _item(where: str, hint: object, data: object) -> object:
    try:
        return _value(hint, data)
    except _Wrong as wrong:
        raise wrong.inside(where) from wrong


def _str(data: object) -> str:
    if not isinstance(data, str):
        raise _Wrong(f"expected text, not {_kind(data)}")
    return data


def _bool(data: object) -> bool:
    if not isinstance(data, bool):
        raise _Wrong(f"expected true or false, not {_kind(data)}")
    return data


def _int(data: object) -> int:
    if not isinstance(data, int) or isinstance(data, bool) or abs(data) >= 2**63:
        raise _Wrong(f"expected a whole number, not {_kind(data)}")
    return data


def _float(data: object) -> float:
    if isinstance(data, int):
        return float(_int(data))
    if not isinstance(data, float) or not math.isfinite(data):
        raise _Wrong(f"expected a number, not {_kind(data)}")
    return data


_SCALARS: Mapping[object, Callable[[object], object]] = {
    str: _str,
    bool: _bool,
    int: _int,
    float: _float,
}


def _kind(data: object) -> str:
    if isinstance(data, (dict, list)):
        return "an object" if isinstance(data, dict) else "a list"
    return "nothing" if data is None else show_value(data)


def show_value(data: object) -> str:
    """Return ``data`` in quotes where it is text, on one line, and short."""
    try:
        text = json.dumps(data)
    except ValueError:  # an integer of more digits than Python prints
        return "a very long number"
    return text if len(text) <= 40 else text[:37] + "…"
