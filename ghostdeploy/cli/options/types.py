"""What words on the command line mean: a resolution, a share, a range, pairs, limits, changes."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ghostdeploy.errors import UsageError

if TYPE_CHECKING:
    from click import ParamType

    from ghostdeploy.schema import InputShape, InputSpec
else:

    class ParamType(click.ParamType):
        """click's, which takes the type that it makes from 8.4 on only."""

        def __class_getitem__(cls, made: object) -> type[ParamType]:
            """Return the class as it is."""
            return cls


class Resolution(ParamType[tuple[int, int]]):
    """``224`` or ``192x320``, as height and width."""

    name = "resolution"

    def convert(self, value: object, param: object, ctx: object) -> tuple[int, int]:
        """Raise UsageError for what is no resolution."""
        from ghostdeploy.commands.targets import parse_resolution

        return parse_resolution(str(value))


class InputShapeType(ParamType["InputShape"]):
    """``[NAME=]1x3x224x224``, the shape of an input."""

    name = "shape"

    def convert(self, value: object, param: object, ctx: object) -> InputShape:
        """Raise UsageError for what is no shape."""
        from ghostdeploy.schema import InputShape

        return value if isinstance(value, InputShape) else InputShape.parse(str(value))


class InputSpecType(ParamType["InputSpec"]):
    """``1x3x224x224[:TYPE][:NAME]``, what a network takes."""

    name = "input"

    def convert(self, value: object, param: object, ctx: object) -> InputSpec:
        """Raise UsageError for what is no shape, and for an unknown type."""
        from ghostdeploy.schema import InputSpec

        return value if isinstance(value, InputSpec) else InputSpec.parse(str(value))


class Argument(ParamType[tuple[str, object]]):
    """``NAME=VALUE``, an argument of a function; the value is a Python literal, or else text."""

    name = "name=value"

    def convert(self, value: object, param: object, ctx: object) -> tuple[str, object]:
        """Raise UsageError for what has no name or no value."""
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not equals or not name.strip().isidentifier():
            raise UsageError(f"write an argument as NAME=VALUE, not {str(value)[:80]!r}")
        try:
            return name.strip(), ast.literal_eval(text.strip())
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return name.strip(), text


class OutputNames(ParamType[tuple[str, ...]]):
    """``boxes,scores``, names with commas."""

    name = "names"

    def convert(self, value: object, param: object, ctx: object) -> tuple[str, ...]:
        """Raise UsageError for a name that is empty or holds what no tensor's name may."""
        if isinstance(value, tuple):
            return value
        names = tuple(name.strip() for name in str(value).split(","))
        for name in names:
            if not re.fullmatch(r"[A-Za-z0-9_.-]{1,80}", name):
                raise UsageError(f"an output's name is letters, digits, _ . and -, not {name!r}")
        return names


class Change(ParamType[tuple[str, object]]):
    """``NAME=VALUE``, an option of a variant of the zoo and its new value."""

    name = "name=value"

    def convert(self, value: object, param: object, ctx: object) -> tuple[str, object]:
        """Raise UsageError for what has no name or no value."""
        from ghostdeploy import zoo

        return zoo.parse_change(str(value))


class Share(ParamType[float]):
    """``2%`` or ``0.02``."""

    name = "share"

    def convert(self, value: object, param: click.Parameter | None, ctx: object) -> float:
        """Raise UsageError for what is no share, and for a number from 1 on without a ``%``."""
        text = str(value)
        number, percent, rest = text.strip().partition("%")
        try:
            share = float(number) / (100 if percent else 1)
        except ValueError:
            rest, share = "?", 0.0
        if rest or (share >= 1 and not percent):
            option = f"--{param.name}" if param else "a share"
            raise UsageError(f"{option} takes a share such as 2% or 0.02, not {text!r}")
        return share


class Numbers(ParamType[tuple[float, ...]]):
    """``0,255``, as many finite numbers as one of ``counts`` says."""

    name = "numbers"

    def __init__(self, *counts: int) -> None:
        self.counts = counts

    def convert(
        self, value: object, param: click.Parameter | None, ctx: object
    ) -> tuple[float, ...]:
        """Raise UsageError for what are no numbers, or too few or too many."""
        try:
            found = tuple(float(word) for word in str(value).split(","))
        except ValueError:
            found = ()
        if len(found) not in self.counts or not all(map(math.isfinite, found)):
            option = f"--{param.name.replace('_', '-')}" if param and param.name else "this"
            wanted = " or ".join(map(str, self.counts))
            plural = "" if wanted == "1" else "s"
            raise UsageError(f"{option} takes {wanted} number{plural} with commas, not {value!r}")
        return found


class Looks(ParamType[tuple[int, ...]]):
    """``10,16,24``, numbers of pairs; a suite writes them as an array."""

    name = "looks"

    def convert(self, value: object, param: object, ctx: object) -> tuple[int, ...]:
        """Raise UsageError for what are no whole numbers."""
        text = value if isinstance(value, str) else ",".join(map(str, _items(value)))
        try:
            return tuple(int(number) for number in text.split(","))
        except ValueError as error:
            raise UsageError(f"--looks takes pairs such as 10,16,24, not {text!r}") from error


class Limit(ParamType[tuple[str, float]]):
    """``NAME=1.25``, a model and the largest ratio to it."""

    name = "name=limit"

    def convert(self, value: object, param: object, ctx: object) -> tuple[str, float]:
        """Raise UsageError for a missing name, or a limit that is no number."""
        text = value if isinstance(value, str) else "=".join(map(str, _items(value)))
        name, _, limit = text.rpartition("=")
        try:
            found = float(limit)
        except ValueError:
            name, found = "", 0.0
        if not name:
            raise UsageError(f"--max-ratio takes NAME=1.25, not {text!r}")
        return name, found


class InputRange(ParamType[tuple[float, ...]]):
    """``0,255``, the smallest and the largest value that a model's inputs take; "" for none."""

    name = "range"

    def convert(self, value: object, param: object, ctx: object) -> tuple[float, ...]:
        """Raise UsageError for what are no two numbers in their order."""
        from ghostdeploy.schema.checks import check_input_range

        text = value if isinstance(value, str) else ",".join(map(str, _items(value)))
        try:
            ends = tuple(float(end) for end in text.split(",")) if text else ()
        except ValueError as error:
            raise UsageError(f"--input-range takes LO,HI such as 0,255, not {text!r}") from error
        check_input_range(ends)
        return ends


def _items(value: object) -> Sequence[object]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)
