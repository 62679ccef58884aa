"""A gate's verdict for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ghostdeploy.gate.outcome import GateRun
from ghostdeploy.report.gate import wording
from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.report.parts.columns import align_columns

LABEL, LINE = 13, 400  # characters


def render(runs: Sequence[GateRun]) -> str:
    """Return each gate's verdict with its facts, and one word for several."""
    blocks = ["\n".join(_lines(run)) for run in runs]
    if len(runs) > 1:
        blocks.append(f"{wording.combine_runs(runs).upper()}: {wording.count_verdicts(runs)}")
    return "\n\n".join(blocks) + "\n"


def _lines(run: GateRun) -> Iterator[str]:
    yield f"{run.verdict.upper()}  {clean(run.name)}" + (
        f": {clean(run.why, LINE)}" if run.why else ""
    )
    for label, text in wording.list_facts(run):
        yield f"  {label:{LABEL}}{clean(text, LINE)}"
        if label == "pairs":
            yield from (
                f"  {'':{LABEL}}  {clean(line, LINE)}" for line in wording.discard_lines(run)
            )
    for shown, verdict, why in wording.budget_rows(run):
        yield f"  {'budget':{LABEL}}{clean(shown)}: {verdict}, {clean(why, LINE)}"
    for path in wording.record_paths(run):
        yield f"  {'record':{LABEL}}{clean(path, LINE)}"
    for text in run.warnings:
        yield f"  {'warning':{LABEL}}{clean(text, LINE)}"
    yield from _where(run)


def _where(run: GateRun) -> Iterator[str]:
    if run.where is None:
        return
    yield ""
    yield "Where"
    rows = wording.operator_rows(run)
    if rows:
        cells = [tuple(clean(cell, 60) for cell in row) for row in rows]
        yield from (
            "  " + x for x in align_columns(("operator", "was (ms)", "is (ms)", "change"), cells)
        )
    else:
        yield f"  {clean(run.where.why_no_ops, LINE)}"
    yield ""
    yield from wording.graph_lines(run)
