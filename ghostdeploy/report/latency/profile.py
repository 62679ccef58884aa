"""Where the time goes: operator profiles by kind of work, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from ghostdeploy.report.parts.grid import Grid
from ghostdeploy.report.parts.numbers import ABSENT, format_number
from ghostdeploy.schema import Comparison, OpTime

# The first kind whose word stands in the kernel's name, in capitals, takes it. XNNPACK calls a 1×1
# convolution a fully connected layer or GEMM, and any other an indirect one, IGEMM; TFLite's
# builtin kernels go by the operator.
KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("depthwise convolution", ("DWCONV", "DEPTHWISE")),
    ("convolution", ("IGEMM", "CONV_2D", "TRANSPOSE_CONV")),
    ("1×1 convolution", ("GEMM", "FULLY CONNECTED", "FULLY_CONNECTED")),
    ("attention product", ("BATCH_MATMUL", "BATCH MATRIX", "SOFTMAX")),
    ("resize", ("RESIZE", "DEPTH_TO_SPACE", "DEPTH TO SPACE")),
    ("concatenation", ("CONCAT",)),
    ("pooling", ("POOL",)),
    ("mean", ("MEAN", "REDUCE")),
    ("multiplication", ("MUL",)),
    ("addition", ("ADD",)),
    (
        "activation",
        ("SIGMOID", "LOGISTIC", "SWISH", "RELU", "CLAMP", "CLIP", "MINIMUM", "MAXIMUM"),
    ),
    ("layout", ("TRANSPOSE", "RESHAPE", "SLICE", "PAD", "COPY", "CONVERT", "QUANTIZE", "CAST")),
)
OTHER = "other"
NAMED_CAUSES = 3
LEAST_SHARE = 0.05  # of the difference: smaller causes are not named


def kind_of(op: str) -> str:
    """Return the kind of work that a kernel of this name does."""
    name = op.upper()
    return next((kind for kind, words in KINDS if any(w in name for w in words)), OTHER)


def sum_by_kind(profile: Sequence[OpTime]) -> dict[str, float]:
    """Return ms an inference by kind, in the order of KINDS; what took none is left out."""
    totals: dict[str, float] = {}
    for row in profile:
        kind = kind_of(row.op)
        totals[kind] = totals.get(kind, 0.0) + row.ms
    ordered = [kind for kind, _ in KINDS] + [OTHER]
    return {kind: totals[kind] for kind in ordered if kind in totals}


def profiles_by_kind(comparisons: Sequence[Comparison]) -> list[dict[str, float]]:
    """Return a profile a comparison, {} where there is none."""
    return [
        sum_by_kind(c.record.profiled.profile) if c.record.profiled else {} for c in comparisons
    ]


def kind_table(comparisons: Sequence[Comparison]) -> Grid:
    """Return kinds down, models across, in ms; no rows where nothing was profiled."""
    found = profiles_by_kind(comparisons)
    kinds = [k for k in (*(kind for kind, _ in KINDS), OTHER) if any(k in p for p in found)]
    rows = [(kind, *(_ms(profile.get(kind)) for profile in found)) for kind in kinds]
    if rows:
        rows.append(("all operators", *(_ms(sum(p.values()) if p else None) for p in found)))
    header = ("ms an inference", *(c.title for c in comparisons))
    return Grid(header, tuple(rows), frozenset(range(1, len(header))), sums=1 if rows else 0)


def difference_sentences(comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    """Return what each model costs more or less than the first, and in what.

    A profile is of one launch. Where it says the opposite of the ratio, which is of all of them,
    it explains nothing, and that is said.
    """
    found = profiles_by_kind(comparisons)
    if not found or not found[0]:
        return ()
    return tuple(
        _describe_contradiction(comparison, comparisons[0].title, profile, found[0])
        or describe_difference(comparison.title, profile, comparisons[0].title, found[0])
        for comparison, profile in zip(comparisons[1:], found[1:], strict=True)
        if profile
    )


def _describe_contradiction(
    comparison: Comparison, base_title: str, profile: dict[str, float], base: dict[str, float]
) -> str:
    """Return why a profile tells nothing of a difference, "" where it may."""
    total, ratio = sum(profile.values()) - sum(base.values()), comparison.ratio
    if ratio is None or not ((ratio.lower > 1 and total < 0) or (ratio.upper < 1 and total > 0)):
        return ""
    word = "less" if total < 0 else "more"
    return (
        f"the operators do not tell why {comparison.title} takes {ratio.value:.2f} of"
        f" {base_title}'s time: in the one launch of each that was profiled they took"
        f" {abs(total):.2g} ms {word}; profile again on a quiet device"
    )


def describe_difference(
    title: str, profile: dict[str, float], base_title: str, base: dict[str, float]
) -> str:
    """Return ``X costs 6.1 ms more than Y in its operators: 2.2 in depthwise convolution, …``.

    ``profile`` and ``base`` are ms an inference by kind.
    """
    total = sum(profile.values()) - sum(base.values())
    apart = {kind: profile.get(kind, 0.0) - base.get(kind, 0.0) for kind in {**base, **profile}}
    ranked = sorted(apart.items(), key=lambda item: -abs(item[1]))[:NAMED_CAUSES]
    causes = [
        f"{ms:+.2g} in {kind}" for kind, ms in ranked if ms and abs(ms) >= LEAST_SHARE * abs(total)
    ]
    word = "more" if total >= 0 else "less"
    named = f": {', '.join(causes)}" if causes else ""
    return f"{title} costs {abs(total):.2g} ms {word} than {base_title} in its operators{named}"


def _ms(value: float | None) -> str:
    return ABSENT if value is None else format_number(value, 3)
