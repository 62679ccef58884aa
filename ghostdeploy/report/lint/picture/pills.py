"""The pills of a card: what comes from, and what goes to, other cards."""

from __future__ import annotations

from collections.abc import Sequence

from ghostdeploy.report.lint.facts import format_shape
from ghostdeploy.report.lint.picture.card_grid import GAP_Y, NODE_W, PAD, CardGrid
from ghostdeploy.report.lint.picture.layout import Layout
from ghostdeploy.report.lint.picture.shapes import Pill
from ghostdeploy.report.lint.picture.surroundings import Surroundings
from ghostdeploy.report.lint.picture.text_width import room_to_keep
from ghostdeploy.report.parts.clean_text import clean

PILL_TEXT = 24  # characters that fit
PILL_PX = 10.5  # the font's size, as in picture.css
ROOM = NODE_W - 14  # pixels of a pill that a text may take
MAX_OUTPUTS = 24


def make_input_pills(
    around: Surroundings, layout: Layout, grid: CardGrid, across: int
) -> tuple[Pill, ...]:
    """Return a pill for each value that the card reads of others."""
    made = []
    for n, value in enumerate(layout.inputs):
        card = around.card_of.get(value, -1)
        origin = around.titles[card] if card >= 0 else value
        text = clean(
            f"{clean(origin.split(',')[0], 14)} {format_shape(around.graph, value)}", PILL_TEXT
        )
        x, y = grid.pill_at(n, across, PAD)
        made.append(_pill(x, y, text, f"from {origin}: {value}", card))
    return tuple(made)


def make_output_pills(
    around: Surroundings, card: int, nodes: Sequence[int], grid: CardGrid, across: int
) -> list[tuple[Pill, int]]:
    """Return a pill for each card that reads of this one, with the node that it reads first.

    That node is -1 where no line joins the two: only the first row of pills is joined, lines to
    further ones would cross it.
    """
    made = []
    targets = _first_read(around, card, nodes)
    for n, (reader, i) in enumerate(sorted(targets.items())[:MAX_OUTPUTS]):
        name = around.titles[reader] if reader >= 0 else "output"
        shape = format_shape(around.graph, around.graph.nodes[i].outputs[0])
        text = clean(name.split(",")[0] if reader >= 0 else f"output {shape}", PILL_TEXT - 2)
        x, y = grid.pill_at(n, across, grid.bottom + GAP_Y)
        pill = _pill(x, y, text, f"to {name}", reader)
        made.append((pill, i if n < across else -1))
    return made


def _pill(x: float, y: float, text: str, title: str, card: int) -> Pill:
    return Pill(x, y, text, clean(title, 200), room_to_keep(text, PILL_PX, ROOM), card)


def _first_read(around: Surroundings, card: int, nodes: Sequence[int]) -> dict[int, int]:
    """Return the first node of the card that each other card reads, -1 for the graph's output."""
    targets: dict[int, int] = {}
    for i in reversed(nodes):
        for name in around.graph.nodes[i].outputs:
            for reader in around.readers.get(name, ()):
                if reader != card:
                    targets.setdefault(reader, i)
            if name in around.graph.outputs:
                targets.setdefault(-1, i)
    return targets
