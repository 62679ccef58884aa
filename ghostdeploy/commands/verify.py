"""``ghostdeploy verify``: is this file the torch network's function, layer by layer?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.commands.artifacts import weights_identity
from ghostdeploy.commands.export.network import build_network
from ghostdeploy.commands.extras import require_packages
from ghostdeploy.commands.origin import Origin, origin_of, precision_of
from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.linting import read_graph
from ghostdeploy.linting.graph import Graph
from ghostdeploy.quantization import recipe
from ghostdeploy.quiet import capture_output
from ghostdeploy.runners.host.trial_run import refuse_deadly
from ghostdeploy.schema import ExportOptions, ForeignSpec, ModelSpec, Parity
from ghostdeploy.sources.reference import NetworkReference

if TYPE_CHECKING:
    from ghostdeploy.commands.proof import Candidate
    from ghostdeploy.lowering.inference import Inputs
    from ghostdeploy.lowering.parity import Array


@dataclass(frozen=True)
class VerifyRequest:
    """Which model file to verify; ``weights`` is the checkpoint that it was made from, if any.

    A file of others does not say which network it is: ``spec`` does, with weights of a ``seed``
    where no checkpoint is given. A file of the user's own network says which one it was, and
    ``spec`` has to lead to that. It has the file's own ``precision`` unless one is named.

    Raises UsageError for an unknown precision.
    """

    path: Path
    weights: Path | None = None
    spec: ModelSpec | NetworkReference | None = None
    precision: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.spec and self.precision:
            recipe(self.precision)

    @property
    def origin(self) -> Origin | None:
        """What the request says that the file was made from, None where the file is asked."""
        if self.spec is None or isinstance(self.spec, NetworkReference):
            return None
        weights = weights_identity(self.weights, self.seed)
        return Origin(self.spec, ExportOptions(), self.precision, weights)


@dataclass(frozen=True)
class Verification:
    """The comparison, and each inner tensor's relative L2 in graph order.

    ``truth`` is what the file was compared with, ``lines`` the user's lines of inner tensors.
    """

    parity: Parity
    layers: dict[str, float]
    truth: str = "torch"
    lines: Mapping[str, str] = field(default_factory=dict)


def verify(request: VerifyRequest) -> Verification:
    """Compare a model file with its torch network.

    Raises InputFileError for a file that is not a model, and UsageError where it does not say what
    it was made from, is of another precision than the one named, or was made from a checkpoint
    that is not given.
    """
    path, given = request.path, request.origin
    runtime = ("onnx", "onnxruntime") if path.suffix == ".onnx" else ("ai_edge_litert",)
    onnx = isinstance(request.spec, NetworkReference) and not request.spec.needs_torch
    require_packages(*(() if onnx else ("torch",)), "numpy", *runtime)
    graph = read_graph(path)  # one line for whatever is wrong with the file
    data = path.read_bytes()
    if isinstance(request.spec, NetworkReference):
        refuse_deadly(path)
        with capture_output():
            reference = request.spec.with_weights(request.weights, request.seed)
            return _compare_foreign(path, data, reference, precision_of(graph))
    origin = given or origin_of(path, data)
    if isinstance(origin.spec, ForeignSpec):
        source = origin.spec.source
        raise UsageError(f"{path} was made from {source}: say where that is, --model {source}")
    _check_input(graph, origin.spec)
    if given:
        origin = _with_precision(given, graph)
    seed = _seed(path, origin, request.weights)
    refuse_deadly(path)
    with capture_output():
        return _compare(path, data, origin, request.weights, seed)


def _with_precision(origin: Origin, graph: Graph) -> Origin:
    """Raise UsageError for a precision that is not the file's: another tolerance goes with it."""
    own = precision_of(graph)
    if origin.precision not in ("", own):
        raise UsageError(f"{graph.source} is {own}, not {origin.precision}")
    return replace(origin, precision=own)


def _check_input(graph: Graph, spec: ModelSpec) -> None:
    """Raise UsageError unless the file takes one image of the network's size.

    TFLite's images are NHWC, but litert-torch keeps torch's NCHW.
    """
    height, width = spec.resolution
    nchw, nhwc = (1, 3, height, width), (1, height, width, 3)
    wanted, *others = (nchw,) if graph.format == "onnx" else (nhwc, nchw)
    shapes = [graph.values[name].shape for name in graph.inputs]
    if len(shapes) != 1 or not any(_fits(shapes[0], shape) for shape in (wanted, *others)):
        have = ", ".join(str(list(shape or ())) for shape in shapes)
        raise UsageError(f"{graph.source} takes {have}, where {spec.name} takes {list(wanted)}")


def _fits(shape: tuple[int, ...] | None, wanted: tuple[int, ...]) -> bool:
    """Return whether they are the same; a side that the file leaves open is negative."""
    if shape is None or len(shape) != len(wanted):
        return False
    return all(have in (want, -1) for have, want in zip(shape, wanted, strict=True))


def _seed(path: Path, origin: Origin, weights: Path | None) -> int:
    """Return the seed of seeded weights, once it is clear that the right weights are at hand."""
    kind, _, value = origin.weights.partition(":")
    if kind == "seed" and weights is None and value.isdigit():
        return int(value)
    if weights is None:
        raise UsageError(f"{path} was made from a checkpoint; give it with --weights")
    if origin.weights not in ("", weights_identity(weights, 0)):
        raise UsageError(f"{path} was made from other weights ({origin.weights}) than {weights}")
    return 0


def _compare(
    path: Path, data: bytes, origin: Origin, weights: Path | None, seed: int
) -> Verification:
    from ghostdeploy.lowering import parity
    from ghostdeploy.lowering.deploy import DeployNetwork, reference_outputs
    from ghostdeploy.lowering.to_onnx import to_onnx

    assert isinstance(origin.spec, ModelSpec)
    network = build_network(origin.spec, weights, seed)
    images = parity.example_inputs(origin.spec, origin.export)
    candidate = _open(path, data, images[1])
    outputs = [list(candidate.run(image).values()) for image in images]
    pairs = []
    for image, got in zip(images, outputs, strict=True):
        expected = reference_outputs(network, origin.export, image)
        pairs.append((expected, _in_order(path, expected, got)))
    # What takes long comes last: a file that does not fit is refused before.
    exported = to_onnx(DeployNetwork(network, origin.export), origin.spec.resolution)
    layers = parity.layer_errors(exported.torch_values(images[1]), candidate.inner)
    judged = parity.compare(path.suffix[1:], candidate.runtime, origin.precision, pairs, layers)
    return Verification(judged, layers)


def _known_origin(path: Path, data: bytes) -> Origin | None:
    """Return what a file says of itself, None for one of others, which says nothing."""
    try:
        return origin_of(path, data)
    except InputFileError:
        raise
    except UsageError:
        return None


def _compare_foreign(
    path: Path, data: bytes, reference: NetworkReference, precision: str
) -> Verification:
    """Compare a file with a network of the user's, which it was exported from or is said to be."""
    from ghostdeploy.commands.export.foreign import open_foreign
    from ghostdeploy.commands.export.request import ExportRequest
    from ghostdeploy.lowering import parity
    from ghostdeploy.lowering.inner_tensors import compare_inner

    network = open_foreign(reference)
    export = ExportOptions()
    if made := _known_origin(path, data):
        export, precision = made.export, made.precision
        if isinstance(made.spec, ForeignSpec) and made.spec.identity != network.spec.identity:
            raise InputFileError(
                f"{path} was made from another {made.spec.source}: its graph or weights differ"
            )
    plain = replace(export, labels=())
    model = network.lower(ExportRequest(network.spec, export=plain), None, {})
    candidate = _open(path, data, model.inputs[1])
    pairs = []
    for given, expected in zip(model.inputs, model.references, strict=True):
        got = candidate.run(given)
        named = all(name in got for name in model.outputs)
        ordered = [got[name] for name in model.outputs] if named else list(got.values())
        pairs.append((expected, ordered if named else _in_order(path, expected, ordered)))
    tolerance = parity.TOLERANCES[precision].layers
    layers = compare_inner(model.inner, candidate.inner, model.model, tolerance)
    judged = parity.compare(path.suffix[1:], candidate.runtime, precision, pairs, layers)
    return Verification(judged, layers, model.truth, model.lines)


def _open(path: Path, data: bytes, image: Inputs) -> Candidate:
    from ghostdeploy.commands.proof import open_onnx, open_tflite

    if path.suffix == ".tflite":
        return open_tflite(data, image, path.name)
    import onnx

    from ghostdeploy.lowering.onnx_files import read_whole_onnx

    data = read_whole_onnx(path)
    model = onnx.load_from_string(data)
    outputs = [o.name for o in model.graph.output]
    inner = [n for node in model.graph.node for n in node.output if n and n not in outputs]
    return open_onnx(model, data, outputs, inner, image, path.name)


def _turn_back(array: Array) -> Array:
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array


def _in_order(path: Path, expected: Sequence[Array], got: Sequence[Array]) -> list[Array]:
    """Return ``got`` in the order of ``expected``, by shape.

    A file of others names its outputs in its own way, and may give maps in torch's layout, which
    were then turned once too often.
    """
    by_shape = {tuple(a.shape): a for a in (*map(_turn_back, got), *got)}
    try:
        return [by_shape[tuple(a.shape)] for a in expected]
    except KeyError as error:
        shapes = ", ".join(str(list(a.shape)) for a in got)
        raise UsageError(f"{path} gives outputs of shape {shapes}, not the network's") from error
