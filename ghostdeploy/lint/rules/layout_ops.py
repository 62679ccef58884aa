"""layout-ops

What: reshape, transpose, slice, gather, shape and their like.
Why: they do no arithmetic and touch all of the memory; on a phone they cost what the
    convolutions saved, and several of them split the graph for a delegate.
Fix: find the module that the finding names; GhostNetV2 needs none of them. Self-attention
    needs them by definition, so there they are told, not refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import Graph, Node
from ghostdeploy.lint.ops import LAYOUT_OPS
from ghostdeploy.types import Finding, ModelSpec
from ghostdeploy.zoo import MODELS

CODE = "layout-ops"


def check(graph: Graph, spec: ModelSpec | None) -> Iterator[Finding]:
    """An error for each such operator, or info inside modules whose definition needs it."""
    allowed = MODELS[spec.arch].reshaping_modules if spec else ()
    for node in graph.nodes:
        if node.op not in LAYOUT_OPS or _casts_at_the_border(graph, node):
            continue
        needed = any(node.module == m or node.module.startswith(f"{m}.") for m in allowed)
        where = f" from module {node.module}" if node.module else ""
        yield Finding(
            CODE,
            "info" if needed else "error",
            node.name,
            f"{node.native}{where} moves data without computing",
            "needed by the model's definition" if needed else "rewrite that module without it",
        )


def _casts_at_the_border(graph: Graph, node: Node) -> bool:
    """A cast from the input's type, or to the output's, as fp16 models have one each."""
    ends = (*graph.inputs, *graph.outputs)
    return node.op == "cast" and any(name in ends for name in (*node.inputs, *node.outputs))
