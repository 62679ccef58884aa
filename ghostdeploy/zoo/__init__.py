"""The networks: a model is one file here and one row of the literal table in ``models.py``.

Light to import: torch comes in with ``build``.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Mapping
from dataclasses import fields, replace
from importlib import import_module
from typing import TYPE_CHECKING, cast

from ghostdeploy.errors import MissingExtraError, UsageError
from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.models import DEFAULT_MODEL as DEFAULT_MODEL
from ghostdeploy.zoo.models import MODELS as MODELS
from ghostdeploy.zoo.models import Architecture
from ghostdeploy.zoo.options import BlockDfcOptions, DfcOptions

if TYPE_CHECKING:
    from ghostdeploy.zoo.network import ConvNet


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


def build(spec: ModelSpec) -> ConvNet:
    """Return the torch network of ``spec`` in eval mode, with torch's default weights.

    It takes images (N, 3, height, width) and gives logits (N, num_classes). Raises
    MissingExtraError without torch.
    """
    try:
        module = import_module(find_architecture(spec.arch).module)
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "torch", "export") from error
    return cast("ConvNet", module.build(spec).eval())


def _paths(stage_sizes: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(f"blocks.{s}.{i}" for s, n in enumerate(stage_sizes) for i in range(n))


# GhostNet's blocks by their paths in the checkpoints' nine stages: block 7 is ``blocks.6.1``.
BLOCK_PATHS = _paths((1, 1, 1, 1, 1, 1, 5, 1, 4))
MOBILENETV2_PATHS = _paths((1, 2, 3, 4, 3, 3, 1))


def gated_modules(spec: ModelSpec) -> tuple[str, ...]:
    """Return the paths of the modules in which DFC gates, e.g. ``blocks.2.0.ghost1``."""
    if isinstance(spec.options, BlockDfcOptions):
        return tuple(f"{path}.dfc" for path in MOBILENETV2_PATHS)
    if not isinstance(spec.options, DfcOptions):
        return ()
    return tuple(
        f"{path}.{name}"
        for number, path in enumerate(BLOCK_PATHS)
        for name, module in (("ghost1", "first"), ("ghost2", "second"))
        if spec.options.gates(number, module)
    )
