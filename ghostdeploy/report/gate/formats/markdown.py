"""A gate's verdict for a pull request and for a job's summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ghostdeploy.gate.outcome import GateRun
from ghostdeploy.report.gate import wording
from ghostdeploy.report.parts.markup import escape
from ghostdeploy.report.parts.numbers import format_interval, format_ratio

SIGNS = {"pass": "✅", "improved": "🚀", "regressed": "❌", "inconclusive": "❔", "invalid": "⚠️"}


def render(runs: Sequence[GateRun]) -> str:
    """Return a table of all gates, then the evidence of each."""
    verdict = wording.combine_runs(runs).value
    blocks = [f"## {SIGNS[verdict]} Latency gate: {verdict}", _table(runs)]
    for run in runs:
        blocks += _behind(run, alone=len(runs) == 1)
    return "\n\n".join(filter(None, blocks)) + "\n"


def _table(runs: Sequence[GateRun]) -> str:
    lines = [
        "| gate | device | verdict | ratio | pairs | candidate (ms) |",
        "|---|---|---|--:|--:|--:|",
    ]
    for run in runs:
        cells = (
            escape(run.name),
            escape(run.device),
            f"{SIGNS[run.verdict]} {escape(wording.headline(run))}",
            format_ratio(run.ratio),
            f"{run.valid_pairs} of {run.attempted}" if run.attempted else "–",
            format_interval(run.candidate.latency_ms),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _behind(run: GateRun, *, alone: bool) -> Iterator[str]:
    bullets = [f"- {escape(label)}: {escape(text)}" for label, text in wording.list_facts(run)]
    bullets += [f"- discarded: {escape(line)}" for line in wording.discard_lines(run)]
    bullets += [
        f"- budget {escape(b)}: {v}, {escape(why)}" for b, v, why in wording.budget_rows(run)
    ]
    title = "Evidence" if alone else f"Evidence: {escape(run.name)}"
    yield from (f"> **Warning:** {escape(text)}" for text in run.warnings)
    yield f"<details><summary>{title}</summary>\n\n" + "\n".join(bullets) + "\n\n</details>"
    yield from _where(run)


def _where(run: GateRun) -> Iterator[str]:
    if run.where is None:
        return
    yield "### Where"
    rows = wording.operator_rows(run)
    if rows:
        header = ["| operator | was (ms) | is (ms) | change |", "|---|--:|--:|--:|"]
        yield "\n".join([*header, *(f"| {' | '.join(map(escape, row))} |" for row in rows)])
    else:
        yield escape(run.where.why_no_ops)
    lines = wording.graph_lines(run)
    if lines:
        yield "\n".join(["```", *(line[:300].replace("```", "'''") for line in lines), "```"])
