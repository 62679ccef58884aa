"""The paper's Table 1: which models it measures, and what it says of them beside our figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ghostdeploy.commands.bench.comparison import compare_records
from ghostdeploy.commands.models import paper_says
from ghostdeploy.commands.titles import titles_of
from ghostdeploy.schema import BenchRecord, Comparison

TABLE_1 = ("ghostnetv1", "ghostnetv1_sa", "ghostnetv2")

# What the HTML report says under the table, whatever was measured.
NOTES = (
    "Intervals are at 95 %: of the median over launches (order statistics), and of the ratio of"
    " launches in the same round (Hodges–Lehmann, exact signed-rank).",
    "Weights may be untrained: latency does not depend on them, and the accuracies shown are the"
    " paper's.",
    "Where “+ Self Attention” stands in GhostNet and how wide it is, the paper does not say; ours"
    " is a reconstruction that comes to 173.2 M MACs where the paper prints 172 M.",
)


def compare_with_paper(
    records: Sequence[BenchRecord], titles: Sequence[str] = ()
) -> list[Comparison]:
    """Return a row for each record, with the paper's figures beside ours where it has them.

    ``titles`` are the models' own without others. The paper measured floats. Its ratio is given
    where both the row's model and the first one's have its latency.
    """
    names = list(titles) or titles_of([r.artifact for r in records])
    rows = compare_records(records, names)
    says = [
        paper_says(r.artifact.spec) if r.artifact.spec and r.artifact.precision == "fp32" else None
        for r in records
    ]
    base = says[0].latency_ms if says[0] else None
    return [
        replace(
            row,
            paper_latency_ms=said.latency_ms if said else None,
            paper_ratio=said.latency_ms / base if said and said.latency_ms and base else None,
            paper_top1=said.top1 if said else None,
            paper_source=said.source if said else "",
        )
        for row, said in zip(rows, says, strict=True)
    ]
