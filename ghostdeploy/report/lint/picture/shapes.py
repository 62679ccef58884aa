"""What a card's drawing consists of, in pixels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A node; ``squeeze_…`` is the width that a text must be set to, 0 where it fits as it is."""

    index: int
    x: float
    y: float
    label: str
    detail: str
    family: str
    outside: bool
    squeeze_label: int
    squeeze_detail: int


@dataclass(frozen=True)
class Line:
    """An edge from node to node, −1 for a pill, as an SVG path."""

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
    squeeze: int  # the width that the text must be set to, 0 where it fits
    card: int  # −1 for an input or output of the graph


@dataclass(frozen=True)
class Frame:
    """A rectangle around a DFC branch."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Drawing:
    """All that a card draws; ``columns`` is how many nodes it is wide."""

    width: float
    height: float
    columns: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    bands: tuple[Band, ...]
    pills: tuple[Pill, ...]
    frames: tuple[Frame, ...]
