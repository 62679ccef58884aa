"""What a user may name on the command line: a model of the zoo, a form of one, or a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ghostdeploy import zoo
from ghostdeploy.errors import UsageError
from ghostdeploy.lint import READERS
from ghostdeploy.schema import ModelSpec

FORM_NAMES = ("plain", "fast", "arm")


@dataclass(frozen=True)
class SpecDefaults:
    """What holds for every model that is named without a variant or a width of its own."""

    width: float = 1.0
    resolution: tuple[int, int] = (224, 224)
    variant: str = "official"
    changes: Mapping[str, object] | None = None
    num_classes: int = 1000


@dataclass(frozen=True)
class FormedModel:
    """A model to be exported in another form than the default; see export.rewrites.FORMS."""

    spec: ModelSpec
    form: str


Target = ModelSpec | Path | FormedModel


def parse_formed_target(text: str, defaults: SpecDefaults) -> Target:
    """Parse as ``parse_target``; ``-fast`` or another form's name may stand behind a model.

    Raises UsageError for what is neither a model nor a file.
    """
    name, dash, form = text.rpartition("-")
    if dash and form in FORM_NAMES:
        target = parse_target(name, defaults)
        if isinstance(target, ModelSpec):
            return FormedModel(target, form)
    return parse_target(text, defaults)


def parse_target(text: str, defaults: SpecDefaults) -> ModelSpec | Path:
    """Parse ``ARCH[:VARIANT][@WIDTH]`` into a spec, or the name of a .onnx or .tflite file.

    Raises UsageError for what is neither.
    """
    if Path(text).suffix in READERS or "/" in text:
        return Path(text)
    name, _, width = text.partition("@")
    name, _, variant = name.partition(":")
    try:
        number = float(width) if width else defaults.width
    except ValueError as error:
        raise UsageError(f"{text!r}: the width behind @ is not a number") from error
    return zoo.make_spec(
        name,
        width=number,
        resolution=defaults.resolution,
        variant=variant or defaults.variant,
        changes=defaults.changes,
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
