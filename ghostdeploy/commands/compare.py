"""The paper's Table 1: which models it measures, and what it says of them beside our figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ghostdeploy.commands.bench.comparison import compare_records
from ghostdeploy.commands.models import paper_says_of
from ghostdeploy.commands.titles import titles_of
from ghostdeploy.schema import BenchRecord, Comparison

TABLE_1 = ("ghostnetv1", "ghostnetv1_sa", "ghostnetv2")

INTERVALS = (
    "Intervals are at 95 %: of the median over launches (order statistics), and of the ratio of"
    " launches in the same round (Hodges–Lehmann, exact signed-rank)."
)
ACCURACIES = (
    "Weights may be untrained: latency does not depend on them, and the accuracies shown are the"
    " paper's."
)
SELF_ATTENTION = (
    "Where “+ Self Attention” stands in GhostNet and how wide it is, the paper does not say; ours"
    " is a reconstruction that comes to 173.2 M MACs where the paper prints 172 M."
)


def choose_notes(rows: Sequence[Comparison]) -> tuple[str, ...]:
    """Return what a report says under the table of ``rows``: only what concerns them."""
    specs = [row.record.artifact.zoo_spec for row in rows]
    wanted = (
        (INTERVALS, True),
        (ACCURACIES, any(row.paper_top1 is not None for row in rows)),
        (SELF_ATTENTION, any(spec and spec.arch == "ghostnetv1_sa" for spec in specs)),
    )
    return tuple(note for note, concerns in wanted if concerns)


def compare_with_paper(
    records: Sequence[BenchRecord], titles: Sequence[str] = (), table: str = ""
) -> list[Comparison]:
    """Return a row for each record, with the paper's figures beside ours where it has them.

    ``titles`` are the models' own without others. ``paper_says_of`` tells what the paper measured,
    with ``table`` that table alone; its ratio is given where both the row's model and the first
    one's have its latency.
    """
    names = list(titles) or titles_of([r.artifact for r in records])
    rows = compare_records(records, names)
    says = [paper_says_of(record.artifact, table) for record in records]
    base = says[0].latency_ms
    return [
        replace(
            row,
            paper_latency_ms=said.latency_ms,
            paper_ratio=said.latency_ms / base if said.latency_ms and base else None,
            paper_top1=said.top1,
            paper_source=said.source,
        )
        for row, said in zip(rows, says, strict=True)
    ]
