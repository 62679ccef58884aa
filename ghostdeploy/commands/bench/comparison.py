"""Latencies from records: medians with intervals, and ratios of launches of the same round."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

from ghostdeploy.commands.bench.advice import advise
from ghostdeploy.errors import MeasurementError, UsageError
from ghostdeploy.schema import BenchRecord, Comparison, Interval
from ghostdeploy.stats import launches as stats


def compare_records(
    bench_records: Sequence[BenchRecord], titles: Sequence[str], confidence: float = 0.95
) -> list[Comparison]:
    """Return a row for each record: its latency, and its ratio to the first one's.

    The latency is the median of the launches' medians. The ratio is Hodges-Lehmann's of the log
    ratios of launches of the same round, with its exact signed-rank interval; it is None, and the
    advice says why, where records are not of one session on one device. A record of which no
    launch counts is told as ``disturbed``.

    Raises UsageError for a title too many or too few, and MeasurementError for a record of which
    no launch ran to its end.
    """
    if len(bench_records) != len(titles):
        raise UsageError(f"{len(bench_records)} records cannot have {len(titles)} titles")
    return [
        _compare(record, title, bench_records[0], titles[0], confidence, first=number == 0)
        for number, (record, title) in enumerate(zip(bench_records, titles, strict=True))
    ]


def _compare(
    record: BenchRecord,
    title: str,
    base: BenchRecord,
    base_title: str,
    confidence: float,
    *,
    first: bool,
) -> Comparison:
    values = [x.summary.value_ms for x in record.shown_launches if x.summary]
    if not values:
        why = next((x.why_not for x in record.launches), "it has no launches")
        raise MeasurementError(f"{title}: no launch ran to its end: {why}")
    apart = "" if first else _why_unpaired(record, base, base_title)
    ratio = None if apart else _ratio(record, base, confidence)
    return Comparison(
        title=title,
        record=record,
        latency_ms=stats.median_interval(values, confidence),
        ratio=Interval(1.0, 1.0, 1.0) if first else ratio,
        noise=stats.robust_relative_sd(values),
        advice="; ".join(filter(None, [apart, *advise(record, values)])),
        disturbed=not record.valid_launches,
    )


def require_valid(bench_records: Sequence[BenchRecord]) -> None:
    """Raise MeasurementError for a record of which no launch counts."""
    for record in bench_records:
        if not record.valid_launches:
            why = record.launches[-1].why_not if record.launches else "it has no launches"
            raise MeasurementError(f"{record.artifact.path}: no launch was valid: {why}")


def _ratio(record: BenchRecord, base: BenchRecord, confidence: float) -> Interval:
    interval = stats.signed_rank_interval(log_ratios(record, base), confidence)
    return Interval(exp(interval.value), exp(interval.lower), exp(interval.upper))


def log_ratios(record: BenchRecord, base: BenchRecord) -> list[float]:
    """Return ln(record / base) of every round in which both launches are shown."""
    theirs = {x.round: x.summary.value_ms for x in base.shown_launches if x.summary}
    return [
        log(x.summary.value_ms / theirs[x.round])
        for x in record.shown_launches
        if x.summary and x.round in theirs
    ]


def _why_unpaired(record: BenchRecord, base: BenchRecord, base_title: str) -> str:
    together = f"for a ratio run it and {base_title} in one ghostdeploy bench"
    if record.device != base.device:
        return f"measured on another device than {base_title}: {together}"
    if record.evidence.session != base.evidence.session:
        return f"not measured in one session with {base_title}: {together}"
    if len(log_ratios(record, base)) < 2:
        return f"fewer than 2 rounds in common with {base_title}: raise --launches"
    return ""
