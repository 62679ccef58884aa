"""GitHub's workflow commands: one annotation a gate that is not plainly good, one a warning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ghostdeploy.gate.outcome import GateRun
from ghostdeploy.gate.verdict import Verdict
from ghostdeploy.report.gate import wording
from ghostdeploy.report.parts.clean_text import clean

LEVELS = {
    Verdict.PASS: "",
    Verdict.IMPROVED: "notice",
    Verdict.REGRESSED: "error",
    Verdict.INCONCLUSIVE: "error",
    Verdict.INVALID: "error",
}


def render(runs: Sequence[GateRun]) -> str:
    """Return the annotations, a line each; "" where all is good."""
    return "".join(f"{line}\n" for run in runs for line in _lines(run))


def _lines(run: GateRun) -> Iterator[str]:
    level = LEVELS[run.said]
    if level:
        yield _command(level, run, wording.headline(run))
    for text in run.warnings:
        yield _command("warning", run, text)


def _command(level: str, run: GateRun, text: str) -> str:
    title = _escape(clean(f"Latency of {run.name} on {run.device}"))
    title = title.replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={title}::{_escape(clean(text, 1000))}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
