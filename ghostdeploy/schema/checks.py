"""The one check of a number's range, of a seed and of a choice, with the one message of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ghostdeploy.errors import UsageError

MAX_SEED = 2**32 - 1  # numpy's RandomState takes 32 bits


def check_range(
    name: str,
    value: float,
    least: float,
    most: float | None = None,
    *,
    unit: str = "",
    shown: object = None,
    error: type[UsageError] = UsageError,
) -> None:
    """Raise ``error`` where ``value`` is not a finite number from ``least`` to ``most``.

    ``most`` None: of any size. ``unit`` is what the message says after the range. The messages
    are ``NAME must be 0 to 100, not -1``, ``NAME must be at least 1, not 0`` and, with a unit,
    ``NAME must be 0 or more seconds, not -1``; ``shown`` stands there in the value's place.
    """
    # math.isfinite would not take an integer of 400 digits
    if least <= value <= most if most is not None else least <= value < math.inf:
        return
    if most is not None:
        bounds = f"{least} to {most} {unit}".rstrip()
    else:
        bounds = f"{least} or more {unit}" if unit else f"at least {least}"
    raise error(f"{name} must be {bounds}, not {value if shown is None else shown}")


def check_choice(name: str, value: object, allowed: Iterable[str]) -> None:
    """Raise UsageError, which names all of them, where ``value`` is none of ``allowed``."""
    known = tuple(allowed)
    if value not in known:
        raise UsageError(f"{name} must be one of {', '.join(known)}, not {value!r}")


def check_seed(name: str, seed: int) -> None:
    """Raise UsageError where numpy's RandomState does not take ``seed``."""
    if not 0 <= seed <= MAX_SEED:
        raise UsageError(f"{name} must be 0 to 2**32-1, not {seed}")


def check_input_range(ends: Sequence[float]) -> None:
    """Raise UsageError unless ``ends`` are two finite numbers in their order, or nothing."""
    ordered = len(ends) == 2 and -math.inf < ends[0] <= ends[1] < math.inf
    if ends and not ordered:
        shown = ",".join(f"{end:g}" for end in ends)
        raise UsageError(f"--input-range takes the smallest and the largest value, not {shown}")
