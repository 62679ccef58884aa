"""Why things do not count: each reason told once, with the range of what was measured in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

# A number with a unit was measured, and differs each time. Others, as of a signal, say what it was.
_MEASURED = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?=\s?(?:%|°C|(?:s|ms|MB|kHz|MHz|GHz)\b))")


def merge_reasons(reasons: Iterable[str]) -> dict[str, list[int]]:
    """Return each kind of reason with the positions at which it stands, the first seen first.

    Reasons that differ in measured numbers only are one: ``took 26…41% of its time``.
    """
    texts = list(reasons)
    kinds: dict[str, list[int]] = {}
    for position, text in enumerate(texts):
        kinds.setdefault(_MEASURED.sub("\0", text), []).append(position)
    return {_with_ranges([texts[n] for n in places]): places for places in kinds.values()}


def describe_reasons(counts: Mapping[str, int]) -> str:
    """Return ``3× killed by SIGKILL; 2× …`` of reasons and how often each was seen."""
    everything = [reason for reason, count in counts.items() for _ in range(count)]
    merged = sorted(merge_reasons(everything).items(), key=lambda item: -len(item[1]))
    return "; ".join(f"{len(places)}\u00d7 {reason}" for reason, places in merged)


def _with_ranges(alike: Sequence[str]) -> str:
    columns = iter(zip(*(_MEASURED.findall(text) for text in alike), strict=True))

    def spread(_: re.Match[str]) -> str:
        values = sorted(next(columns), key=float)
        return values[0] if float(values[0]) == float(values[-1]) else f"{values[0]}…{values[-1]}"

    return _MEASURED.sub(spread, alike[0])
