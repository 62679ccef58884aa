"""What a user may name on the command line: a model of the zoo, one of theirs, or a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ghostdeploy import zoo
from ghostdeploy.errors import UsageError
from ghostdeploy.linting import READERS
from ghostdeploy.schema import ModelSpec
from ghostdeploy.sources import find_source
from ghostdeploy.sources.reference import NetworkReference, OwnNetwork

FORM_NAMES = ("plain", "fast", "arm")


Network = ModelSpec | NetworkReference
SIDES, CLASSES = (224, 224), 1000  # of a model of the zoo of which nobody says it


@dataclass(frozen=True)
class SpecDefaults:
    """What holds for every model that is named without a variant or a width of its own.

    ``resolution`` and ``num_classes`` are None where nobody asked for any. ``own`` is what was said
    of networks that are not the zoo's.
    """

    width: float = 1.0
    resolution: tuple[int, int] | None = None
    variant: str = "official"
    changes: Mapping[str, object] | None = None
    num_classes: int | None = None
    own: OwnNetwork = OwnNetwork()


@dataclass(frozen=True)
class FormedModel:
    """A model to be exported in another form than the default; see ``lowering.rewrites.FORMS``."""

    spec: Network
    form: str


Target = Network | Path | FormedModel


def parse_formed_target(text: str, defaults: SpecDefaults) -> Target:
    """Parse as ``parse_target``; ``-fast`` or another form's name may stand behind a model.

    Raises UsageError for what is neither a model nor a file.
    """
    name, dash, form = text.rpartition("-")
    if dash and form in FORM_NAMES:
        target = parse_target(name, defaults)
        if not isinstance(target, (Path, FormedModel)):
            return FormedModel(target, form)
    return parse_target(text, defaults)


def parse_network(text: str, defaults: SpecDefaults) -> Network:
    """Parse what ``export`` takes: as ``parse_target``, but an .onnx file is a network.

    Raises UsageError for a TFLite file, and for what is no network.
    """
    if Path(text).suffix.lower() == ".onnx" and (found := find_source(text)):
        return _refer(found, defaults)
    target = parse_target(text, defaults)
    if isinstance(target, Path):
        raise UsageError(f"a network is wanted here, not the file {target}")
    return target


def parse_target(text: str, defaults: SpecDefaults) -> Network | Path:
    """Parse ``ARCH[:VARIANT][@WIDTH]``, a network of the user's, or the name of a model file.

    Raises UsageError for what is none of these.
    """
    if Path(text).suffix in READERS:
        return Path(text)
    if found := find_source(text):
        return _refer(found, defaults)
    if "/" in text:
        return Path(text)
    if defaults.own.foreign:
        raise UsageError(
            f"--input, --arg, --outputs and weights of own or hub are not for {text}, which is the"
            " zoo's"
        )
    name, _, width = text.partition("@")
    name, _, variant = name.partition(":")
    try:
        number = float(width) if width else defaults.width
    except ValueError as error:
        raise UsageError(f"{text!r}: the width behind @ is not a number") from error
    return zoo.make_spec(
        name,
        width=number,
        resolution=defaults.resolution or SIDES,
        variant=variant or defaults.variant,
        changes=defaults.changes,
        num_classes=CLASSES if defaults.num_classes is None else defaults.num_classes,
    )


def _refer(found: NetworkReference, defaults: SpecDefaults) -> NetworkReference:
    """Return a reference with all that was said of it. Raises UsageError for what is the zoo's."""
    for word, given in (
        ("--width", defaults.width != SpecDefaults.width),
        ("--variant", defaults.variant != SpecDefaults.variant),
        ("--set", bool(defaults.changes)),
    ):
        if given:
            hint = f"{found.text} takes --arg NAME=VALUE"
            raise UsageError(f"{word} is for models of the zoo; {hint}")
    return replace(
        found,
        own=defaults.own,
        resolution=defaults.resolution,
        num_classes=defaults.num_classes,
    )


def parse_resolution(text: str) -> tuple[int, int]:
    """Parse ``224`` or ``HEIGHTxWIDTH``, e.g. ``192x320``, into pixels of height and width.

    Raises UsageError for anything else.
    """
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(p.isascii() and p.isdigit() for p in parts):
        raise UsageError(f"write a resolution as 224 or 192x320 (height x width), not {text!r}")
    height, width = int(parts[0][:9]), int(parts[-1][:9])
    return height, width
