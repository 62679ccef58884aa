"""memory-budget: weights and activations fit into the memory budget.

What: weights and the largest set of activations alive at once together need more than the
    budget that was asked for; silent without one.
Why: an app that is too large is killed, and on small phones paging costs more than arithmetic.
Fix: fp16 or int8 weights, a narrower model, or a smaller input (activations grow with its area).
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import Graph
from ghostdeploy.lint.memory import MB, count_weight_bytes, find_peak
from ghostdeploy.lint.rule import Expectations
from ghostdeploy.schema import Finding

CODE = "memory-budget"
SEVERITY = "error"


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one error, at the node that runs when most activations are alive."""
    budget_mb = expected.budget_mb
    if budget_mb is None:
        return
    weights, peak = count_weight_bytes(graph) / MB, find_peak(graph)
    total = weights + peak.nbytes / MB
    if total > budget_mb:
        message = (
            f"{weights:.1f} MB of weights and {peak.nbytes / MB:.1f} MB of activations"
            f" are more than the budget of {budget_mb:g} MB"
        )
        fix = "quantize the weights, or take a narrower model or a smaller input"
        yield Finding(CODE, SEVERITY, peak.node, message, fix)
