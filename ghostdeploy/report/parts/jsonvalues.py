"""What JSON can hold of our values."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass

MAX_TEXT = 4000  # characters of any one string


def to_json_value(value: object) -> object:
    """Return ``value`` in JSON's types: no NaN, no lone surrogates, no endless strings.

    A dataclass becomes an object of its fields; what JSON does not know becomes its text.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {_text(key): to_json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json_value(item) for item in value]
    if is_dataclass(value):
        return {f.name: to_json_value(getattr(value, f.name)) for f in fields(value)}
    return _text(value)


def _text(value: object) -> str:
    return str(value)[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")
