"""Colours, fonts and encoding that all figures share.

The palette is Okabe and Ito's, made for colour-blind readers (https://jfly.uni-koeln.de/color/);
figures also tell models apart by position, marker and label, so that they survive grey printing.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ghostdeploy.errors import MissingExtraError
from ghostdeploy.report.latency.summary import SummaryRow
from ghostdeploy.report.parts.clean_text import clean, shorten_apart

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

PNG_DPI = 160
MOST_SPOTS = 2000  # of a figure on a page
MARKERS = "osD^vPX*"
# Latin first; a glyph that it lacks is looked for in the others, of which few systems have all.
FONTS = (
    "DejaVu Sans",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "WenQuanYi Zen Hei",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
)


@dataclass(frozen=True)
class Theme:
    """One appearance; ``colors`` are taken by a comparison's index, in turn."""

    background: str
    ink: str
    muted: str
    grid: str
    colors: tuple[str, ...]

    def color(self, index: int) -> str:
        """Return the colour of the comparison at ``index``."""
        return self.colors[index % len(self.colors)]


LIGHT = Theme(
    background="#ffffff",
    ink="#1b1f24",
    muted="#636b74",
    grid="#e3e6ea",
    colors=("#0072b2", "#d55e00", "#009e73", "#b5568f", "#2f9fd8", "#b87900", "#5b4fb0", "#6b6b6b"),
)
DARK = Theme(
    background="#15181d",
    ink="#e8eaed",
    muted="#9aa3ad",
    grid="#2c323a",
    colors=("#4aa8e0", "#f0803c", "#35c79a", "#e08fc0", "#8fd0f5", "#e6b03a", "#a79df0", "#b5b5b5"),
)


@dataclass(frozen=True)
class Spot:
    """A place on a figure with its tooltip: left, top, width and height in shares of its own."""

    left: float
    top: float
    width: float
    height: float
    text: str


def marker_of(index: int) -> str:
    """Return matplotlib's marker for the comparison at ``index``."""
    return MARKERS[index % len(MARKERS)]


def fit_title(text: str, limit: int = 34) -> str:
    """Return a title as it fits into a figure."""
    return clean(text, limit)


def fit_titles(rows: Sequence[SummaryRow], limit: int = 34) -> list[str]:
    """Return the titles of a figure's rows as they fit, no two different ones alike."""
    return shorten_apart([row.title for row in rows], limit)


@contextmanager
def use_theme(theme: Theme) -> Iterator[None]:
    """Set matplotlib up for one figure, and leave it as it was before.

    Mathematical markup is off: a ``$`` in a name is a ``$``. Raises MissingExtraError without
    matplotlib.
    """
    try:
        from matplotlib import font_manager, rc_context
    except ImportError:
        raise MissingExtraError("matplotlib", "report") from None
    installed = set(font_manager.get_font_names())
    settings: dict[Any, Any] = {
        "font.family": [name for name in FONTS if name in installed],
        "font.size": 9.5,
        "text.parse_math": False,
        "text.color": theme.ink,
        "axes.labelcolor": theme.ink,
        "axes.edgecolor": theme.muted,
        "axes.facecolor": theme.background,
        "figure.facecolor": theme.background,
        "xtick.color": theme.muted,
        "ytick.color": theme.muted,
        "axes.unicode_minus": True,
        "svg.hashsalt": "ghostdeploy",
        "svg.fonttype": "path",
    }
    with rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", append=False)
        yield


def new_figure(width_in: float, height_in: float) -> Figure:
    """Return a figure on the Agg canvas, unknown to pyplot: nothing global to clean up."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=100)
    FigureCanvasAgg(figure)
    return figure


def note(artist: Artist, text: str) -> None:
    """Give a mark of a figure the text that a page shows where a pointer rests on it."""
    artist.set_gid(text)


def clean_spots(spots: Sequence[Spot]) -> list[Spot]:
    """Return the spots with texts that a page can show, not more than MOST_SPOTS."""
    return [replace(spot, text=clean(spot.text, 300)) for spot in spots[:MOST_SPOTS]]


def take_spots(figure: Figure) -> tuple[Spot, ...]:
    """Return the noted marks of a figure, and take the notes off: they are no part of the file."""
    spots = []
    for artist in figure.findobj(lambda found: bool(found.get_gid())):
        box = artist.get_window_extent().transformed(figure.transFigure.inverted())
        spots.append(Spot(box.x0, 1 - box.y1, box.width, box.height, str(artist.get_gid())))
        artist.set_gid(None)
    return tuple(spots)


def add_halo(text: Text, theme: Theme) -> None:
    """Keep a text legible where lines pass behind it."""
    from matplotlib.patheffects import withStroke

    text.set_path_effects([withStroke(linewidth=2.5, foreground=theme.background)])


def shrink_to(text: Text, room_px: float) -> None:
    """Make a text's font smaller until it is at most ``room_px`` wide (at the figure's own dpi)."""
    width = text.get_window_extent().width
    if width > room_px:
        text.set_fontsize(float(text.get_fontsize()) * room_px / width)


def strip_frame(axes: Axes, theme: Theme, *keep: str) -> None:
    """Keep only the spines named, no tick marks, a light vertical grid behind the data."""
    for side, spine in axes.spines.items():
        spine.set_visible(side in keep)
    axes.tick_params(length=0)
    axes.grid(axis="x", color=theme.grid, linewidth=0.8)
    axes.set_axisbelow(True)


def encode(figure: Figure, kind: str) -> bytes:
    """Return PNG or SVG bytes without a date, so that the same report gives the same file."""
    buffer = io.BytesIO()
    metadata: dict[str, Any] = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, dpi=PNG_DPI, metadata=metadata)
    return buffer.getvalue()
