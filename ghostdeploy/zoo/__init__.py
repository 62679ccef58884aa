"""The networks, as a literal table; a model is one file here and one row below.

Light to import: torch comes in with ``build``.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from importlib import import_module
from typing import TYPE_CHECKING, cast

from ghostdeploy.errors import MissingExtraError, UsageError
from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.options import DfcOptions, Options, SelfAttentionOptions

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class PaperResult:
    """What the paper says of one width: its row in ``ghostdeploy.paper``'s tables.

    ``figure_ms`` is the latency read off Figure 2 (±0.2 ms) where no table prints one.
    """

    table: str
    model: str
    variant: str
    figure_ms: float | None = None


@dataclass(frozen=True)
class Architecture:
    """One row of the zoo.

    ``module`` is a dotted name, since the module itself would bring torch with it.
    ``variants`` maps a preset's name to its options, ``paper`` a width to the paper's rows, the
    most telling first. ``reshaping_modules`` need reshapes and transposes by definition.
    """

    title: str
    module: str
    variants: Mapping[str, Options]
    paper: Mapping[float, tuple[PaperResult, ...]]
    reshaping_modules: tuple[str, ...] = ()


PAPER_VARIANT = DfcOptions(kernel=(9, 7, 5), down="max", up="bilinear")

MODELS: dict[str, Architecture] = {
    "ghostnetv1": Architecture(
        title="GhostNet",
        module="ghostdeploy.zoo.ghostnetv1",
        variants={"official": None},
        paper={
            1.0: (PaperResult("1", "GhostNet", "1.0x"), PaperResult("2", "GhostNetV1", "1.0x")),
            1.1: (PaperResult("2", "GhostNetV1", "1.1x", figure_ms=37.2),),
            1.3: (PaperResult("2", "GhostNetV1", "1.3x"),),
            1.4: (PaperResult("2", "GhostNetV1", "1.4x", figure_ms=56.5),),
            1.7: (PaperResult("2", "GhostNetV1", "1.7x", figure_ms=77.0),),
        },
    ),
    "ghostnetv1_sa": Architecture(
        title="GhostNet + self-attention",
        module="ghostdeploy.zoo.ghostnetv1_sa",
        variants={"official": SelfAttentionOptions()},
        paper={1.0: (PaperResult("1", "GhostNet", "+ Self Attention [23] (MobileViT)"),)},
        reshaping_modules=("attention",),
    ),
    "ghostnetv2": Architecture(
        title="GhostNetV2",
        module="ghostdeploy.zoo.ghostnetv2",
        variants={"official": DfcOptions(), "paper": PAPER_VARIANT},
        paper={
            1.0: (
                PaperResult("1", "GhostNet", "+ DFC Attention (Ours)"),
                PaperResult("2", "GhostNetV2", "1.0x"),
            ),
            1.3: (PaperResult("A3", "GhostNetV2", "1.3x"), PaperResult("2", "GhostNetV2", "1.3x")),
            1.6: (PaperResult("A3", "GhostNetV2", "1.6x"), PaperResult("2", "GhostNetV2", "1.6x")),
        },
    ),
}
DEFAULT_MODEL = "ghostnetv2"


def find_architecture(name: str) -> Architecture:
    """Return the row called ``name``. Raises UsageError with the nearest names."""
    if name in MODELS:
        return MODELS[name]
    near = difflib.get_close_matches(name, MODELS, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(MODELS)}"
    raise UsageError(f"no model is called {name!r}; {hint}")


def make_spec(
    arch: str = DEFAULT_MODEL,
    *,
    width: float = 1.0,
    resolution: tuple[int, int] = (224, 224),
    variant: str = "official",
    changes: Mapping[str, object] | None = None,
    num_classes: int = 1000,
) -> ModelSpec:
    """Return the spec of a preset, with ``changes`` to its options' fields.

    ``resolution`` is (height, width) in pixels. Raises UsageError for an unknown model, variant
    or field, or a value out of range.
    """
    row = find_architecture(arch)
    if variant not in row.variants:
        raise UsageError(f"{arch} has the variants {', '.join(row.variants)}, not {variant!r}")
    preset = row.variants[variant]
    known = [f.name for f in fields(preset)] if preset else []
    for key in changes or {}:
        if key not in known:
            raise UsageError(f"{arch} has no option {key!r}; it has {', '.join(known) or 'none'}")
    options = replace(preset, **(changes or {})) if preset else None  # type: ignore[arg-type]
    label = [
        f"{key}={_text(getattr(options, key))}"
        for key in sorted(known)
        if getattr(options, key) != getattr(preset, key)
    ]
    if variant != "official" or not label:
        label.insert(0, variant)
    return ModelSpec(arch, width, resolution, "+".join(label), options, num_classes)


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def parse_change(text: str) -> tuple[str, object]:
    """Return ``kernel=9,7,5`` as ("kernel", (9, 7, 5)). Raises UsageError without a "="."""
    key, equals, value = text.partition("=")
    if not equals or not value:
        raise UsageError(f"write an option as NAME=VALUE, not {text!r}")
    try:
        parsed: object = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        parsed = value
    key = key.strip()
    if key in ("dfc_blocks", "after_blocks", "dims", "depths") and isinstance(parsed, int):
        parsed = (parsed,)
    if key == "kernel" and isinstance(parsed, int):
        parsed = (parsed,) * 3
    return key, parsed


def build(spec: ModelSpec) -> nn.Module:
    """Return the torch network of ``spec`` in eval mode, with torch's default weights.

    It takes images (N, 3, height, width) and gives logits (N, num_classes). Raises
    MissingExtraError without torch.
    """
    try:
        module = import_module(find_architecture(spec.arch).module)
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "torch", "export") from error
    return cast("nn.Module", module.build(spec).eval())


# Blocks in each of the checkpoints' nine stages: block 7 is ``blocks.6.1``.
STAGE_SIZES = (1, 1, 1, 1, 1, 1, 5, 1, 4)
BLOCK_PATHS = tuple(f"blocks.{s}.{i}" for s, n in enumerate(STAGE_SIZES) for i in range(n))


def gated_modules(spec: ModelSpec) -> tuple[str, ...]:
    """Return the paths of the Ghost modules that DFC gates, e.g. ``blocks.2.0.ghost1``."""
    if not isinstance(spec.options, DfcOptions):
        return ()
    return tuple(
        f"{path}.{name}"
        for number, path in enumerate(BLOCK_PATHS)
        for name, module in (("ghost1", "first"), ("ghost2", "second"))
        if spec.options.gates(number, module)
    )
