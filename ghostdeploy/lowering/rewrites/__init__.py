"""Changes to a converted TFLite graph, each the same function or the mending of a wrong one.

A rewrite is one file with ``apply(model) -> int``, the number of places changed, ``KEEPS_FUNCTION``
(False for one that mends a wrong conversion), a docstring with What / Why / Exact, and one row
here. The order is that of application. Parity is proven after all of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Protocol, cast

from ghostdeploy.errors import UsageError
from ghostdeploy.flatbuffer import ModelT


class Rewrite(Protocol):
    """The module of a rewrite."""

    __doc__: str | None
    KEEPS_FUNCTION: bool

    def apply(self, model: ModelT) -> int:
        """Change ``model`` in place and return the number of places."""


# Modules by their names: each imports numpy, and the command line reads this table on its way.
# Read-only: the order is that of application, and whoever put a row back would put it last.
REWRITES: Mapping[str, str] = MappingProxyType(
    {
        "channels-last": "ghostdeploy.lowering.rewrites.channels_last",
        "fused-activation": "ghostdeploy.lowering.rewrites.fused_activation",
        "nearest-floor": "ghostdeploy.lowering.rewrites.nearest_floor",
        "tanh-gate": "ghostdeploy.lowering.rewrites.tanh_gate",
        "gate-broadcast": "ghostdeploy.lowering.rewrites.gate_broadcast",
        "nearest-depth": "ghostdeploy.lowering.rewrites.nearest_depth",
        "clip-relu": "ghostdeploy.lowering.rewrites.clip_relu",
        "pool-depthwise": "ghostdeploy.lowering.rewrites.pool_depthwise",
        "float-pool": "ghostdeploy.lowering.rewrites.float_pool",
        "pad-same": "ghostdeploy.lowering.rewrites.pad_same",
        "depthwise": "ghostdeploy.lowering.rewrites.depthwise",
        "late-concat": "ghostdeploy.lowering.rewrites.late_concat",
        "narrow-taps": "ghostdeploy.lowering.rewrites.narrow_taps",
        "wide-tiles": "ghostdeploy.lowering.rewrites.wide_tiles",
    }
)


# Without these the exported file is another function than the network: they cannot be left out.
MENDING = ("nearest-floor",)
# Same function and faster, but the graph no longer shows the network's operators (DFC's pooling,
# 1×5, 5×1 and sigmoid), or holds RESHAPE: only where --opt asks for them.
SPEED = ("tanh-gate", "gate-broadcast", "float-pool", "narrow-taps", "wide-tiles")
# Of these, the ones that pay on one architecture and cost on another (docs/lowering.md).
ARM = ("wide-tiles",)
FAST = tuple(name for name in SPEED if name not in ARM)
OPTIONAL = tuple(name for name in REWRITES if name not in MENDING)
DEFAULT = tuple(name for name in REWRITES if name not in SPEED)


def load_rewrite(name: str) -> Rewrite:
    """Import the module of the row ``name``."""
    return cast(Rewrite, import_module(REWRITES[name]))


@dataclass(frozen=True)
class Form:
    """Which rewrites a file has: all but ``without`` and, of SPEED, those in ``speed`` only."""

    without: tuple[str, ...] = ()
    speed: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The rewrites that are applied, in the table's order."""
        wanted = {*DEFAULT, *self.speed} - set(self.without)
        return tuple(name for name in REWRITES if name in wanted)

    @property
    def title(self) -> str:
        """What the form is called: a key of FORMS ("" is the default), or else what differs."""
        for title, form in FORMS.items():
            if set(self.names) == set(form.names):
                return title
        kept = tuple(name for name in self.names if name not in MENDING)
        lacking = ("without", *self.without) if self.without else ()
        changed = "-".join((*lacking, *(("with", *self.speed) if self.speed else ())))
        return min(changed, "-".join(("only", *kept)), key=len)


GROUPS = {"all": OPTIONAL, "fast": FAST}
Words = tuple[str, ...]
# What each form's name stands for, in words of --opt and of --no-opt.
FORM_WORDS: dict[str, tuple[Words, Words]] = {
    "": ((), ()),
    "plain": ((), ("all",)),
    "fast": (("fast",), ()),
    "arm": (("all",), ()),
}


def choose_form(on: Sequence[str], off: Sequence[str]) -> Form:
    """Return the form that ``--opt`` and ``--no-opt`` ask for, by name or by a word of GROUPS.

    What names less counts more: a rewrite's own name before ``fast``, that before ``all``; of one
    size, ``--opt`` wins. Raises UsageError for a name that is not one of OPTIONAL, and for one
    that is both asked for and left out.
    """
    for name in (*on, *off):
        _check_name(name)
    if both := {*on} & {*off}:
        raise UsageError(f"{min(both)} cannot be both applied and left out; give it once")
    applied: dict[str, bool] = {}
    for word in sorted((*off, *on), key=lambda word: -len(_spell_out(word))):
        applied |= dict.fromkeys(_spell_out(word), word in on)
    return Form(
        without=tuple(n for n in OPTIONAL if n not in SPEED and applied.get(n) is False),
        speed=tuple(n for n in SPEED if applied.get(n)),
    )


def form_called(title: str, off: Sequence[str] = ()) -> Form:
    """Return the form of that name (a key of FORM_WORDS), without what ``--no-opt`` leaves out.

    Raises what ``choose_form`` raises.
    """
    on, left_out = FORM_WORDS[title]
    return choose_form(on, (*left_out, *(word for word in off if word not in on)))


def _check_name(name: str) -> None:
    if name in MENDING:
        raise UsageError(f"{name} mends the conversion; without it the file would be wrong")
    if name not in (*OPTIONAL, *GROUPS):
        near = difflib.get_close_matches(name, OPTIONAL, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(OPTIONAL)}"
        raise UsageError(f"no rewrite is called {name!r}; {hint}")


def _spell_out(word: str) -> tuple[str, ...]:
    return GROUPS.get(word, (word,))


FORMS = {title: choose_form(on, off) for title, (on, off) in FORM_WORDS.items()}


def explain_rewrites() -> list[dict[str, str]]:
    """Return each row's name and its docstring's What and Why, on one line each."""
    docs = {name: load_rewrite(name).__doc__ or "" for name in REWRITES}
    return [
        {"name": name, "what": paragraph(doc, "What"), "why": paragraph(doc, "Why")}
        for name, doc in docs.items()
    ]


def paragraph(doc: str, label: str) -> str:
    """Return the text behind ``label:`` in a rewrite's docstring, up to the next label."""
    lines: list[str] = []
    for line in doc.partition(f"\n{label}: ")[2].splitlines():
        if lines and not line.startswith(" "):
            break
        lines.append(line.strip())
    return " ".join(lines)


def apply_rewrites(model: ModelT, names: tuple[str, ...] = DEFAULT) -> dict[str, int]:
    """Apply ``names`` in the table's order; returns the number of places that each changed.

    Raises InputFileError for a damaged model: an operator with another one's options.
    """
    from ghostdeploy.lowering.rewrites.options import settle_options

    settle_options(model)
    counts = {name: load_rewrite(name).apply(model) for name in REWRITES if name in names}
    return {name: count for name, count in counts.items() if count}
