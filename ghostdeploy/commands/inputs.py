"""What a model file takes and gives, as far as images and classes are concerned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.commands.artifacts import artifact_of
from ghostdeploy.errors import InputFileError
from ghostdeploy.lint.graph import Graph

if TYPE_CHECKING:
    from ghostdeploy.images.preprocessing import Preprocessing


def preprocessing_of(path: Path, graph: Graph, crop: float) -> Preprocessing:
    """Return the way from a picture to ``path``'s input: its sidecar's, else the published one.

    ``crop`` is the share of the resized image that is kept. Raises InputFileError for a model that
    does not take one RGB image and give one output.
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
    embedded = artifact_of(path).export.embed_preprocessing
    return Preprocessing((sides[0], sides[1]), embedded, crop)


def count_classes(path: Path, graph: Graph) -> int:
    """Return the number of logits. Raises InputFileError for another kind of output."""
    shape = graph.values[graph.outputs[0]].shape or ()
    if len(shape) != 2 or shape[1] < 1:
        raise InputFileError(f"{path} gives {list(shape)}, not one logit a class")
    return shape[1]
