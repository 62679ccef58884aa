"""``ghostdeploy quantize FILE``: a float file, its calibrated twin beside it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy import flatbuffer
from ghostdeploy.commands.artifacts import artifact_of, write_artifact
from ghostdeploy.commands.inputs import preprocessing_of
from ghostdeploy.commands.quantize.plan import QuantizationPlan
from ghostdeploy.errors import InputFileError, UsageError, name_in_errors
from ghostdeploy.files import ensure_writable
from ghostdeploy.images.normalization import describe_input
from ghostdeploy.linting import read_graph
from ghostdeploy.linting.graph import Graph
from ghostdeploy.linting.readers.onnx_graph import build_onnx_graph
from ghostdeploy.linting.readers.tflite_graph import build_tflite_graph
from ghostdeploy.progress import Progress, divide, ignore_progress
from ghostdeploy.quantization import QuantizeOptions, int8_rewrites, recipe
from ghostdeploy.quiet import capture_output
from ghostdeploy.runners.host.trial_run import refuse_deadly
from ghostdeploy.schema import Artifact, Normalization

if TYPE_CHECKING:
    from ghostdeploy.images.preprocessing import Preprocessing

NOT_FLOAT32 = {"int8", "uint8", "int16", "float16"}


@dataclass(frozen=True)
class QuantizeRequest:
    """Which float model file to quantize, and how.

    ``out`` is the file to write, or the folder for one that is named after ``path`` and
    ``precision``; None stands for the folder of ``path``.
    ``normalization`` is what a file expects of pixels that does not say it itself.
    """

    path: Path
    precision: str
    options: QuantizeOptions
    out: Path | None = None
    normalization: Normalization | None = None

    @property
    def target(self) -> Path:
        """The file to write."""
        stem = self.path.stem.replace("_fp32", "")
        name = f"{stem}_{self.precision}{self.path.suffix}"
        if self.out is None:
            return self.path.with_name(name)
        return self.out / name if self.out.is_dir() else self.out

    def check(self, format: str) -> None:
        """Raise UsageError for what makes no sense with a file of ``format``."""
        formats = recipe(self.precision).formats
        if format not in formats:
            raise UsageError(f"{self.path}: {self.precision} is made of a .{formats[0]} file")
        if self.target.resolve() == self.path.resolve():
            raise UsageError(
                f"{self.target} is the float model itself; give another file with --out"
            )
        if self.target.suffix.lower() != f".{format}":
            raise UsageError(
                f"--out {self.out}: a .{format} file is made; give such a name or a folder there is"
            )
        if self.options.ranges == "bn":
            raise UsageError(
                f"bn ranges need the network, which {self.path.name} has no more: give MODEL"
            )


def quantize_file(request: QuantizeRequest, progress: Progress = ignore_progress) -> Artifact:
    """Quantize a float model file, and write what comes out with its sidecar.

    Raises InputFileError for a file that is not a float model of one image, UsageError where its
    format does not go with the precision; nothing is written then.
    """
    path, target = request.path, request.target
    graph = read_graph(path)
    _check_float(graph)
    request.check(graph.format)
    known = artifact_of(path)
    options = replace(request.options, equalize=False)  # that takes the network
    how = preprocessing_of(path, graph, options.crop, request.normalization)
    _check_agreement(request, how)
    options.check(request.precision, rgb255=how.rgb255)
    ensure_writable(target.parent)  # before all the work, TensorFlow's import included
    from ghostdeploy.commands.quantize.formats import QUANTIZERS
    from ghostdeploy.quantization.calibration import gather

    refuse_deadly(path)
    model = _read_model(path)
    with capture_output():
        reading, quantizing = divide(progress, (1.0, 3.0))
        data = gather(options, how, reading)
        rewrites = int8_rewrites(request.precision)
        plan = QuantizationPlan(request.precision, options, data, how, rewrites)
        with name_in_errors(path):
            made = QUANTIZERS[graph.format](model, plan, quantizing)
    artifact = replace(
        known,
        path=target.name,
        sha256=hashlib.sha256(made.data).hexdigest(),
        size_bytes=len(made.data),
        precision=request.precision,
        content_key="",  # no export has this key: one of the same name is made again
        op_counts=_count_operators(made.data, target),
        quantization=made.quantization,
        normalization=how.normalization,
    )
    return write_artifact(target, made.data, artifact)


def _read_model(path: Path) -> bytes:
    """Return a model file's content, with the weights that lie beside it."""
    if path.suffix.lower() != ".onnx":
        return path.read_bytes()
    from ghostdeploy.lowering.onnx_files import read_whole_onnx

    return read_whole_onnx(path)


def _check_agreement(request: QuantizeRequest, how: Preprocessing) -> None:
    """Raise UsageError where the file says otherwise than the user: one of them is wrong."""
    given, own = request.normalization, how.normalization
    if given and describe_input(given) != describe_input(own):
        raise UsageError(
            f"{request.path} says itself what it takes: {describe_input(own)}; leave out"
            " --input-range, --mean and --std"
        )


def _count_operators(data: bytes, path: Path) -> dict[str, int]:
    if path.suffix == ".tflite":
        return build_tflite_graph(flatbuffer.load(data, path.name), path.name).op_counts()
    import onnx

    return build_onnx_graph(onnx.load_from_string(data), path.name).op_counts()


def _check_float(graph: Graph) -> None:
    """Raise InputFileError for a model that is quantized, or in half precision."""
    types = {value.dtype for value in graph.values.values()}
    if found := ", ".join(sorted(types & NOT_FLOAT32)):
        raise InputFileError(
            f"{graph.source} is quantized already (it holds {found}); give the fp32 file"
        )
