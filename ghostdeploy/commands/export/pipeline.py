"""``ghostdeploy export``: build, lower, lint, prove, write."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostdeploy import zoo
from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import CheckFailed, InputFileError, MissingExtraError, UsageError
from ghostdeploy.export.content import content_key, tool_versions
from ghostdeploy.export.rewrites import Form
from ghostdeploy.progress import Progress, silent
from ghostdeploy.quantize import QuantizeOptions, float_rewrites, int8_rewrites, recipe
from ghostdeploy.quiet import captured
from ghostdeploy.records import ensure_writable, read_artifact, to_json, write_atomic
from ghostdeploy.schema import (
    Artifact,
    ExportOptions,
    GraphReport,
    ModelSpec,
    Parity,
    Quantization,
)

if TYPE_CHECKING:
    from ghostdeploy.export.deploy import DeployForm
    from ghostdeploy.export.parity import Array
    from ghostdeploy.export.tflite import Converter, Finished
    from ghostdeploy.export.to_onnx import Exported
    from ghostdeploy.images.decoding import Preprocessing
    from ghostdeploy.quantize.calibration import CalibrationData
    from ghostdeploy.quantize.ranges import Range

FORMATS = ("onnx", "tflite")
CHECKPOINTS = (".pth", ".pt", ".tar", ".safetensors", ".bin", ".ckpt")
LICENSE = "Apache-2.0"


@dataclass(frozen=True)
class ExportRequest:
    """What to export. ``weights`` is a checkpoint, None for seeded weights.

    ``quantize`` says how a calibrated precision is made; the others make nothing of it.

    Raises UsageError for an unknown format or precision, or labels that do not fit.
    """

    spec: ModelSpec
    formats: tuple[str, ...] = FORMATS
    precision: str = "fp32"
    weights: Path | None = None
    seed: int = 0
    export: ExportOptions = ExportOptions()
    out: Path = Path("models")
    force: bool = False
    quantize: QuantizeOptions = QuantizeOptions()

    def __post_init__(self) -> None:
        come = recipe(self.precision).formats
        for format in self.formats:
            if format not in FORMATS:
                raise UsageError(f"format must be one of {', '.join(FORMATS)}, not {format!r}")
            if format not in come:
                raise UsageError(f"{self.precision} comes as {', '.join(come)}, not as {format}")
        if self.export.features and recipe(self.precision).calibrated:
            raise UsageError(f"{self.precision} is judged by its logits: leave out --features")
        if recipe(self.precision).calibrated:
            self.quantize.check(self.precision, rgb255=self.export.embed_preprocessing)
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"seed must be 0 to 2**32-1, not {self.seed}")
        options = self.spec.options
        if "tflite" in self.formats and getattr(options, "up", "") == "bicubic":
            raise UsageError("TFLite has no bicubic resize; use --format onnx or up=bilinear")
        labels, classes = len(self.export.labels), self.spec.num_classes
        if self.export.features and (labels or self.export.softmax):
            raise UsageError("feature maps have no classes: leave out --softmax and --labels")
        if labels not in (0, classes):
            raise UsageError(f"{labels} labels do not fit {classes} classes")

    def path(self, format: str) -> Path:
        """Where the file lands: the name says what is inside."""
        parts = [self.spec.name, self.precision]
        parts += [
            word
            for word, wanted in (
                ("features", self.export.features),
                ("softmax", self.export.softmax),
                ("rgb255", self.export.embed_preprocessing),
                ("uint8", self.precision == "int8" and self.quantize.input_type == "uint8"),
                (f"seed{self.seed}", self.seed and self.weights is None),
                (_slug(self.weights), self.weights is not None),
                (form_of(self.export).title, format == "tflite"),
            )
            if word and wanted
        ]
        return self.out / f"{'_'.join(parts)}.{format}"


def _rewrites(request: ExportRequest) -> tuple[str, ...]:
    """Of the float form; one that is to be quantized has fewer: each operator rounds once more."""
    quantized = float_rewrites(request.precision, request.export.speed)
    if quantized is None:
        return form_of(request.export).names
    return tuple(name for name in quantized if name not in request.export.without)


def form_of(export: ExportOptions) -> Form:
    """Which rewrites the TFLite graph gets."""
    return Form(export.without, export.speed)


def _slug(path: Path | None) -> str:
    """The checkpoint's name without its endings; v0.1 and v0.2 are not one file."""
    stem = path.name if path else ""
    while stem.endswith(CHECKPOINTS):
        stem = stem.rpartition(".")[0]
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in stem)[:40]


@dataclass(frozen=True)
class ExportResult:
    """One file. ``reused`` when it was there already with the same content key."""

    artifact: Artifact
    reused: bool
    report: GraphReport | None = None


def export(request: ExportRequest, progress: Progress = silent) -> list[ExportResult]:
    """Export every format of ``request`` that is not there already.

    Each file is compared with the torch network and linted before it gets its name. Raises
    UsageError and its kinds, ConversionError, or CheckFailed when it is not the same function
    or its graph breaks the DFC contract; nothing is written then.
    """
    ensure_writable(request.out)
    weights = weights_id(request.weights, request.seed)
    data = calibration_of(request, progress)
    # Not the folder's path: its images decide.
    quantized = (replace(request.quantize, calibration=None), data.identity) if data else None
    keys = {
        f: content_key(request.spec, request.export, weights, f, request.precision, quantized)
        for f in request.formats
    }
    found = {} if request.force else _existing(request, keys)
    missing = [f for f in request.formats if f not in found]
    if missing:
        with captured():
            found |= _make(request, missing, keys, weights, data, progress)
    return [found[f] for f in request.formats]


def calibration_of(request: ExportRequest, progress: Progress = silent) -> CalibrationData | None:
    """The images that a calibrated precision is measured on; None for the other ones."""
    if not recipe(request.precision).calibrated:
        return None
    _require_packages()
    from ghostdeploy.quantize.calibration import gather

    return gather(request.quantize, preprocessing_of(request), progress)


def preprocessing_of(request: ExportRequest) -> Preprocessing:
    from ghostdeploy.images.decoding import Preprocessing

    rgb255, crop = request.export.embed_preprocessing, request.quantize.crop
    return Preprocessing(request.spec.resolution, rgb255, crop)


def read_labels(path: Path) -> tuple[str, ...]:
    """Class names, one a line. Raises InputFileError for what is not such a text."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputFileError(f"{path} is not a text file in UTF-8") from error
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines or not all(line.strip() for line in lines):
        raise InputFileError(f"{path} must hold one class name a line, without empty lines")
    return tuple(line.strip() for line in lines)


def weights_id(weights: Path | None, seed: int) -> str:
    """``seed:N`` or ``sha256:…``. Raises InputFileError for an unreadable file."""
    if weights is None:
        return f"seed:{seed}"
    if weights.is_dir():
        raise InputFileError(f"{weights} is a folder; --weights takes one checkpoint file")
    return f"sha256:{file_sha256(weights)}"


def sidecar(path: Path) -> Path:
    """Where a model file's description lies: ``NAME.tflite.json``."""
    return path.with_name(path.name + ".json")


def _existing(request: ExportRequest, keys: dict[str, str]) -> dict[str, ExportResult]:
    found = {}
    for format, key in keys.items():
        path = request.path(format)
        try:
            artifact = read_artifact(sidecar(path))
            same = artifact.content_key == key and artifact.sha256 == file_sha256(path)
        except InputFileError:
            continue
        if same:
            found[format] = ExportResult(replace(artifact, path=str(path)), reused=True)
    return found


@dataclass(frozen=True)
class _Model:
    """The torch network in the forms that export needs, and the inputs it is judged on."""

    form: DeployForm
    exported: Exported
    outputs: tuple[str, ...]
    inputs: list[Array]
    references: list[list[Array]]
    inner: dict[str, Array]
    facts: dict[str, str]
    bounds: dict[str, Range] | None = None  # of modules, where BN decides the ranges


def _make(
    request: ExportRequest,
    formats: Sequence[str],
    keys: dict[str, str],
    weights: str,
    data: CalibrationData | None,
    progress: Progress,
) -> dict[str, ExportResult]:
    steps = 2 + len(formats)
    with ExitStack() as stack:
        progress(0, steps, f"building {request.spec.name}")
        _require_packages()
        # TensorFlow's import takes seconds; it runs beside torch's export.
        from ghostdeploy.export.tflite import started

        converter = stack.enter_context(started()) if "tflite" in formats else None
        model = _torch_model(request, weights, data, progress, steps)
        proto = model.exported.model.SerializeToString()
        if converter:
            converter.start(proto, request.precision)
        made = {}
        # ONNX is proven even when only TFLite is wanted: it is the step between, and the
        # converter is busy meanwhile.
        progress(2, steps, "comparing ONNX with torch")
        onnx = _onnx(request, model, keys.get("onnx", ""), weights, data, progress)
        if "onnx" in formats:
            made["onnx"] = _write(request, "onnx", *onnx)
        if converter:
            progress(steps - 1, steps, "converting to TFLite")
            done = _tflite(request, model, keys["tflite"], weights, converter, data, progress)
            made["tflite"] = _write(request, "tflite", *done)
        progress(steps, steps, "done")
    return made


def _require_packages() -> None:
    from importlib.util import find_spec

    for module, package in (
        ("torch", "torch"),
        ("onnx", "onnx"),
        ("onnxruntime", "onnxruntime"),
        ("onnx2tf", "onnx2tf"),
        ("tensorflow", "tensorflow"),
        ("ai_edge_litert", "ai-edge-litert"),
    ):
        if find_spec(module) is None:
            raise MissingExtraError(package, "export")


def network_of(spec: ModelSpec, weights: Path | None, seed: int) -> Any:
    """The torch network with its weights, in eval mode."""
    network = zoo.build(spec)
    from ghostdeploy.zoo.weights import load_weights, seed_weights

    if weights is None:
        seed_weights(network, seed)
    else:
        load_weights(network, weights)
    return network


def _torch_model(
    request: ExportRequest,
    weights: str,
    data: CalibrationData | None,
    progress: Progress,
    steps: int,
) -> _Model:
    network = network_of(request.spec, request.weights, request.seed)
    from ghostdeploy.export.deploy import DeployForm, reference
    from ghostdeploy.export.parity import example_inputs
    from ghostdeploy.export.to_onnx import output_names, set_metadata, to_onnx

    form = DeployForm(network, request.export)
    if data and request.quantize.equalize:
        from ghostdeploy.quantize.equalize import equalize

        equalize(form, data.inputs)
    bounds = None
    if data and request.quantize.ranges == "bn":
        from ghostdeploy.quantize import bn

        folded = DeployForm(network, request.export)
        bounds = bn.bounds(network, folded.net, form.net)
    progress(1, steps, "exporting to ONNX")
    exported = to_onnx(form, request.spec.resolution)
    facts = _facts(request, weights)
    set_metadata(exported.model, facts)
    inputs = example_inputs(request.spec, request.export)
    return _Model(
        form=form,
        exported=exported,
        outputs=output_names(form),
        inputs=inputs,
        references=[reference(network, request.export, image) for image in inputs],
        inner=exported.torch_values(inputs[1]),
        facts=facts,
        bounds=bounds,
    )


@dataclass(frozen=True)
class FloatForm:
    """What a calibrated precision is made of: a float TFLite ``model``, images, BN's bounds."""

    model: bytes
    data: CalibrationData
    bounds: dict[str, Range] | None


def float_form(request: ExportRequest, progress: Progress = silent) -> FloatForm:
    """What ``export`` would quantize for ``request``, unproven: to quantize it in several ways."""
    data = calibration_of(request, progress)
    if data is None:
        raise UsageError(f"{request.precision} is not made of images")
    from ghostdeploy.export.tflite import started

    with captured(), started() as converter:
        weights = weights_id(request.weights, request.seed)
        model = _torch_model(request, weights, data, progress, 2)
        converter.start(model.exported.model.SerializeToString(), request.precision)
        return FloatForm(_converted(request, model, converter).data, data, model.bounds)


def _facts(request: ExportRequest, weights: str) -> dict[str, str]:
    """What every file says of itself, without its sidecar."""
    from ghostdeploy.images.normalization import describe

    export = asdict(request.export)
    labels = export.pop("labels")
    return {
        "ghostdeploy.version": tool_versions()["ghostdeploy"],
        "ghostdeploy.spec": json.dumps(asdict(request.spec), sort_keys=True),
        "ghostdeploy.export": json.dumps(export | {"labels": len(labels)}, sort_keys=True),
        "ghostdeploy.precision": request.precision,
        "ghostdeploy.weights": weights,
        "ghostdeploy.preprocessing": describe(request.export.embed_preprocessing),
        "ghostdeploy.tools": json.dumps(tool_versions(), sort_keys=True),
    }


def _onnx(
    request: ExportRequest,
    model: _Model,
    key: str,
    weights: str,
    calibration: CalibrationData | None,
    progress: Progress,
) -> tuple[bytes, Artifact, GraphReport]:
    from ghostdeploy.export import parity
    from ghostdeploy.export.to_onnx import to_fp16, with_all_values
    from ghostdeploy.lint import lint_graph, read_onnx

    proto = model.exported.model
    if request.precision == "fp16":
        proto = to_fp16(proto)
    data = proto.SerializeToString()
    path = request.path("onnx")
    report = lint_graph(read_onnx.graph_of(read_onnx.with_shapes(proto), path.name), request.spec)
    _refuse_errors(path, report)
    run = parity.onnx_runner(data, model.outputs)
    names = tuple(n for n in model.inner if n not in model.outputs)
    every = parity.onnx_runner(with_all_values(proto, names), names)
    layers = parity.layer_errors(model.inner, every(model.inputs[1]))
    proven = _prove(request, "onnx", "onnxruntime", model, run, layers)
    quantization = None
    if calibration and "onnx" in request.formats:
        from ghostdeploy.commands.quantize.onnx_model import quantize_onnx

        data, quantization = quantize_onnx(data, request.quantize, calibration, progress)
    made = _artifact(request, path, data, key, weights, report, proven, {}, quantization)
    return data, made, report


def _converted(request: ExportRequest, model: _Model, converter: Converter) -> Finished:
    """The float TFLite form, for fp32 and for what is quantized."""
    from ghostdeploy.export.metadata import Description
    from ghostdeploy.export.tflite import finish_tflite

    return finish_tflite(
        converter.finish(),
        values=[name for node in model.exported.model.graph.node for name in node.output],
        input_name=model.exported.model.graph.input[0].name,
        outputs=model.outputs,
        description=Description(
            name=request.spec.name,
            version=tool_versions()["ghostdeploy"],
            license=LICENSE,
            input=model.exported.model.graph.input[0].name,
            outputs=model.outputs,
            normalized=not request.export.embed_preprocessing,
            labels=request.export.labels,
        ),
        facts=model.facts,
        rewrites=_rewrites(request),
    )


def _tflite(
    request: ExportRequest,
    model: _Model,
    key: str,
    weights: str,
    converter: Converter,
    calibration: CalibrationData | None,
    progress: Progress,
) -> tuple[bytes, Artifact, GraphReport]:
    from ghostdeploy import flatbuffer
    from ghostdeploy.export import parity
    from ghostdeploy.lint import lint_graph, read_tflite

    path = request.path("tflite")
    finished = _converted(request, model, converter)
    data, rewrites, quantization = finished.data, finished.rewrites, None
    run = parity.tflite_runner(data)
    layers = parity.layer_errors(model.inner, parity.tflite_layers(data, model.inputs[1]))
    proven = _prove(request, "tflite", "LiteRT", model, run, layers)
    if calibration:  # what was just proven in fp32 is quantized
        from ghostdeploy.commands.quantize.tflite_model import quantize_tflite

        how = preprocessing_of(request)
        made = quantize_tflite(
            data,
            request.precision,
            request.quantize,
            how,
            calibration,
            progress,
            model.bounds,
            int8_rewrites(request.precision, request.export.without, request.export.speed),
        )
        data, rewrites, quantization = made.data, rewrites | made.rewrites, made.quantization
    graph = read_tflite.graph_of(flatbuffer.load(data, path.name), path.name)
    report = lint_graph(graph, request.spec)
    _refuse_errors(path, report)
    artifact = _artifact(request, path, data, key, weights, report, proven, rewrites, quantization)
    return data, artifact, report


def _refuse_errors(path: Path, report: GraphReport) -> None:
    if report.errors:
        first, rest = report.errors[0], len(report.errors) - 1
        more = f" (and {rest} more)" if rest else ""
        raise CheckFailed(f"{path.name}: {first.node}: {first.message}{more}")


def _prove(
    request: ExportRequest,
    format: str,
    runtime: str,
    model: _Model,
    run: Callable[[Array], dict[str, Array]],
    layers: dict[str, float],
) -> Parity:
    from ghostdeploy.export.parity import compare

    pairs = []
    for image, expected in zip(model.inputs, model.references, strict=True):
        got = run(image)
        pairs.append((expected, [got[name] for name in model.outputs]))
    version = tool_versions()["onnxruntime" if format == "onnx" else "ai-edge-litert"]
    # A calibrated precision is judged afterwards, against the float form that is proven here.
    precision = "fp32" if recipe(request.precision).calibrated else request.precision
    if format == "onnx" and precision == "dynamic":  # the step before the converter
        precision = "fp32"
    proven = compare(format, f"{runtime} {version}", precision, pairs, layers)
    if not proven.passed:
        # ONNX was proven before: what is wrong now, the converter did.
        hint = "; onnx2tf goes by shapes: try another --resolution" if format == "tflite" else ""
        raise CheckFailed(f"{request.path(format).name}: {verdict(proven, layers)}{hint}")
    return proven


def verdict(proven: Parity, layers: dict[str, float]) -> str:
    """One line on a comparison, naming the first layer that differs where one does."""
    limit = proven.tolerance_layer_rel_l2
    first = next((name for name, error in layers.items() if not error <= limit), "")
    if first:
        return (
            f"not the torch network's function: {first} is the first layer that differs"
            f" (relative L2 {layers[first]:.1e}, tolerance {limit:.0e})"
        )
    same = "the torch network's function" if proven.passed else "not the torch network's function"
    return (
        f"{same}: outputs differ by a relative L2 of {proven.rel_l2:.1e} (tolerance"
        f" {proven.tolerance_rel_l2:.0e}), inner tensors by {proven.worst_layer_rel_l2:.1e}"
    )


def _artifact(
    request: ExportRequest,
    path: Path,
    data: bytes,
    key: str,
    weights: str,
    report: GraphReport,
    proven: Parity,
    rewrites: dict[str, int],
    quantization: Quantization | None,
) -> Artifact:
    import hashlib

    from ghostdeploy.zoo.cost import cost

    cost_of = cost(request.spec, features=request.export.features)
    return Artifact(
        path=path.name,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        format=path.suffix.removeprefix("."),
        precision=request.precision,
        spec=request.spec,
        export=request.export,
        weights=weights,
        content_key=key,
        tool_versions=dict(tool_versions()),
        macs=cost_of.macs,
        params=cost_of.params,
        op_counts=report.op_counts,
        rewrites=tuple(f"{name} ×{count}" for name, count in rewrites.items()),
        parity=(proven,),
        quantization=quantization,
    )


def _write(
    request: ExportRequest, format: str, data: bytes, artifact: Artifact, report: GraphReport
) -> ExportResult:
    path = request.path(format)
    # The sidecar last: without it the file is made again, never trusted.
    sidecar(path).unlink(missing_ok=True)
    write_atomic(path, data)
    write_atomic(sidecar(path), to_json(artifact))
    return ExportResult(replace(artifact, path=str(path)), reused=False, report=report)
