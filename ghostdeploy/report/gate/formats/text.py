"""A gate's verdict for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from ghostdeploy.decision.outcome import GateRun
from ghostdeploy.report.gate import wording
from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.report.parts.layout import (
    BAD,
    CARE,
    FAINT,
    HEADER,
    VERDICTS,
    hang,
    indent,
    join,
    lay_out,
    safe,
    separate,
)
from ghostdeploy.report.parts.layout import render as draw

LABEL = 13  # columns


def render(runs: Sequence[GateRun]) -> str:
    """Return what is printed where there is no terminal."""
    return draw(compose(runs))


def compose(runs: Sequence[GateRun]) -> Group:
    """Return each gate's verdict with its facts, and one word for several."""
    blocks: list[list[RenderableType]] = [[_run(run)] for run in runs]
    if len(runs) > 1:
        verdict = wording.combine_runs(runs)
        blocks.append([join(_verdict(verdict), f": {wording.count_verdicts(runs)}")])
    return separate(blocks)


def _verdict(verdict: str) -> Text:
    return Text(verdict.upper(), f"bold {VERDICTS.get(verdict, BAD)}")


def _run(run: GateRun) -> Group:
    why = f": {clean(run.why, 2000)}" if run.why else ""
    head = hang(join(_verdict(run.verdict), "  "), Text(f"{clean(run.name)}{why}"))
    return separate([[head, *_facts(run)], *_where(run)])


def _facts(run: GateRun) -> Iterator[RenderableType]:
    for label, text in wording.list_facts(run):
        yield _fact(label, text)
        if label == "pairs":
            yield from (_fact("", f"  {line}", CARE) for line in wording.discard_lines(run))
    for shown, verdict, why in wording.budget_rows(run):
        yield _fact("budget", f"{shown}: {verdict}, {why}", VERDICTS.get(verdict, ""))
    for path in wording.record_paths(run):
        yield _fact("record", path)
    for text in run.warnings:
        yield _fact("warning", text, CARE)


def _fact(label: str, text: str, style: str = "") -> RenderableType:
    return hang(Text(f"{label:{LABEL}}", FAINT), safe(text, style), 2)


def _where(run: GateRun) -> Iterator[list[RenderableType]]:
    if run.where is None:
        return
    rows = wording.operator_rows(run)
    found: RenderableType = safe(run.where.why_no_ops)
    if rows:
        found = lay_out(("operator", "was (ms)", "is (ms)", "change"), rows, (1, 2, 3))
    yield [Text("Where", HEADER), indent(found)]
    yield [Text(line) for line in wording.graph_lines(run)]
