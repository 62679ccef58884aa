"""What a model file says it was made from, and the precision that its tensors tell of."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from ghostdeploy import flatbuffer
from ghostdeploy.commands.artifacts import read_own_sidecar
from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.linting.graph import Graph
from ghostdeploy.schema import ExportOptions, ForeignSpec, ModelSpec
from ghostdeploy.typed_json import decode


@dataclass(frozen=True)
class Origin:
    """What a model file says it was made from. ``weights`` is ``seed:N`` or ``sha256:…``."""

    spec: ModelSpec | ForeignSpec
    export: ExportOptions
    precision: str
    weights: str


def origin_of(path: Path, data: bytes) -> Origin:
    """Return what ``data``, the content of ``path``, was made from.

    Its sidecar says so, where that is of these very bytes, or its own metadata. Raises UsageError
    for a file that does not say, InputFileError for damaged metadata.
    """
    known = read_own_sidecar(path, hashlib.sha256(data).hexdigest())
    if known and known.spec:
        return Origin(known.spec, known.export, known.precision, known.weights)
    try:
        facts = _read_facts(path, data)
        if "ghostdeploy.spec" not in facts:
            raise UsageError(f"{path} does not say which network it is; name it with --model")
        spec = _read_spec(path, json.loads(facts["ghostdeploy.spec"]))
        options = json.loads(facts["ghostdeploy.export"]) | {"labels": []}
        export = decode(path, ExportOptions, options)
        return Origin(spec, export, facts["ghostdeploy.precision"], facts["ghostdeploy.weights"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputFileError(f"{path}: its ghostdeploy metadata is damaged") from error


def _read_spec(path: Path, found: object) -> ModelSpec | ForeignSpec:
    foreign = isinstance(found, dict) and "source" in found
    return decode(path, ForeignSpec, found) if foreign else decode(path, ModelSpec, found)


def _read_facts(path: Path, data: bytes) -> dict[str, str]:
    if path.suffix == ".onnx":
        import onnx

        return {p.key: p.value for p in onnx.load_from_string(data).metadata_props}
    from ghostdeploy.lowering.metadata import read_facts

    return read_facts(flatbuffer.load(data, str(path)))


def precision_of(graph: Graph) -> str:
    """Return the row of ``quantization.RECIPES`` that a file's tensors tell of."""
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
