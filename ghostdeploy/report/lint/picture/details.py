"""What the page's panel shows of a node."""

from __future__ import annotations

from ghostdeploy.lint.graph import Graph, Node
from ghostdeploy.report.lint.facts import format_shape
from ghostdeploy.report.lint.picture.marks import Marks, css_class
from ghostdeploy.report.lint.picture.surroundings import Surroundings
from ghostdeploy.report.parts.clean_text import clean

NAME, TEXT = 200, 1000  # characters
MAX_ATTRIBUTES = 12


def tell_details(around: Surroundings, marks: Marks, i: int) -> dict[str, object]:
    """Return what the panel shows of node ``i``, and what the search looks through."""
    graph, node = around.graph, around.graph.nodes[i]
    number = around.partition(i)
    rows = [
        ("module", clean(node.module, NAME)),
        ("inputs", ", ".join(_typed(graph, name) for name in graph.activations(node)[:8])),
        ("outputs", ", ".join(_typed(graph, name) for name in node.outputs[:8])),
        ("weights", ", ".join(_typed(graph, n) for n in node.inputs[:8] if n in graph.constants)),
        ("partition", str(number) if number > 0 else "outside XNNPACK" if number == 0 else ""),
        ("attributes", _attributes(node)),
    ]
    found = [
        [
            css_class(f.severity) if not f.allowed else "allowed",
            clean(f.rule, 60),
            clean(f.message, TEXT),
            clean(f"allowed: {f.allowed}" if f.allowed else f.fix, TEXT),
        ]
        for f in marks.of_node.get(i, ())[:20]
    ]
    return {
        "name": clean(node.name, NAME),
        "op": clean(node.native, 80),
        "rows": [row for row in rows if row[1]],
        "findings": found,
    }


def _typed(graph: Graph, name: str) -> str:
    value = graph.values.get(name)
    return clean(f"{format_shape(graph, name)} {value.dtype if value else ''}", 60)


def _attributes(node: Node) -> str:
    shown = [
        f"{clean(key, 40)} {clean(_scalar(value), 40)}"
        for key, value in list(node.attributes.items())[: 4 * MAX_ATTRIBUTES]
        if isinstance(value, bool | int | float | str | list | tuple)
    ]
    return ", ".join(shown[:MAX_ATTRIBUTES])


def _scalar(value: object) -> str:
    if isinstance(value, list | tuple):
        return "×".join(str(item)[:12] for item in value[:8])
    return str(value)[:200]
