"""One card's nodes, edges and bands in pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ghostdeploy.linting.delegates.stages import Stage
from ghostdeploy.linting.graph import Graph, Node
from ghostdeploy.report.lint.facts import format_shape
from ghostdeploy.report.lint.picture.card_grid import (
    BAND_HEAD,
    GAP_X,
    GAP_Y,
    NODE_H,
    NODE_W,
    PAD,
    PILL_H,
    CardGrid,
    find_stage_rows,
    make_grid,
)
from ghostdeploy.report.lint.picture.families import family_of
from ghostdeploy.report.lint.picture.layout import Layout, lay_out
from ghostdeploy.report.lint.picture.pills import make_input_pills, make_output_pills
from ghostdeploy.report.lint.picture.routes import draw_edge, draw_exit
from ghostdeploy.report.lint.picture.shapes import Band, Box, Drawing, Frame
from ghostdeploy.report.lint.picture.surroundings import Surroundings
from ghostdeploy.report.lint.picture.text_width import room_to_keep
from ghostdeploy.report.parts.clean_text import clean

LABEL, DETAIL = 24, 26  # characters that fit
LABEL_PX, DETAIL_PX = 10.5, 10.0  # the fonts' sizes, as in picture.css
ROOM = NODE_W - 18  # pixels of a node that a text may take
PILLS_A_ROW = 4


def draw(around: Surroundings, card: int, nodes: Sequence[int]) -> Drawing:
    """Return the drawing of the card with this number and these nodes."""
    mine = frozenset(nodes)
    # Only what of the branches is in this card; a branch nearly always lies in one card.
    branches = [branch & mine for branch in around.branches if branch & mine]
    aside = frozenset(i for branch in branches for i in branch)
    layout = lay_out(around.graph, nodes, around.stage_of, aside)
    across = max(layout.columns, min(len(layout.inputs), PILLS_A_ROW))
    split = len(around.stages) > 1  # one partition alone needs no stripes
    stage_rows = find_stage_rows(layout, around.stage_of) if split else {}
    grid = make_grid(layout, across, tuple(first for first, _ in stage_rows.values()))
    width = 2 * PAD + across * (NODE_W + GAP_X)
    inputs = make_input_pills(around, layout, grid, across)
    outputs = make_output_pills(around, card, nodes, grid, across)
    height = max([grid.bottom, *(pill.y + PILL_H for pill, _ in outputs)]) + PAD
    lines = [draw_edge(layout, grid, edge, inputs) for edge in layout.edges]
    lines += [draw_exit(layout, grid, pill, i) for pill, i in outputs if i >= 0]
    return Drawing(
        width=width,
        height=height,
        columns=across,
        boxes=tuple(_box(around, layout, grid, i) for i in nodes),
        lines=tuple(lines),
        bands=_bands(around, mine, grid, stage_rows),
        pills=(*inputs, *(pill for pill, _ in outputs)),
        frames=tuple(_frame(layout, grid, branch) for branch in branches),
    )


def _box(around: Surroundings, layout: Layout, grid: CardGrid, i: int) -> Box:
    node = around.graph.nodes[i]
    row, column = layout.places[i]
    label = clean(node.native, LABEL)
    detail = clean(_detail(around.graph, node), DETAIL)
    return Box(
        index=i,
        x=grid.center(column) - NODE_W / 2,
        y=grid.tops[row],
        label=label,
        detail=detail,
        family=family_of(node),
        outside=around.is_outside(i),
        squeeze_label=room_to_keep(label, LABEL_PX, ROOM),
        squeeze_detail=room_to_keep(detail, DETAIL_PX, ROOM),
    )


def _detail(graph: Graph, node: Node) -> str:
    kernel = f"{node.kernel[0]}×{node.kernel[1]}" if node.kernel else ""
    stride = _stride(node)
    shape = format_shape(graph, node.outputs[0]) if node.outputs else ""
    return " · ".join(filter(None, (f"{kernel}{stride}".strip(), shape)))


def _stride(node: Node) -> str:
    strides = node.attributes.get("strides")
    strides = strides if isinstance(strides, list | tuple) else [node.attributes.get("strideH")]
    first = strides[0] if strides else None
    return f" /{first}" if isinstance(first, int) and first > 1 else ""


def _bands(
    around: Surroundings,
    mine: frozenset[int],
    grid: CardGrid,
    stage_rows: Mapping[int, tuple[int, int]],
) -> tuple[Band, ...]:
    starts = [grid.tops[first] - BAND_HEAD - GAP_Y / 2 for first, _ in stage_rows.values()]
    ends = [*starts[1:], grid.bottom] if starts else []
    return tuple(
        Band(start, end - start, *_band_text(around, mine, around.stages[order]))
        for order, start, end in zip(stage_rows, starts, ends, strict=True)
    )


def _band_text(around: Surroundings, mine: frozenset[int], stage: Stage) -> tuple[str, str]:
    if not stage.partition:
        ops = clean(", ".join(stage.ops), 40)
        before = stage.order > 0
        after = stage.order + 1 < len(around.stages)
        if before and after:
            first = around.stages[stage.order - 1].partition
            return "outside", f"outside XNNPACK: {ops} splits partitions {first} | {first + 1}"
        return "outside", f"outside XNNPACK: {ops}"
    later = "" if stage.nodes and stage.nodes[0] in mine else ", continued"
    return "odd" if stage.partition % 2 else "even", f"partition {stage.partition}{later}"


def _frame(layout: Layout, grid: CardGrid, branch: frozenset[int]) -> Frame:
    places = [layout.places[i] for i in branch]
    left = grid.center(min(column for _, column in places)) - NODE_W / 2 - 6
    right = grid.center(max(column for _, column in places)) + NODE_W / 2 + 6
    top = grid.tops[min(row for row, _ in places)] - 8
    bottom = grid.tops[max(row for row, _ in places)] + NODE_H + 7
    return Frame(left, top, right - left, bottom - top)
