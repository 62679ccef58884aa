"""``ghostdeploy quantize``, and the calibrated half of ``export``: float file → int8 → report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostdeploy.commands.refine import refined
from ghostdeploy.errors import ConversionError, InputFileError, UsageError
from ghostdeploy.progress import Progress, silent
from ghostdeploy.quantize import INT8_REWRITES, QuantizeOptions, recipe
from ghostdeploy.quiet import captured
from ghostdeploy.records import to_json, write_atomic
from ghostdeploy.types import Artifact, Calibration, Quantization, QuantizationError

if TYPE_CHECKING:
    from ghostdeploy.images import Preprocessing
    from ghostdeploy.lint.graph import Graph
    from ghostdeploy.quantize.calibration import CalibrationData
    from ghostdeploy.quantize.ranges import Range

NOT_FLOAT32 = {"int8", "uint8", "int16", "float16"}
REPORTED = 16  # held-out inputs whose inner tensors are compared


@dataclass(frozen=True)
class Quantized:
    """A quantized file, what it is, and what was rewritten in it."""

    data: bytes
    quantization: Quantization
    rewrites: dict[str, int]


def quantize_file(
    path: Path,
    precision: str,
    options: QuantizeOptions,
    out: Path | None = None,
    progress: Progress = silent,
) -> Artifact:
    """A float model file in a calibrated ``precision``, written beside it or to ``out``.

    Raises InputFileError for a file that is not a float model of one image, UsageError where its
    format does not go with the precision; nothing is written then.
    """
    from ghostdeploy.commands.bench import artifact_of
    from ghostdeploy.commands.export import sidecar
    from ghostdeploy.commands.inputs import preprocessing
    from ghostdeploy.lint import read_graph

    graph = read_graph(path)
    _check_float(graph)
    format, formats = graph.format, recipe(precision).formats
    if format not in formats:
        raise UsageError(f"{path}: {precision} is made of a .{formats[0]} file")
    target = out or path.with_name(f"{_float_stem(path)}_{precision}{path.suffix}")
    if target.resolve() == path.resolve():
        raise UsageError(f"{target} is the float model itself; give another file with --out")
    if options.ranges == "bn":
        raise UsageError(f"bn ranges need the network, which {path.name} has no more: give MODEL")
    known, options = artifact_of(path), replace(options, equalize=False)  # it takes the network
    how = preprocessing(path, graph, options.crop)
    options.check(precision, rgb255=how.rgb255)
    original = path.read_bytes()
    with captured():
        data = calibration_data(options, how, progress)
        if format == "onnx":
            quantized, made = quantize_onnx(original, options, data)
        else:
            done = quantize_tflite(original, precision, options, how, data, progress)
            quantized, made = done.data, done.quantization
    artifact = replace(
        known,
        path=target.name,
        sha256=hashlib.sha256(quantized).hexdigest(),
        size_bytes=len(quantized),
        precision=precision,
        content_key="",  # no export has this key: one of the same name is made again
        op_counts=_op_counts(quantized, target),
        quantization=made,
    )
    sidecar(target).unlink(missing_ok=True)
    write_atomic(target, quantized)
    write_atomic(sidecar(target), to_json(artifact))
    return replace(artifact, path=str(target))


def _op_counts(data: bytes, path: Path) -> dict[str, int]:
    from ghostdeploy import flatbuffer
    from ghostdeploy.lint import read_onnx, read_tflite

    if path.suffix == ".tflite":
        return read_tflite.graph_of(flatbuffer.load(data, path.name), path.name).op_counts()
    import onnx

    return read_onnx.graph_of(onnx.load_from_string(data), path.name).op_counts()


def _float_stem(path: Path) -> str:
    return path.stem.replace("_fp32", "")


def _check_float(graph: Graph) -> None:
    """Raises InputFileError for a model that is quantized, or in half precision."""
    types = {value.dtype for value in graph.values.values()}
    if found := ", ".join(sorted(types & NOT_FLOAT32)):
        raise InputFileError(
            f"{graph.source} is quantized already (it holds {found}); give the fp32 file"
        )


def write_report(artifact: Artifact, path: Path) -> None:
    """Every layer's SNR in graph order: .csv, .json, or .png (a plot)."""
    from ghostdeploy.report.quantization import FORMATS

    if path.suffix not in FORMATS:
        raise UsageError(f"a layer report ends in {', '.join(FORMATS)}, not {path.suffix!r}")
    made = artifact.quantization
    if made is None or made.error is None:
        raise UsageError(f"{artifact.path} has no error report")
    write_atomic(path, FORMATS[path.suffix](f"{artifact.name} {artifact.precision}", made.error))


def calibration_data(
    options: QuantizeOptions, how: Preprocessing, progress: Progress = silent
) -> CalibrationData:
    """The images that ``options`` names, or synthetic ones."""
    from ghostdeploy.quantize import calibration

    if options.calibration is None:
        return calibration.synthetic(how, options.size, options.seed)
    return calibration.load(options.calibration, how, options.size, options.seed, progress)


def quantize_tflite(
    model: bytes,
    precision: str,
    options: QuantizeOptions,
    how: Preprocessing,
    data: CalibrationData,
    progress: Progress = silent,
    bounds: Mapping[str, Range] | None = None,
) -> Quantized:
    """A float TFLite file of ours in a calibrated ``precision``, with its error report.

    ``bounds`` limit the ranges of modules. Raises InputFileError for a file that is not float or
    cannot be run, and ConversionError where the quantizer stops or leaves an operator in float
    that nobody asked to keep.
    """
    from ghostdeploy.export import apart
    from ghostdeploy.quantize import ranges

    if options.halves == "apart":
        model = apart.keep_apart(model)
    try:
        observed = ranges.observe(model, data.inputs, progress)
    except (RuntimeError, ValueError) as error:
        line = str(error).strip().split("\n", 1)[0][:160]
        raise InputFileError(f"the model cannot be run here to calibrate it: {line}") from error
    picked = ranges.chosen(model, observed, options.ranges, how.limits, bounds)
    made = _Maker(model, precision, options, data, picked)
    if options.auto_mixed is not None:
        return _auto_mixed(made, options.auto_mixed, progress)
    return made.make(options.keep_float)


def quantize_onnx(
    model: bytes, options: QuantizeOptions, data: CalibrationData
) -> tuple[bytes, Quantization]:
    """A float ONNX file with QDQ pairs, and how far its logits are from fp32's."""
    import numpy as np
    import onnx

    from ghostdeploy.export.parity import onnx_runner
    from ghostdeploy.quantize import error, qdq

    if options.auto_mixed is not None:
        raise UsageError("auto-mixed is for TFLite; name ONNX nodes with --keep-float")
    proto = onnx.load_from_string(model)
    names = [node.name for node in proto.graph.node]
    for layer in options.keep_float:
        if not any(_belongs(name, layer) for name in names):
            raise UsageError(f"no layer is called {layer!r} in the ONNX file")
    keep = tuple(n for n in names if any(_belongs(n, layer) for layer in options.keep_float))
    quantized = qdq.quantize(model, data.inputs, replace(options, keep_float=keep))
    quantized = _with_facts(quantized, data.identity)
    (output,) = (value.name for value in proto.graph.output)
    before, after = (
        np.concatenate([run(x[None])[output] for x in data.held_out])
        for run in (onnx_runner(model, [output]), onnx_runner(quantized, [output]))
    )
    return quantized, Quantization(
        method="onnxruntime.quantization",
        calibration=data.identity,
        switches=options.switches,
        kept_float=options.keep_float,
        error=error.output_error(before, after),
    )


def _with_facts(model: bytes, calibration: Calibration) -> bytes:
    """The ONNX file, which says itself what it is."""
    import onnx

    proto = onnx.load_from_string(model)
    facts = {entry.key: entry.value for entry in proto.metadata_props}
    facts["ghostdeploy.precision"] = "int8-qdq"
    facts["ghostdeploy.calibration"] = json.dumps(asdict(calibration), sort_keys=True)
    onnx.helper.set_model_props(proto, facts)
    return bytes(proto.SerializeToString())


def _belongs(node: str, layer: str) -> bool:
    return node == layer or node.startswith((f"{layer}/", f"{layer}."))


@dataclass(frozen=True)
class _Maker:
    """One float model and its ranges, to be quantized with one set of float layers or another."""

    model: bytes
    precision: str
    options: QuantizeOptions
    data: CalibrationData
    ranges: dict[int, Range]

    def make(self, keep_float: Sequence[str]) -> Quantized:
        (data,), rewrites = self._files([keep_float])
        if not keep_float:
            _refuse_float(data, self.precision)
        quantization = Quantization(
            method="TensorFlow's MLIR quantizer"
            if recipe(self.precision).activations == "int8"
            else "TensorFlow's quantizer",
            calibration=self.data.identity,
            switches=self.options.switches,
            kept_float=tuple(keep_float),
            error=self.report(data),
            kernels=kernels(data),
        )
        return Quantized(data, quantization, rewrites)

    def snr_each(self, keeps: Sequence[Sequence[str]]) -> list[float]:
        """The output SNR (dB) with each of several sets of layers in float."""
        files, _ = self._files(keeps)
        held_out = self.data.held_out
        return [output_error(self.model, data, held_out).snr_db for data in files]

    def _files(self, keeps: Sequence[Sequence[str]]) -> tuple[list[bytes], dict[str, int]]:
        from ghostdeploy.quantize import tflite

        names = [float_nodes(self.model, keep) for keep in keeps]
        made = [
            finish(raw, self.model, self.precision, self.data.identity)
            for raw in tflite.quantize(
                self.model,
                self.precision,
                self.ranges,
                self.data.inputs,
                names,
                per_channel=self.options.per_channel,
            )
        ]
        files = [refined(data, self.model, self.options, self.data.inputs) for data, _ in made]
        return files, made[0][1]

    def report(self, data: bytes) -> QuantizationError:
        from ghostdeploy.quantize import error

        largest = {i: max(abs(low), abs(high)) for i, (low, high) in self.ranges.items()}
        found = error_report(self.model, data, self.data.held_out)
        return replace(found, concatenations=error.concatenations(self.model, largest))


def float_nodes(model: bytes, layers: Sequence[str]) -> tuple[str, ...]:
    """The operators (by output tensor) of ``layers``: modules or tensors, by name or beginning.

    Raises UsageError for one that the model does not have.
    """
    from ghostdeploy import flatbuffer

    graph = flatbuffer.load(model, "the model").subgraphs[0]
    names = [(graph.tensors[op.outputs[0]].name or b"").decode() for op in graph.operators]
    found: list[str] = []
    for layer in layers:
        own = [name for name in names if _belongs(name, layer)]
        if not own:
            near = ", ".join(sorted({n.rpartition("/")[0] for n in names} - {""})[:3])
            raise UsageError(f"no layer is called {layer!r}; there are {near} …")
        found += own
    return tuple(sorted(set(found)))


def _auto_mixed(made: _Maker, target_db: float, progress: Progress) -> Quantized:
    """Keep blocks in float, the most helpful first, until the output's SNR is ``target_db``.

    How helpful a block is, is measured: one at a time in float, all others quantized.
    Raises ConversionError where all of them do not suffice.
    """
    result = made.make(made.options.keep_float)
    if _snr(result) >= target_db:
        return result
    kept, blocks = made.options.keep_float, blocks_of(made.model)
    progress(0, 2, f"output SNR {_snr(result):.1f} dB; each block in float")
    gains = dict(zip(blocks, made.snr_each([(*kept, b) for b in blocks]), strict=True))
    ranked = sorted(blocks, key=lambda block: -gains[block])
    progress(1, 2, "more and more blocks in float")
    sets = [(*kept, *ranked[:count]) for count in range(1, len(ranked) + 1)]
    reached = made.snr_each(sets)
    for keep, snr in zip(sets, reached, strict=True):
        if snr >= target_db:
            return made.make(keep)
    raise ConversionError(
        f"an output SNR of {target_db:g} dB is out of reach: with every block in float it is"
        f" {reached[-1]:.1f} dB; use --precision fp16"
    )


def _snr(made: Quantized) -> float:
    assert made.quantization.error is not None
    return made.quantization.error.snr_db


def blocks_of(model: bytes) -> list[str]:
    """The parts that ``auto_mixed`` chooses from: ``conv_stem``, ``blocks.2.0``, ``classifier`` …

    In a file of others, whatever its tensors' names begin with.
    """
    from ghostdeploy import flatbuffer

    graph = flatbuffer.load(model, "the model").subgraphs[0]
    names = [(graph.tensors[op.outputs[0]].name or b"").decode() for op in graph.operators]
    modules = [name.rpartition("/")[0] or name for name in names]
    parts = [m.split(".")[: 3 if m.startswith("blocks.") else 1] for m in modules]
    return list(dict.fromkeys(".".join(part) for part in parts))


def finish(
    raw: bytes, original: bytes, precision: str, calibration: Calibration
) -> tuple[bytes, dict[str, int]]:
    """Rewrite a quantized model, and give it the names, signature and metadata of the original."""

    from ghostdeploy import flatbuffer
    from ghostdeploy.export import metadata, tidy
    from ghostdeploy.export.rewrites import apply_rewrites

    source = flatbuffer.load(original, "the model")
    model = flatbuffer.load(raw, "the quantized model")
    int8 = recipe(precision).activations == "int8"  # int16 kernels lack what the rewrites use
    rewrites = apply_rewrites(model, INT8_REWRITES) if int8 else {}
    graph = source.subgraphs[0]
    inputs, outputs = (
        [(graph.tensors[int(i)].name or b"").decode() for i in indices]
        for indices in (graph.inputs, graph.outputs)
    )
    for index, name in zip(model.subgraphs[0].outputs, outputs, strict=True):
        model.subgraphs[0].tensors[int(index)].name = name.encode()
    tidy.set_signature(model, inputs[0], outputs)
    model.description = source.description
    facts = metadata.read_facts(source)
    images = json.dumps(asdict(calibration), sort_keys=True)
    own = {"ghostdeploy.precision": precision, "ghostdeploy.calibration": images}
    metadata.add_facts(model, facts | own)
    metadata.copy_metadata(source, model)
    tidy.drop_unused(model)
    return metadata.attach(flatbuffer.dump(model), metadata.attached(original)), rewrites


def _refuse_float(data: bytes, precision: str) -> None:
    """Raises ConversionError naming an operator that the quantizer left in float."""
    from ghostdeploy import flatbuffer
    from ghostdeploy.flatbuffer import schema

    model = flatbuffer.load(data, "the quantized model")
    graph, codes = model.subgraphs[0], model.operatorCodes
    casts = {schema().BuiltinOperator.QUANTIZE, schema().BuiltinOperator.DEQUANTIZE}
    for op in graph.operators:
        code, made = codes[op.opcodeIndex].builtinCode, graph.tensors[int(op.outputs[0])]
        if code not in casts and made.type == schema().TensorType.FLOAT32:
            name = (made.name or b"").decode()
            raise ConversionError(
                f"{name} has no {precision} form in TensorFlow Lite; name it with --keep-float"
            )


def kernels(data: bytes) -> int | None:
    """XNNPACK's partitions of a model, None where the runtime here cannot tell."""
    import tempfile

    from ghostdeploy.lint.partitions import measure

    with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
        file.write(data)
        file.flush()
        found = measure(Path(file.name))
    return found.kernels if found else None


def error_report(reference: bytes, data: bytes, images: Any) -> QuantizationError:
    """What ``data`` lost against ``reference`` (both TFLite) on ``images`` (N, 3, H, W)."""
    from ghostdeploy import flatbuffer
    from ghostdeploy.export.parity import tflite_inspector
    from ghostdeploy.quantize import error

    before, after = tflite_inspector(reference), tflite_inspector(data)
    ends = error.ends_of(flatbuffer.load(data, "the quantized model"))
    sums = error.LayerSums()
    for image in images[:REPORTED]:
        sums.add(before(image[None]), after(image[None]), ends)
    return replace(output_error(reference, data, images), layers=sums.errors())


def output_error(reference: bytes, data: bytes, images: Any) -> QuantizationError:
    """How far the logits of two TFLite files are apart on ``images`` (N, 3, H, W)."""
    import numpy as np

    from ghostdeploy.export.parity import tflite_runner
    from ghostdeploy.quantize import error

    runs = [tflite_runner(model) for model in (reference, data)]
    first, second = (
        np.concatenate([next(iter(run(x[None]).values())).reshape(1, -1) for x in images])
        for run in runs
    )
    return error.output_error(first, second)
