"""What every format shows of a comparison of instructions, as tables of raw texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ghostdeploy.report.parts.grid import Facts, Grid, drop_empty_columns, format_count
from ghostdeploy.report.parts.numbers import (
    ABSENT,
    WrittenNumber,
    format_as_printed,
    format_millions,
    format_number,
    format_scientific,
)
from ghostdeploy.schema import InstructionComparison, OpInstructions

CLASSES = ("multiply-accumulate", "load", "store", "other")
MAX_OPERATORS = 30
NOTE = (
    "Instructions, not time: caches, memory and frequency are not in them. The counts are exact;"
    " docs/arm.md says what they stand for."
)
PAPER_NOTE = "The paper's columns are times on its phone (Kirin 980 CPU, TFLite)."


@dataclass(frozen=True)
class InstructionReport:
    """What all formats show. The first comparison is the ratios' base.

    ``skipped`` says of each model that is not among them why not.
    """

    title: str
    comparisons: tuple[InstructionComparison, ...]
    skipped: tuple[str, ...] = ()


def overview_table(report: InstructionReport) -> Grid:
    """Return a row a model: the total, its ratio, and the paper's."""
    header = (
        "Model",
        "Params (M)",
        "MACs (M)",
        "Instructions (M)",
        "Ratio",
        *(f"{name} (M)" for name in CLASSES),
        "Memory (MB)",
        "Paper's P30 (ms)",
        "Paper's ratio",
    )
    rows = tuple(_overview_row(row) for row in report.comparisons)
    return drop_empty_columns(Grid(header, rows, frozenset(range(1, len(header)))))


def _overview_row(row: InstructionComparison) -> tuple[str, ...]:
    artifact, counted = row.record.artifact, row.instructions
    return (
        row.title,
        format_millions(artifact.params),
        format_millions(artifact.macs),
        format_exact(counted.total),
        format_number(row.ratio, 4),
        *(format_millions(value) for value in counted.classes),
        format_number(row.record.launches[-1].peak_mem_mb, 3),
        format_as_printed(row.paper_latency_ms),
        format_number(row.paper_ratio, 3),
    )


def format_exact(count: int) -> str:
    """Return millions with every digit."""
    return WrittenNumber(f"{count // 1_000_000}.{count % 1_000_000:06d}", count)


def setup_facts(report: InstructionReport) -> Facts:
    """Return what was run on what."""
    record = report.comparisons[0].record
    command = record.evidence.command
    return (
        *((("Command", command),) if command else ()),
        ("Core", f"{record.device.model} ({record.device.os}), one thread"),
        ("Kernels", describe_kernels(report.comparisons[0])),
        ("Runtime", f"{record.evidence.runtime} {record.evidence.runtime_version} for aarch64"),
        ("Setup", record.device.fingerprint),
    )


def describe_kernels(row: InstructionComparison) -> str:
    """Return whose kernels ran, and in which arithmetic."""
    params = row.record.params
    if not params.xnnpack:
        return "TFLite's builtin"
    return "XNNPACK, half-precision arithmetic" if params.fp16 else "XNNPACK"


def list_cautions(report: InstructionReport) -> tuple[str, ...]:
    """Return what a reader must know before believing the ratios."""
    first = report.comparisons[0].title
    return tuple(
        f"{row.title}: counted on another core, with other kernels or another setup than {first}."
        for row in report.comparisons
        if row.ratio is None
    )


def class_table(report: InstructionReport) -> Grid:
    """Return a row a model: how many instructions of which class."""
    rows = tuple(
        (row.title, *(format_millions(value) for value in row.instructions.classes))
        for row in report.comparisons
    )
    return Grid(("Of these", *_class_header()), rows, frozenset(range(1, 5)))


def agreement_table(report: InstructionReport) -> Grid:
    """Return how far each model's outputs are from this machine's."""
    rows = tuple(
        (
            row.title,
            format_scientific(row.instructions.max_abs),
            format_scientific(row.instructions.rel_l2),
        )
        for row in report.comparisons
    )
    header = ("Outputs against this machine's", "Max abs", "Relative L2")
    return Grid(header, rows, frozenset({1, 2}))


def kind_table(row: InstructionComparison) -> Grid:
    """Return the operators by kind, the dearest first, in millions of instructions."""
    totals: dict[str, list[int]] = {}
    for operator in row.instructions.operators:
        entry = totals.setdefault(operator.op, [0] * 6)
        for place, value in enumerate((1, operator.total, *_classes(operator))):
            entry[place] += value
    rows = [
        (op, format_count(count), *map(format_millions, values))
        for op, (count, *values) in sorted(totals.items(), key=lambda item: -item[1][1])
    ]
    return Grid(("Operator", "Count", "All (M)", *_class_header()), tuple(rows), _NUMERIC)


def dearest_table(row: InstructionComparison) -> Grid:
    """Return the single operators that cost most, at most MAX_OPERATORS of them."""
    ordered = sorted(row.instructions.operators, key=lambda op: -op.total)[:MAX_OPERATORS]
    rows = tuple((op.name or ABSENT, op.op, *_operator_cells(op)) for op in ordered)
    header = ("Node", "Operator", "All (M)", *_class_header())
    return Grid(header, rows, frozenset(range(2, 7)))


def operator_tables(report: InstructionReport) -> Iterator[tuple[str, Grid]]:
    """Yield each model's operators with their headings."""
    for row in report.comparisons:
        if row.instructions.operators:
            yield f"{row.title}: operators by kind", kind_table(row)
            yield f"{row.title}: the dearest operators", dearest_table(row)


_NUMERIC = frozenset(range(1, 7))


def _class_header() -> Sequence[str]:
    return [f"{name} (M)" for name in CLASSES]


def _classes(operator: OpInstructions) -> tuple[int, int, int, int]:
    return operator.multiply_accumulate, operator.load, operator.store, operator.other


def _operator_cells(operator: OpInstructions) -> Sequence[str]:
    return [format_millions(value) for value in (operator.total, *_classes(operator))]
