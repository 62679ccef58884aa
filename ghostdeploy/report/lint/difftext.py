"""A diff of two lowered graphs as text for the terminal and as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from ghostdeploy.report.lint.diff import LintDiff, ModuleChange
from ghostdeploy.report.lint.facts import describe_partitions
from ghostdeploy.report.lint.groups import ELSEWHERE
from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.report.parts.grid import format_count
from ghostdeploy.report.parts.layout import (
    BAD,
    GOOD,
    HEADER,
    hang,
    lay_out,
    safe,
    separate,
)
from ghostdeploy.report.parts.layout import render as draw
from ghostdeploy.report.parts.markup import escape
from ghostdeploy.report.parts.numbers import ABSENT, WrittenNumber, format_number
from ghostdeploy.schema import Finding

NAME, TEXT = 300, 1000  # characters
MAX_PLACES = 40  # lines of modules, and of findings
NO_MODULE = "(no module)"
Cells = tuple[str, str, str, str]


def render_text(diff: LintDiff) -> str:
    """Return what is printed where there is no terminal."""
    return draw(compose(diff))


def compose(diff: LintDiff) -> Group:
    """Return a table of numbers, then what changed where."""
    files = [hang(Text("- ", BAD), safe(diff.old)), hang(Text("+ ", GOOD), safe(diff.new))]
    if diff.same:
        return separate([files, [Text("The lowered graphs do not differ.")]])
    blocks: list[list[RenderableType]] = [files]
    blocks.append([lay_out(("", "old", "new", "change"), list_numbers(diff), (1, 2, 3))])
    for title, items in list_changes(diff):
        blocks.append([Text(title, HEADER), *(hang("  ", safe(item)) for item in items)])
    return separate(blocks)


def render_markdown(diff: LintDiff) -> str:
    """Return the same as Markdown for a pull request."""
    lines = [f"**{escape(diff.old, TEXT)}** → **{escape(diff.new, TEXT)}**", ""]
    if diff.same:
        return "\n".join([*lines, "The lowered graphs do not differ.", ""])
    lines += ["|  | old | new | change |", "| --- | --: | --: | --: |"]
    lines += [f"| {' | '.join(escape(cell, NAME) for cell in row)} |" for row in list_numbers(diff)]
    for title, items in list_changes(diff):
        lines += ["", f"**{title}**", "", *(f"- {escape(item, TEXT)}" for item in items)]
    return "\n".join(lines) + "\n"


def list_numbers(diff: LintDiff) -> Iterator[Cells]:
    """Yield what is known of either file, then the operators whose number changed."""
    old, new = diff.sizes_old, diff.sizes_new
    yield _row("operators", old.operators, new.operators)
    yield from _partition_rows(diff)
    yield _row("DFC branches", diff.dfc_branches_old, diff.dfc_branches_new)
    for label, before, after, unit in (
        ("file (MB)", old.file_bytes, new.file_bytes, 1e6),
        ("weights (MB)", old.weights_mb, new.weights_mb, 1.0),
        ("activations (MB)", old.activations_mb, new.activations_mb, 1.0),
        ("MACs (M)", old.macs, new.macs, 1e6),
        ("params (M)", old.params, new.params, 1e6),
    ):
        if before is not None or after is not None:
            yield _scaled(label, before, after, unit)
    for change in diff.ops:
        yield _row(change.op, change.old, change.new)


def _partition_rows(diff: LintDiff) -> Iterator[Cells]:
    old, new = diff.partitions_old, diff.partitions_new
    if old is None and new is None:
        return
    counts = [None if p is None else p.kernels for p in (old, new)]
    yield _row("XNNPACK partitions", *counts)
    yield _row("nodes outside", *(None if p is None else len(p.outside) for p in (old, new)))


def _row(label: str, old: int | None, new: int | None) -> Cells:
    change = ABSENT if old is None or new is None else _signed(new - old, 0)
    return label, format_count(old), format_count(new), change


def _scaled(label: str, old: float | None, new: float | None, unit: float) -> Cells:
    cells = [format_number(None if value is None else value / unit) for value in (old, new)]
    change = ABSENT
    if old is not None and new is not None and old == new:
        change = _signed(0.0, 0)
    elif old is not None and new is not None:
        text = _signed((new - old) / unit, 3)
        text += f" ({_signed(100 * (new / old - 1), 1)} %)" if old else ""
        change = WrittenNumber(text, new - old)
    return label, cells[0], cells[1], change


def _signed(value: float, places: int) -> str:
    text = f"{value:+.{places}f}"
    return WrittenNumber("0" if float(text) == 0 else text.replace("-", "−"), value)


def list_changes(diff: LintDiff) -> Iterator[tuple[str, list[str]]]:
    """Yield a heading with its lines: where operators changed, findings, partitions."""
    if diff.modules:
        yield "Where", _capped(_places(diff.modules))
    for title, findings in (
        ("New findings", diff.findings_new),
        ("Findings gone", diff.findings_gone),
    ):
        if findings:
            yield f"{title} ({len(findings)})", _capped(_findings(findings))
    outside = [set(p.outside) if p else set() for p in (diff.partitions_old, diff.partitions_new)]
    if diff.partitions_old and diff.partitions_new and outside[0] != outside[1]:
        yield "Partitions", list(_partitions(diff, outside[0], outside[1]))


def _partitions(
    diff: LintDiff, old: set[tuple[str, str]], new: set[tuple[str, str]]
) -> Iterator[str]:
    yield f"{describe_partitions(diff.partitions_old)} → {describe_partitions(diff.partitions_new)}"
    for label, nodes in (("now outside", new - old), ("no longer outside", old - new)):
        if nodes:
            ops = Counter(op for _, op in nodes)
            yield f"{label}: " + ", ".join(f"{op} ×{ops[op]}" for op in sorted(ops))


def _places(changes: Iterable[ModuleChange]) -> list[str]:
    """Return one line for all modules with the same change."""
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for change in changes:
        alike.setdefault((change.gone, change.added), []).append(change.module or NO_MODULE)
    return [
        f"{clean(modules[0], NAME)}{_more(len(modules) - 1)}: {_ops(gone, added)}"
        for (gone, added), modules in alike.items()
    ]


def _ops(gone: tuple[str, ...], added: tuple[str, ...]) -> str:
    signed = [("−", Counter(gone)), ("+", Counter(added))]
    return ", ".join(
        f"{sign} {clean(op, NAME)}" + (f" ×{count}" if count > 1 else "")
        for sign, counts in signed
        for op, count in counts.items()
    )


def _findings(findings: Iterable[Finding]) -> list[str]:
    """Return one line for all nodes of which the same rule says the same."""
    alike: dict[tuple[str, str, str, str], list[str]] = {}
    for f in findings:
        said = f.message
        for name in sorted({f.node, f.module}, key=len, reverse=True):
            said = said.replace(name, ELSEWHERE) if len(name) > 2 else said
        key = (f.severity, f.rule, said, f.allowed)
        alike.setdefault(key, []).append(f.module or f.node)
    return [
        f"{severity} {rule}: {clean(places[0], NAME)}{_more(len(places) - 1)}: {clean(said, TEXT)}"
        + (f" (allowed: {clean(allowed, TEXT)})" if allowed else "")
        for (severity, rule, said, allowed), places in alike.items()
    ]


def _more(count: int) -> str:
    return f" (+{count} more)" if count else ""


def _capped(lines: list[str]) -> list[str]:
    rest = len(lines) - MAX_PLACES
    return lines[:MAX_PLACES] + ([f"and {rest} more"] if rest > 0 else [])
