"""What gates said, for a terminal and for CI. A format is a file with ``render`` and a row here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ghostdeploy.gate.outcome import GateRun
from ghostdeploy.report.gate.formats.badge import render as render_badge
from ghostdeploy.report.gate.formats.github import render as render_github
from ghostdeploy.report.gate.formats.junit import render as render_junit
from ghostdeploy.report.gate.formats.markdown import render as render_markdown
from ghostdeploy.report.gate.formats.text import render as render_text

# Each takes one or more runs.
FORMATS: dict[str, Callable[[Sequence[GateRun]], str]] = {
    "text": render_text,
    "markdown": render_markdown,
    "junit": render_junit,
    "badge": render_badge,
    "github": render_github,
}


def render(runs: Sequence[GateRun], format_name: str) -> str:
    """Return ``runs``, one or more, in one of FORMATS, unwritten."""
    return FORMATS[format_name](runs)
