"""What a model file takes and gives: images and classes, and the shapes it leaves open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.commands.artifacts import artifact_of
from ghostdeploy.errors import InputFileError, MissingExtraError, UsageError
from ghostdeploy.images.normalization import BYTES, published_normalization
from ghostdeploy.linting import read_graph
from ghostdeploy.linting.graph import Graph
from ghostdeploy.runners.host.runtimes import settle_runtime
from ghostdeploy.schema import BenchParams, ForeignSpec, InputShape, Normalization

if TYPE_CHECKING:
    from ghostdeploy.images.preprocessing import Preprocessing


def preprocessing_of(
    path: Path, graph: Graph, crop: float, given: Normalization | None = None
) -> Preprocessing:
    """Return the way from a picture to ``path``'s input: what it says itself, else ``given``.

    ``crop`` is the share of the resized image that is kept. Raises InputFileError for a model that
    does not take one RGB image and give one output, UsageError where nothing says which values it
    takes: they are never guessed.
    """
    from ghostdeploy.images.preprocessing import Preprocessing

    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise InputFileError(
            f"{path} has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs;"
            " a model of one image and its logits is wanted"
        )
    shape = graph.values[graph.inputs[0]].shape or ()
    nhwc = graph.format == "tflite"
    sides = shape[1:3] if nhwc else shape[2:4]
    if len(shape) != 4 or min(sides) < 1 or shape[3 if nhwc else 1] != 3:
        raise InputFileError(f"{path} takes {list(shape)}, not one RGB image")
    normalization = known_normalization(path) or given
    if normalization is None:
        raise UsageError(
            f"{path} does not say which values of pixels it takes; tell it with --input-range"
            " (0,255 or -1,1 are common), or with --mean and --std"
        )
    return Preprocessing((sides[0], sides[1]), normalization, crop)


def known_normalization(path: Path) -> Normalization | None:
    """Return what the sidecar or the file itself says of its pixels, None where neither does.

    Raises InputFileError for damaged metadata.
    """
    from ghostdeploy.lowering.pixel_metadata import read_normalization

    known = artifact_of(path)
    if isinstance(known.spec, ForeignSpec) and known.export.embed_preprocessing:
        return BYTES
    if isinstance(known.spec, ForeignSpec) and known.spec.normalization:
        return known.spec.normalization
    if known.normalization or known.zoo_spec is None:
        return known.normalization or read_normalization(path)
    return published_normalization(known.export.embed_preprocessing)


def count_classes(path: Path, graph: Graph) -> int:
    """Return the number of logits. Raises InputFileError for another kind of output."""
    shape = graph.values[graph.outputs[0]].shape or ()
    if len(shape) != 2 or shape[1] < 1:
        raise InputFileError(f"{path} gives {list(shape)}, not one logit a class")
    return shape[1]


def settle_params(path: Path, params: BenchParams) -> BenchParams:
    """Return what one model is measured with: the runtime of its file, the shapes of its inputs.

    Raises UsageError where its inputs leave open what ``params`` do not say.
    """
    settled = settle_runtime(params, path)
    return replace(settled, input_shapes=settle_shapes(path, params.input_shapes))


def settle_shapes(path: Path, asked: Sequence[InputShape]) -> tuple[InputShape, ...]:
    """Return every input's shape, by name, of a model that leaves some open; () for any other.

    Each takes the first of ``asked`` that fits it: of its name or of none, with as many sides, and
    equal in those that are fixed. A batch that alone is open counts as 1. Raises UsageError for an
    input that nothing fits.
    """
    try:
        graph = read_graph(path)
    except (InputFileError, MissingExtraError):
        if asked:
            raise
        return ()  # the runtime may know better
    inputs = {name: graph.values[name].shape or () for name in graph.inputs}
    if all(min(shape, default=0) >= 0 for shape in inputs.values()):
        return ()
    return tuple(_settle_shape(path, name, shape, asked) for name, shape in inputs.items())


def check_shapes_taken(asked: Sequence[InputShape], settled: Sequence[BenchParams]) -> None:
    """Raise UsageError for a shape that no model took: it is not what its giver thinks."""
    taken = {each for params in settled for each in params.input_shapes}
    for each in asked:
        if not any(each.shape == one.shape and each.name in ("", one.name) for one in taken):
            raise UsageError(f"--input-shape {each}: no model leaves such an input open")


def _settle_shape(
    path: Path, name: str, shape: tuple[int, ...], asked: Sequence[InputShape]
) -> InputShape:
    for each in asked:
        if each.name in ("", name) and _fits(each.shape, shape):
            return InputShape(each.shape, name)
    if min(shape[1:], default=0) >= 0 and not any(each.name == name for each in asked):
        return InputShape(tuple(max(side, 1) for side in shape), name)
    sides = "x".join("?" if side < 0 else str(side) for side in shape)
    example = "x".join(
        "224" if side < 0 and at else str(abs(side)) for at, side in enumerate(shape)
    )
    raise UsageError(
        f"{path}: its input {name[:80]} takes {sides}: say how large, e.g. --input-shape {example}"
    )


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Tell whether ``shape`` is one of ``wanted``, whose open sides are negative."""
    return len(shape) == len(wanted) and all(
        have == want or want < 0 for have, want in zip(shape, wanted, strict=True)
    )
