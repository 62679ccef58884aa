"""memory-budget

What: weights and the largest set of activations alive at once together need more than the
    budget that was asked for; silent without one.
Why: an app that is too large is killed, and on small phones paging costs more than arithmetic.
Fix: fp16 or int8 weights, a narrower model, or a smaller input (activations grow with its area).
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import Graph
from ghostdeploy.lint.memory import MB, peak_activations, weight_bytes
from ghostdeploy.lint.options import LintOptions
from ghostdeploy.schema import Finding, ModelSpec

CODE = "memory-budget"
SEVERITY = "error"
NO_BUDGET = LintOptions()


def check(
    graph: Graph, spec: ModelSpec | None, options: LintOptions = NO_BUDGET
) -> Iterator[Finding]:
    """One error, at the node that runs when most activations are alive."""
    if options.budget_mb is None:
        return
    weights, peak = weight_bytes(graph) / MB, peak_activations(graph)
    total = weights + peak.nbytes / MB
    if total > options.budget_mb:
        message = (
            f"{weights:.1f} MB of weights and {peak.nbytes / MB:.1f} MB of activations"
            f" are more than the budget of {options.budget_mb:g} MB"
        )
        fix = "quantize the weights, or take a narrower model or a smaller input"
        yield Finding(CODE, SEVERITY, peak.node, message, fix)
