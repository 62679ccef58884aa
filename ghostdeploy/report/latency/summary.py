"""What each row of a comparison says, before any format writes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ghostdeploy.report.parts.numbers import drop_non_finite
from ghostdeploy.report.parts.reasons import describe_reasons
from ghostdeploy.schema import Comparison, Interval, Launch

MEASURED_HERE = "Measured here"
PAPER = "Paper: Huawei P30 (Kirin 980 CPU, TFLite)"
NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class SummaryRow:
    """One model of a comparison, its numbers not yet written.

    ``latency_ms`` is None where nothing was measured: then ``why_not`` tells why. ``reasons``
    counts why launches were invalid. The fields ``paper_…`` come from the paper's phone.
    """

    index: int
    title: str
    is_base: bool
    params: int | None
    macs: int | None
    size_bytes: int
    latency_ms: Interval | None
    ratio: Interval | None
    why_not: str
    valid: int
    total: int
    reasons: tuple[tuple[str, int], ...]
    noise: float | None
    advice: str
    paper_latency_ms: float | None
    paper_ratio: float | None
    paper_top1: float | None
    paper_source: str


def summarize(comparisons: Sequence[Comparison]) -> tuple[SummaryRow, ...]:
    """Return one row a comparison; the first is the ratios' base."""
    base_measured = bool(comparisons) and measured_latency(comparisons[0]) is not None
    return tuple(_row(i, c, base_measured) for i, c in enumerate(comparisons))


def shows_paper(rows: Sequence[SummaryRow], *, top1: bool = True) -> bool:
    """Say whether the paper has a figure for any row: only then do its columns stand there.

    A table without a column for its accuracies leaves ``top1`` out.
    """
    return any(row.paper_latency_ms or row.paper_ratio or (top1 and row.paper_top1) for row in rows)


def measured_latency(comparison: Comparison) -> Interval | None:
    """Return the latency in ms if at least one launch stands behind it, else None."""
    return drop_non_finite(comparison.latency_ms) if comparison.record.shown_launches else None


def invalid_reason(launch: Launch) -> str:
    """Return why a launch does not count; "" if it does."""
    if launch.valid and launch.summary is not None:
        return ""
    return launch.why_not or "no result"


def list_cautions(comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    """Return what a reader must know before believing the ratios."""
    texts = [text for differs, text in _DIFFERENCES if _distinct(comparisons, differs) > 1]
    for row in summarize(comparisons):
        if row.latency_ms is None:
            texts.append(f"{row.title}: {NOT_MEASURED} ({row.why_not}).")
        elif not row.valid:
            why = describe_reasons(dict(row.reasons))
            texts.append(
                f"{row.title}: none of its {row.total} launches counts ({why}); its figures are of"
                " the disturbed ones."
            )
    for warning in dict.fromkeys(w for c in comparisons for w in c.record.evidence.warnings):
        texts.append(f"{warning[:1].upper()}{warning[1:]}.")
    for comparison in comparisons:
        failed = [p.subject for p in comparison.record.artifact.parity if not p.passed]
        if failed:
            texts.append(
                f"{comparison.title}: differs from the torch model beyond the tolerance"
                f" ({', '.join(failed)}); it may be fast because it computes something else."
            )
    return tuple(texts)


_DIFFERENCES: tuple[tuple[Callable[[Comparison], object], str], ...] = (
    (
        lambda c: c.record.device,
        "Measured on different devices: ratios across them do not compare the models.",
    ),
    (
        lambda c: c.record.evidence.session,
        "Measured in different sessions: drift between them is part of the ratios.",
    ),
    (
        lambda c: (c.record.evidence.runtime, c.record.evidence.runtime_version),
        "Measured with different runtimes: ratios compare these, too.",
    ),
    (
        lambda c: (c.record.params.threads, c.record.params.xnnpack, c.record.params.cpus),
        "Measured with different threads, delegates or CPUs: ratios compare these, too.",
    ),
)


def _distinct(comparisons: Sequence[Comparison], of: Callable[[Comparison], object]) -> int:
    return len({of(comparison) for comparison in comparisons})


def _row(index: int, comparison: Comparison, base_measured: bool) -> SummaryRow:
    record = comparison.record
    latency = measured_latency(comparison)
    reasons = Counter(filter(None, map(invalid_reason, record.launches)))
    comparable = index > 0 and latency is not None and base_measured
    return SummaryRow(
        index=index,
        title=f"{comparison.title} (disturbed)" if comparison.disturbed else comparison.title,
        is_base=index == 0,
        params=record.artifact.params,
        macs=record.artifact.macs,
        size_bytes=record.artifact.size_bytes,
        latency_ms=latency,
        ratio=drop_non_finite(comparison.ratio) if comparable else None,
        why_not="" if latency else _why_not(comparison, reasons),
        valid=len(record.valid_launches),
        total=len(record.launches),
        reasons=tuple(reasons.most_common()),
        noise=comparison.noise if latency else None,
        advice=comparison.advice,
        paper_latency_ms=comparison.paper_latency_ms,
        paper_ratio=comparison.paper_ratio,
        paper_top1=comparison.paper_top1,
        paper_source=comparison.paper_source,
    )


def _why_not(comparison: Comparison, reasons: Counter[str]) -> str:
    if not comparison.record.launches:
        return "no launches"
    if not reasons:
        return "no estimate"
    return f"none of {len(comparison.record.launches)} launches valid; {describe_reasons(reasons)}"
