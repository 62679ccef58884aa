"""composites: no operator stands for a graph of its own.

What: STABLEHLO_COMPOSITE, a name with a subgraph that computes it.
Why: LiteRT 2.3.0 does not inline it: it runs by itself, with one XNNPACK partition before and one
    behind. Without attributes LiteRT 2.3.0 refuses the file that 2.1.0 runs (an error).
    litert-torch 0.10.0 writes one for an average pooling with count_include_pad=False.
Fix: write the module in operators that the converter knows (count_include_pad=True, or no
    padding).
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.linting.graph import Graph, Node
from ghostdeploy.linting.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "composites"
SEVERITY = "warning"
FIX = "write the module in operators that the converter knows"


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one finding for each composite."""
    for node in graph.nodes:
        if node.native == "STABLEHLO_COMPOSITE":
            name = _name(node)
            yield finding_at(
                CODE, SEVERITY, node, f"{name} is a composite, which LiteRT does not inline", FIX
            )
            given = node.attributes.get("compositeAttributes")
            if given is None or not hasattr(given, "__len__") or not len(given):
                message = f"{name} has no attributes, which LiteRT 2.3.0 refuses"
                yield finding_at(CODE, "error", node, message, FIX)


def _name(node: Node) -> str:
    name = node.attributes.get("name")
    return name.decode(errors="replace") if isinstance(name, bytes) and name else "it"
