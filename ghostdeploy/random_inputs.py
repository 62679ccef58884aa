"""Random values for a model's inputs, drawn the same way wherever a model is run on some.

A launch's child process imports this before it is pinned, so that numpy is imported by the
functions only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")
ValueRange = tuple[float, float]

# Unquantized integers are numbers of something: words, classes, pixels of a box. TFLite's own
# benchmark_model draws them from the first range; a table may be shorter, and takes the second.
INTEGER_RANGES: tuple[ValueRange, ...] = ((0.0, 99.0), (0.0, 1.0))


def draw_input(
    generator: np.random.Generator,
    detail: Mapping[str, Any],
    given: ValueRange | None,
    integers: ValueRange,
    floats: ValueRange = (0.0, 1.0),
) -> Any:
    """Draw values, as ``draw_values`` does, for an input that LiteRT describes by ``detail``."""
    return draw_values(
        generator,
        detail["dtype"],
        detail["shape"],
        scaling=detail["quantization"],
        given=given,
        integers=integers,
        floats=floats,
    )


def draw_values(
    generator: np.random.Generator,
    dtype: Any,
    shape: Iterable[int],
    *,
    scaling: tuple[float, int] = (0.0, 0),
    given: ValueRange | None = None,
    integers: ValueRange = INTEGER_RANGES[0],
    floats: ValueRange = (0.0, 1.0),
) -> Any:
    """Draw uniform values for an input of ``dtype`` and ``shape``.

    ``scaling`` is a quantized input's (scale, zero point), LiteRT's (0.0, 0) for one that is not.
    ``given`` is the range of the real values, both ends included; without it floats are of
    ``floats``, quantized integers of their type's whole range, others of ``integers``. Raises
    ValueError for a type that is no number, and for a range without a value of the type.
    """
    import numpy as np

    kind, size = np.dtype(dtype), tuple(int(side) for side in shape)
    if kind.kind == "b":
        return np.asarray(generator.integers(0, 2, size), dtype=kind)
    if kind.kind == "f":
        low, high = given or floats
        return np.asarray(generator.uniform(low, high, size), dtype=kind)
    if kind.kind not in "iu":
        raise ValueError(f"an input of the type {kind} cannot be filled at random")
    low, high = _integer_limits(np.iinfo(kind), scaling, given, integers)
    return np.asarray(generator.integers(low, high, size, dtype=kind, endpoint=True))


def _integer_limits(
    limits: Any, scaling: tuple[float, int], given: ValueRange | None, integers: ValueRange
) -> tuple[int, int]:
    import math

    whole = int(limits.min), int(limits.max)
    scale, zero_point = scaling
    if scale:
        ends = [round(end / scale) + zero_point for end in given] if given else list(whole)
        return min(max(ends[0], whole[0]), whole[1]), max(min(ends[1], whole[1]), whole[0])
    low, high = given or integers
    least, most = max(math.ceil(low), whole[0]), min(math.floor(high), whole[1])
    if least > most:
        raise ValueError(f"no {limits.dtype} lies between {low:g} and {high:g}")
    return least, most


def try_ranges(run: Callable[[ValueRange], T], given: ValueRange | None) -> T:
    """Run a model on values whose unquantized integers are of one of INTEGER_RANGES.

    ``run`` is called with one range after the other until the model takes its values; with a
    ``given`` range there is one attempt only. Raises what the first attempt raised.
    """
    failures = []
    for integers in INTEGER_RANGES[:1] if given else INTEGER_RANGES:
        try:
            return run(integers)
        except Exception as error:
            failures.append(error)
    raise failures[0]
