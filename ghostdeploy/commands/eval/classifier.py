"""A model to judge: a file, or a torch network with its weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.commands.artifacts import weights_identity
from ghostdeploy.commands.export.network import build_network
from ghostdeploy.commands.inputs import count_classes, preprocessing_of
from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import UsageError
from ghostdeploy.linting import read_graph
from ghostdeploy.runners.host.trial_run import refuse_deadly
from ghostdeploy.schema import ModelSpec, Normalization
from ghostdeploy.sources.reference import NetworkReference

if TYPE_CHECKING:
    from ghostdeploy.images.preprocessing import Preprocessing
    from ghostdeploy.lowering.parity import Array


@dataclass(frozen=True)
class Classifier:
    """A model to judge: a file, or with ``spec`` the network itself with its weights.

    ``how`` leads from a picture to its input; ``identity`` changes whenever its answers may.
    """

    name: str
    path: Path | None
    spec: ModelSpec | NetworkReference | None
    weights: Path | None
    seed: int
    how: Preprocessing
    classes: int
    identity: str


def open_classifier(
    target: Path | ModelSpec | NetworkReference,
    crop: float,
    weights: Path | None = None,
    seed: int = 0,
    normalization: Normalization | None = None,
) -> Classifier:
    """Describe what is to be judged; ``crop`` is the share of the resized image that it sees.

    ``normalization`` is for a file that does not say itself what it takes. Raises InputFileError
    for a file that is not a classifier of images, UsageError where nobody says what it takes.
    """
    from ghostdeploy.images.preprocessing import Preprocessing

    if isinstance(target, ModelSpec):
        how = Preprocessing(target.resolution, crop=crop)
        who = f"{target!r} {weights_identity(weights, seed)}"
        name = f"{target.name} (torch)"
        return Classifier(name, None, target, weights, seed, how, target.num_classes, who)
    if isinstance(target, NetworkReference):
        return _open_foreign(target.with_weights(weights, seed), crop)
    graph = read_graph(target)
    how = preprocessing_of(target, graph, crop, normalization)
    classes = count_classes(target, graph)
    refuse_deadly(target)
    return Classifier(target.name, target, None, None, 0, how, classes, _identify(target))


def _open_foreign(reference: NetworkReference, crop: float) -> Classifier:
    from ghostdeploy.commands.export.foreign import open_foreign
    from ghostdeploy.images.preprocessing import Preprocessing

    spec = open_foreign(reference).spec
    normalization = spec.required_normalization("reading pictures for it")
    if spec.num_classes is None:
        raise UsageError(f"{spec.source} gives {list(spec.output_shapes)}, not one logit a class")
    how = Preprocessing(spec.resolution, normalization, crop)
    name = f"{spec.name} (itself)"
    return Classifier(name, None, reference, None, 0, how, spec.num_classes, spec.identity)


def _identify(path: Path) -> str:
    """Return a digest of a file and of the weights beside it."""
    if path.suffix.lower() != ".onnx":
        return file_sha256(path)
    from ghostdeploy.lowering.onnx_files import find_external_files

    return " ".join(file_sha256(file) for file in (path, *find_external_files(path)))


def load_runner(one: Classifier) -> Callable[[Array], Array]:
    """Load a classifier: a function from an input (1, 3, H, W) to logits (classes,).

    It computes on one thread.
    """
    from ghostdeploy.lowering import inference

    if isinstance(one.spec, NetworkReference):
        return _foreign_runner(one.spec)
    if one.spec is not None:
        return _torch_runner(one.spec, one)
    assert one.path is not None
    if one.path.suffix.lower() == ".tflite":
        run = inference.load_tflite(one.path.read_bytes(), threads=1, name=one.name)
    else:  # by its path: weights may lie beside it
        run = inference.load_onnx(str(one.path), threads=1, name=one.name)
    return lambda image: next(iter(run(image).values()))[0]


def _torch_runner(spec: ModelSpec, one: Classifier) -> Callable[[Array], Array]:
    import torch

    torch.set_num_threads(1)
    network = build_network(spec, one.weights, one.seed)

    def run(image: Array) -> Array:
        with torch.no_grad():
            logits: Array = network(torch.from_numpy(image))[0].numpy()
        return logits

    return run


def _foreign_runner(reference: NetworkReference) -> Callable[[Array], Array]:
    from ghostdeploy.commands.export.foreign import open_foreign

    loaded = open_foreign(reference).loaded
    (source,) = loaded.spec.inputs
    return lambda image: loaded.run({source.name: image})[0][0]
