"""``ghostdeploy verify``: is this file the torch network's function, layer by layer?"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostdeploy import flatbuffer
from ghostdeploy.commands.export import network_of, sidecar, weights_id
from ghostdeploy.errors import InputFileError, MissingExtraError, UsageError
from ghostdeploy.quiet import captured
from ghostdeploy.records import read_artifact
from ghostdeploy.schema import ExportOptions, ModelSpec, Parity
from ghostdeploy.typed_json import decode

if TYPE_CHECKING:
    from ghostdeploy.lint.graph import Graph


@dataclass(frozen=True)
class Origin:
    """What a model file says it was made from. ``weights`` is ``seed:N`` or ``sha256:…``."""

    spec: ModelSpec
    export: ExportOptions
    precision: str
    weights: str


@dataclass(frozen=True)
class Verification:
    """The comparison, and each inner tensor's relative L2 in graph order."""

    parity: Parity
    layers: dict[str, float]


def verify(
    path: Path, *, origin: Origin | None = None, weights: Path | None = None
) -> Verification:
    """Compare a model file with its torch network. ``origin`` is needed for a file of others.

    An ``origin`` without a precision has the file's own. Raises InputFileError for a file that is
    not a model, and UsageError where it does not say what it was made from, is of another
    precision than ``origin``'s, or was made from a checkpoint that is not given.
    """
    from ghostdeploy.lint import read_graph

    graph = read_graph(path)  # one line for whatever is wrong with the file
    data = path.read_bytes()
    known = origin or origin_of(path, data)
    _check_input(graph, known.spec)
    if origin:
        known = _judged_as(graph, origin)
    seed = _seed(path, known, weights)
    with captured():
        return _compare(path, data, known, weights, seed)


def _judged_as(graph: Graph, origin: Origin) -> Origin:
    """Raises UsageError for a precision that is not the file's: another tolerance goes with it."""
    own = precision_of(graph)
    if origin.precision not in ("", own):
        raise UsageError(f"{graph.source} is {own}, not {origin.precision}")
    return replace(origin, precision=own)


def precision_of(graph: Graph) -> str:
    """The row of ``quantize.RECIPES`` that a file's tensors tell of."""
    computed = {value.dtype for value in graph.values.values() if not value.constant}
    stored = {value.dtype for value in graph.values.values() if value.constant}
    if any(node.native == "DequantizeLinear" for node in graph.nodes):
        return "int8-qdq"
    if "int16" in computed:
        return "int16x8"
    if "int8" in computed:
        float_io = graph.values[graph.inputs[0]].dtype == "float32"
        return "int8-float-io" if float_io else "int8"
    if "int8" in stored:
        return "dynamic"
    return "fp16" if "float16" in stored | computed else "fp32"


def _check_input(graph: Graph, spec: ModelSpec) -> None:
    """Raises UsageError unless the file takes one image of the network's size."""
    height, width = spec.resolution
    wanted = (1, 3, height, width) if graph.format == "onnx" else (1, height, width, 3)
    shapes = [graph.values[name].shape for name in graph.inputs]
    if len(shapes) != 1 or not _fits(shapes[0], wanted):
        have = ", ".join(str(list(shape or ())) for shape in shapes)
        raise UsageError(f"{graph.source} takes {have}, where {spec.name} takes {list(wanted)}")


def _fits(shape: tuple[int, ...] | None, wanted: tuple[int, ...]) -> bool:
    """Whether they are the same; a side that the file leaves open is negative."""
    if shape is None or len(shape) != len(wanted):
        return False
    return all(have in (want, -1) for have, want in zip(shape, wanted, strict=True))


def origin_of(path: Path, data: bytes) -> Origin:
    """From the file's own metadata, or from the sidecar next to it where that fits the file."""
    try:
        artifact = read_artifact(sidecar(path))
        if artifact.spec and artifact.sha256 == hashlib.sha256(data).hexdigest():
            return Origin(artifact.spec, artifact.export, artifact.precision, artifact.weights)
    except InputFileError:
        pass
    try:
        facts = _facts(path, data)
        if "ghostdeploy.spec" not in facts:
            raise UsageError(f"{path} does not say which network it is; name it with --model")
        spec = decode(path, ModelSpec, json.loads(facts["ghostdeploy.spec"]))
        options = json.loads(facts["ghostdeploy.export"]) | {"labels": []}
        export = decode(path, ExportOptions, options)
        return Origin(spec, export, facts["ghostdeploy.precision"], facts["ghostdeploy.weights"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputFileError(f"{path}: its ghostdeploy metadata is damaged") from error


def _facts(path: Path, data: bytes) -> dict[str, str]:
    if path.suffix == ".onnx":
        import onnx

        return {p.key: p.value for p in onnx.load_from_string(data).metadata_props}
    from ghostdeploy.export.metadata import read_facts

    return read_facts(flatbuffer.load(data, str(path)))


def _seed(path: Path, origin: Origin, weights: Path | None) -> int:
    """The seed of seeded weights, once it is clear that the right weights are at hand."""
    kind, _, value = origin.weights.partition(":")
    if kind == "seed" and weights is None and value.isdigit():
        return int(value)
    if weights is None:
        raise UsageError(f"{path} was made from a checkpoint; give it with --weights")
    if origin.weights not in ("", weights_id(weights, 0)):
        raise UsageError(f"{path} was made from other weights ({origin.weights}) than {weights}")
    return 0


def _compare(
    path: Path, data: bytes, origin: Origin, weights: Path | None, seed: int
) -> Verification:
    from ghostdeploy.export import parity
    from ghostdeploy.export.deploy import DeployNetwork, reference_outputs
    from ghostdeploy.export.to_onnx import to_onnx

    network = network_of(origin.spec, weights, seed)
    exported = to_onnx(DeployNetwork(network, origin.export), origin.spec.resolution)
    images = parity.example_inputs(origin.spec, origin.export)
    try:
        run, inner, runtime = _candidate(path, data, images[1])
        outputs = [list(run(image).values()) for image in images]
    except MissingExtraError:
        raise
    except Exception as error:  # onnxruntime has many kinds of its own, LiteRT raises Python's
        line = str(error).strip().split("\n", 1)[0][:160]
        raise InputFileError(f"{path} cannot be run here: {line}") from error
    layers = parity.layer_errors(exported.torch_values(images[1]), inner)
    pairs = []
    for image, got in zip(images, outputs, strict=True):
        expected = reference_outputs(network, origin.export, image)
        pairs.append((expected, _in_order(path, expected, got)))
    judged = parity.compare(path.suffix[1:], runtime, origin.precision, pairs, layers)
    return Verification(judged, layers)


def _candidate(path: Path, data: bytes, image: Any) -> tuple[Any, dict[str, Any], str]:
    """A function from an image to the outputs, the inner tensors for one image, the runtime."""
    from ghostdeploy.export import inference
    from ghostdeploy.export.provenance import tool_versions

    if path.suffix == ".tflite":
        version = tool_versions()["ai-edge-litert"]
        inner = inference.load_tflite_layers(data)(image)
        return inference.load_tflite(data), inner, f"LiteRT {version}"
    import onnx

    from ghostdeploy.export.to_onnx import with_all_values

    model = onnx.load_from_string(data)
    outputs = [o.name for o in model.graph.output]
    names = [n for node in model.graph.node for n in node.output if n and n not in outputs]
    inner = inference.load_onnx(with_all_values(model, names), names)(image)
    version = tool_versions()["onnxruntime"]
    return inference.load_onnx(data, outputs), inner, f"onnxruntime {version}"


def _in_order(path: Path, expected: list[Any], got: list[Any]) -> list[Any]:
    """``got`` in the order of ``expected``, by shape: a file of others names things its own way."""
    by_shape = {tuple(a.shape): a for a in got}
    try:
        return [by_shape[tuple(a.shape)] for a in expected]
    except KeyError as error:
        shapes = ", ".join(str(list(a.shape)) for a in got)
        raise UsageError(f"{path} gives outputs of shape {shapes}, not the network's") from error
