"""One card's nodes, edges and bands in pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ghostdeploy.lint.graph import Graph, Node
from ghostdeploy.lint.stages import Stage
from ghostdeploy.report.lint.families import family
from ghostdeploy.report.lint.layout import Edge, Layout, lay_out
from ghostdeploy.report.parts.clean_text import clean

NODE_W, NODE_H = 138, 36
GAP_X, GAP_Y = 20, 18
PAD = 10
PILL_H, PILL_GAP = 20, 6
BAND_HEAD = 22
GUTTER = NODE_W / 2 + 7
FORK, JOIN, ENTRY, ROUND = 5, 7, 20, 5
LABEL, DETAIL, PILL_TEXT = 24, 26, 24  # characters that fit
SQUEEZED = 17  # characters from which on a label is made to fit
MAX_OUTPUTS = 24
PILLS_A_ROW = 4


@dataclass(frozen=True)
class Box:
    """A node; ``squeeze`` is the width that its label must keep to, 0 for a short one."""

    index: int
    x: float
    y: float
    label: str
    detail: str
    family: str
    outside: bool
    squeeze: int


@dataclass(frozen=True)
class Line:
    source: int
    target: int
    path: str


@dataclass(frozen=True)
class Band:
    """A stripe of one partition (``kind`` even or odd), or of nodes outside."""

    y: float
    height: float
    kind: str
    label: str


@dataclass(frozen=True)
class Pill:
    """What comes from, or goes to, another card."""

    x: float
    y: float
    text: str
    title: str
    card: int  # −1 for an input or output of the graph


@dataclass(frozen=True)
class Frame:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Drawing:
    width: float
    height: float
    columns: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    bands: tuple[Band, ...]
    pills: tuple[Pill, ...]
    frames: tuple[Frame, ...]


@dataclass(frozen=True)
class Surroundings:
    """What a card needs to know of the rest of the graph."""

    graph: Graph
    stages: tuple[Stage, ...]
    stage_of: Mapping[int, int]
    card_of: Mapping[str, int]  # by the value that a card makes
    readers: Mapping[str, tuple[int, ...]]  # the cards that read a value
    titles: Sequence[str]
    branches: Sequence[frozenset[int]]  # the nodes of each DFC branch


@dataclass(frozen=True)
class _Grid:
    """Rows' and columns' places; ``heads`` are the rows that a band begins with."""

    tops: tuple[float, ...]
    top: float
    bottom: float
    heads: tuple[int, ...]

    def center(self, column: int) -> float:
        return PAD + column * (NODE_W + GAP_X) + GAP_X / 2 + NODE_W / 2


def draw(around: Surroundings, card: int, nodes: Sequence[int]) -> Drawing:
    mine = frozenset(nodes)
    # Of the branches only what begins here; one nearly always lies in one card.
    branches = [branch & mine for branch in around.branches if branch & mine]
    aside = frozenset(i for branch in branches for i in branch)
    layout = lay_out(around.graph, nodes, around.stage_of, aside)
    across = max(layout.columns, min(len(layout.inputs), PILLS_A_ROW))
    split = len(around.stages) > 1  # one partition alone needs no stripes
    stage_rows = _stage_rows(layout, around.stage_of) if split else {}
    grid = _grid(layout, across, tuple(first for first, _ in stage_rows.values()))
    width = 2 * PAD + across * (NODE_W + GAP_X)
    inputs = _input_pills(around, layout, grid, across)
    outputs = _output_pills(around, card, nodes, grid, across)
    height = max([grid.bottom, *(pill.y + PILL_H for pill, _ in outputs)]) + PAD
    lines = [_line(layout, grid, edge, inputs) for edge in layout.edges]
    lines += [_leave(layout, grid, pill, i) for pill, i in outputs if i >= 0]
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


def _stage_rows(layout: Layout, stage_of: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """First and last row of each stage in the card."""
    found: dict[int, tuple[int, int]] = {}
    for i, (row, _) in layout.places.items():
        first, last = found.get(stage_of.get(i, 0), (row, row))
        found[stage_of.get(i, 0)] = (min(first, row), max(last, row))
    return dict(sorted(found.items()))


def _grid(layout: Layout, across: int, heads: tuple[int, ...]) -> _Grid:
    pill_rows = -(-len(layout.inputs) // max(across, 1))
    top = PAD + pill_rows * (PILL_H + PILL_GAP)
    y, tops = top + GAP_Y / 2, []
    for row in range(layout.rows):
        y += BAND_HEAD if row in heads else 0
        tops.append(y)
        y += NODE_H + GAP_Y
    return _Grid(tuple(tops), top, y - GAP_Y / 2, heads)


def _box(around: Surroundings, layout: Layout, grid: _Grid, i: int) -> Box:
    node = around.graph.nodes[i]
    row, column = layout.places[i]
    label = clean(node.native, LABEL)
    return Box(
        index=i,
        x=grid.center(column) - NODE_W / 2,
        y=grid.tops[row],
        label=label,
        detail=clean(_detail(around.graph, node), DETAIL),
        family=family(node),
        outside=bool(around.stages) and not _partition(around, i),
        squeeze=NODE_W - 18 if len(label) >= SQUEEZED else 0,
    )


def _partition(around: Surroundings, i: int) -> int:
    stage = around.stage_of.get(i)
    return around.stages[stage].partition if stage is not None else 1


def _detail(graph: Graph, node: Node) -> str:
    kernel = f"{node.kernel[0]}×{node.kernel[1]}" if node.kernel else ""
    stride = _stride(node)
    shape = shape_text(graph, node.outputs[0]) if node.outputs else ""
    return " · ".join(filter(None, (f"{kernel}{stride}".strip(), shape)))


def _stride(node: Node) -> str:
    strides = node.attributes.get("strides")
    strides = strides if isinstance(strides, list | tuple) else [node.attributes.get("strideH")]
    first = strides[0] if strides else None
    return f" /{first}" if isinstance(first, int) and first > 1 else ""


def shape_text(graph: Graph, value: str) -> str:
    """``56×56×24``: a batch of 1 goes without saying."""
    known = graph.values.get(value)
    if known is None or known.shape is None:
        return "?"
    sides = known.shape[1:] if len(known.shape) > 1 and known.shape[0] == 1 else known.shape
    return "×".join(str(side) if side >= 0 else "?" for side in sides) or "scalar"


def _bands(
    around: Surroundings,
    mine: frozenset[int],
    grid: _Grid,
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


def _frame(layout: Layout, grid: _Grid, branch: frozenset[int]) -> Frame:
    places = [layout.places[i] for i in branch]
    left = grid.center(min(column for _, column in places)) - NODE_W / 2 - 6
    right = grid.center(max(column for _, column in places)) + NODE_W / 2 + 6
    top = grid.tops[min(row for row, _ in places)] - 8
    bottom = grid.tops[max(row for row, _ in places)] + NODE_H + 7
    return Frame(left, top, right - left, bottom - top)


def _input_pills(
    around: Surroundings, layout: Layout, grid: _Grid, across: int
) -> tuple[Pill, ...]:
    made = []
    for n, value in enumerate(layout.inputs):
        row, column = divmod(n, across)
        card = around.card_of.get(value, -1)
        origin = around.titles[card] if card >= 0 else value
        text = clean(
            f"{clean(origin.split(',')[0], 14)} {shape_text(around.graph, value)}", PILL_TEXT
        )
        y = PAD + row * (PILL_H + PILL_GAP)
        x = grid.center(column) - NODE_W / 2
        made.append(Pill(x, y, text, clean(f"from {origin}: {value}", 200), card))
    return tuple(made)


def _output_pills(
    around: Surroundings, card: int, nodes: Sequence[int], grid: _Grid, across: int
) -> list[tuple[Pill, int]]:
    """A pill for each card that reads of this one, with the node that it reads first."""
    targets: dict[int, int] = {}
    for i in reversed(nodes):
        for name in around.graph.nodes[i].outputs:
            for reader in around.readers.get(name, ()):
                if reader != card:
                    targets.setdefault(reader, i)
            if name in around.graph.outputs:
                targets.setdefault(-1, i)
    made = []
    for n, (reader, i) in enumerate(sorted(targets.items())[:MAX_OUTPUTS]):
        row, column = divmod(n, across)
        name = around.titles[reader] if reader >= 0 else "output"
        shape = shape_text(around.graph, around.graph.nodes[i].outputs[0])
        text = clean(name.split(",")[0] if reader >= 0 else f"output {shape}", PILL_TEXT - 2)
        y = grid.bottom + GAP_Y + row * (PILL_H + PILL_GAP)
        x = grid.center(column) - NODE_W / 2
        # Only the first row is joined by lines: further ones would cross it.
        made.append((Pill(x, y, text, clean(f"to {name}", 200), reader), i if row == 0 else -1))
    return made


def _line(layout: Layout, grid: _Grid, edge: Edge, inputs: Sequence[Pill]) -> Line:
    row, column = layout.places[edge.target]
    if edge.source >= 0:
        above, source = layout.places[edge.source]
        start = (grid.center(source), grid.tops[above] + NODE_H)
    else:
        pill = inputs[-1 - edge.source]
        above, source = -1, round((pill.x - PAD - GAP_X / 2) / (NODE_W + GAP_X))
        start = (grid.center(source), pill.y + PILL_H)
    end = (grid.center(column), grid.tops[row])
    points = _route(layout, (above, source), (row, column), start, end)
    return Line(edge.source, edge.target, rounded(points))


def _leave(layout: Layout, grid: _Grid, pill: Pill, i: int) -> Line:
    above, source = layout.places[i]
    column = round((pill.x - PAD - GAP_X / 2) / (NODE_W + GAP_X))
    start = (grid.center(source), grid.tops[above] + NODE_H)
    points = _route(
        layout, (above, source), (layout.rows, column), start, (grid.center(column), pill.y)
    )
    return Line(i, -1, rounded(points))


Place = tuple[int, int]
Point = tuple[float, float]


def _route(layout: Layout, tail: Place, head: Place, start: Point, end: Point) -> list[Point]:
    """Straight down, else over in a gap between rows, else beside the source's column."""
    (above, source), (below, target) = tail, head
    (x0, y0), (x1, y1) = start, end
    entry = x1 + (ENTRY if source > target else -ENTRY)
    if source == target:
        if not layout.blocked(source, above, below):
            return [start, end]
    elif not layout.blocked(target, above, below):
        return [start, (x0, y0 + FORK), (x1, y0 + FORK), end]
    elif not layout.blocked(source, above, below):
        return [start, (x0, y1 - JOIN), (entry, y1 - JOIN), (entry, y1)]
    gutter = x0 + (-GUTTER if source <= target else GUTTER)
    if source == target:
        entry = x1 - ENTRY
    return [
        start,
        (x0, y0 + FORK),
        (gutter, y0 + FORK),
        (gutter, y1 - JOIN),
        (entry, y1 - JOIN),
        (entry, y1),
    ]


def rounded(points: Sequence[Point]) -> str:
    """An SVG path along the points, its corners rounded."""
    path = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for (ax, ay), (bx, by), (cx, cy) in zip(points, points[1:], points[2:], strict=False):
        before, after = abs(bx - ax) + abs(by - ay), abs(cx - bx) + abs(cy - by)
        if not before or not after:
            continue
        r = min(ROUND, before / 2, after / 2)
        ux, uy = (bx - ax) / before, (by - ay) / before
        vx, vy = (cx - bx) / after, (cy - by) / after
        path.append(f"L{_n(bx - r * ux)} {_n(by - r * uy)}")
        path.append(f"Q{_n(bx)} {_n(by)} {_n(bx + r * vx)} {_n(by + r * vy)}")
    path.append(f"L{_n(points[-1][0])} {_n(points[-1][1])}")
    return "".join(path)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
