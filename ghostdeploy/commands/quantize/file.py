"""``ghostdeploy quantize FILE``: a float file, its calibrated twin beside it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.progress import Progress, silent
from ghostdeploy.quantize import QuantizeOptions, calibrated_recipe, recipe
from ghostdeploy.quiet import captured
from ghostdeploy.records import to_json, write_atomic
from ghostdeploy.schema import Artifact

if TYPE_CHECKING:
    from ghostdeploy.lint.graph import Graph

NOT_FLOAT32 = {"int8", "uint8", "int16", "float16"}


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
    from ghostdeploy.commands.bench.new_records import artifact_of
    from ghostdeploy.commands.export import sidecar
    from ghostdeploy.commands.inputs import preprocessing
    from ghostdeploy.commands.quantize.onnx import quantize_onnx
    from ghostdeploy.commands.quantize.tflite import quantize_tflite
    from ghostdeploy.lint import read_graph
    from ghostdeploy.quantize.calibration import gather

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
        data = gather(options, how, progress)
        if format == "onnx":
            quantized, made = quantize_onnx(original, options, data, progress)
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


def check_report(path: Path, precision: str) -> None:
    """Raises UsageError, before anything is made, for a report that cannot be written."""
    from ghostdeploy.report.quantization import FORMATS

    calibrated_recipe(precision)
    if path.suffix not in FORMATS:
        raise UsageError(f"a layer report ends in {', '.join(FORMATS)}, not {path.suffix!r}")


def write_report(artifact: Artifact, path: Path) -> None:
    """Every layer's SNR in graph order: .csv, .json, or .png (a plot)."""
    from ghostdeploy.report.quantization import FORMATS

    made = artifact.quantization
    if made is None or made.error is None:
        raise UsageError(f"{artifact.path} has no error report")
    write_atomic(path, FORMATS[path.suffix](f"{artifact.name} {artifact.precision}", made.error))
