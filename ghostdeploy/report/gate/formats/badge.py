"""A badge as JSON for shields.io's endpoint (https://shields.io/badges/endpoint-badge)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ghostdeploy.gate.outcome import GateRun
from ghostdeploy.gate.verdict import Verdict
from ghostdeploy.report.gate import wording
from ghostdeploy.report.parts.numbers import format_number

COLORS = {
    Verdict.PASS: "brightgreen",
    Verdict.IMPROVED: "brightgreen",
    Verdict.REGRESSED: "red",
    Verdict.INCONCLUSIVE: "lightgrey",
    Verdict.INVALID: "lightgrey",
}


def render(runs: Sequence[GateRun]) -> str:
    """Return the badge: the verdict and, of one gate, the candidate's latency."""
    verdict = wording.combine_runs(runs)
    message = verdict.value if len(runs) == 1 else wording.count_verdicts(runs)
    latency = runs[0].candidate.latency_ms
    if len(runs) == 1 and latency:
        message += f" ({format_number(latency.value, 3)} ms)"
    badge = {
        "schemaVersion": 1,
        "label": "latency",
        "message": message,
        "color": COLORS[verdict],
        "isError": verdict.exit_code != 0,
    }
    return json.dumps(badge, indent=1) + "\n"
