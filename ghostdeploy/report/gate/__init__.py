"""What gates said, written for a terminal and for CI.

A format is one file with ``render(runs) -> str`` and one row of ``FORMATS``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import cast

from ghostdeploy.gate.outcome import GateRun

FORMATS: dict[str, str] = {
    "text": "ghostdeploy.report.gate.text",
    "markdown": "ghostdeploy.report.gate.markdown",
    "junit": "ghostdeploy.report.gate.junit",
    "badge": "ghostdeploy.report.gate.badge",
    "github": "ghostdeploy.report.gate.github",
}


def render(runs: Sequence[GateRun], format_name: str) -> str:
    """``runs``, one or more, in one of FORMATS, unwritten."""
    module = import_module(FORMATS[format_name])
    return cast(Callable[[Sequence[GateRun]], str], module.render)(runs)
