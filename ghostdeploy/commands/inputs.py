"""What a model file takes and gives, as far as images and classes are concerned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.commands.artifacts import artifact_of
from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.images.normalization import published_normalization
from ghostdeploy.linting.graph import Graph
from ghostdeploy.schema import Normalization

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
    if known.normalization or known.spec is None:
        return known.normalization or read_normalization(path)
    return published_normalization(known.export.embed_preprocessing)


def count_classes(path: Path, graph: Graph) -> int:
    """Return the number of logits. Raises InputFileError for another kind of output."""
    shape = graph.values[graph.outputs[0]].shape or ()
    if len(shape) != 2 or shape[1] < 1:
        raise InputFileError(f"{path} gives {list(shape)}, not one logit a class")
    return shape[1]
