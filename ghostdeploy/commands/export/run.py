"""``ghostdeploy export``: reuse what is there, and build, lower, prove, lint and write the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from ghostdeploy.commands import extras
from ghostdeploy.commands.artifacts import sidecar_path
from ghostdeploy.commands.export.network import ExportableNetwork, ZooNetwork
from ghostdeploy.commands.export.request import ExportRequest, ExportResult, count_steps
from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.files import ensure_writable
from ghostdeploy.lowering.converters import WORKER
from ghostdeploy.lowering.provenance import content_key
from ghostdeploy.progress import Progress, divide, ignore_progress
from ghostdeploy.quiet import capture_output
from ghostdeploy.records import read_artifact
from ghostdeploy.schema import ForeignSpec
from ghostdeploy.sources.reference import NetworkReference

if TYPE_CHECKING:
    from ghostdeploy.commands.export.pipeline import FloatForm
    from ghostdeploy.lowering.tflite import Converter
    from ghostdeploy.quantization.calibration import CalibrationData

IMAGES, NO_IMAGES = (1.0, 4.0), (0.0, 1.0)  # of the time: reading images, and the rest


def export(request: ExportRequest, progress: Progress = ignore_progress) -> list[ExportResult]:
    """Export every format of ``request`` that is not there already.

    Each file is compared with the torch network and linted before it gets its name. Raises
    UsageError and its kinds, ConversionError, or CheckFailed when it is not the same function
    or its graph breaks the DFC contract; nothing is written then.
    """
    ensure_writable(request.out)
    request, network = open_network(request, progress)
    reading, making = divide(progress, IMAGES if request.recipe.calibrated else NO_IMAGES)
    data = gather_images(request, reading)
    keys = content_keys(request, network.weights, data)
    found = {} if request.force else find_existing(request, keys)
    missing = [format for format in request.formats if format not in found]
    if missing:
        with capture_output():
            making(0, count_steps(missing), f"building {request.path(missing[0]).name}")
            require_packages(request)
            # TensorFlow's import takes seconds; it runs beside torch's, and torch's export.
            with _open_converter(missing) as converter:
                from ghostdeploy.commands.export.pipeline import Export

                found |= Export(request, keys, network, data, making, converter).run(missing)
    return [found[format] for format in request.formats]


def open_network(
    request: ExportRequest, progress: Progress = ignore_progress
) -> tuple[ExportRequest, ExportableNetwork]:
    """Return the network that is asked for, and the request with what it turned out to be.

    One of the zoo is not built yet. Raises what ``open_foreign`` raises.
    """
    if not isinstance(request.spec, NetworkReference):
        return request, ZooNetwork(request)
    require_packages(request)
    progress(0, 1, f"loading {request.spec.text}")
    with capture_output():
        from ghostdeploy.commands.export.foreign import open_foreign

        network = open_foreign(request.spec.with_weights(request.weights, request.seed))
    formats = request.formats
    if request.spec.kind == "onnx" and request.precision == "fp32":
        formats = tuple(name for name in formats if name != "onnx")
        if not formats:
            raise UsageError(f"{request.spec.text} is an ONNX file already: give --format tflite")
    return replace(request, spec=network.spec, formats=formats), network


def _open_converter(formats: Sequence[str]) -> AbstractContextManager[Converter | None]:
    from ghostdeploy.lowering import tflite

    return tflite.start_converter() if "tflite" in formats else nullcontext()


def gather_images(request: ExportRequest, progress: Progress) -> CalibrationData | None:
    """Read the images that a calibrated precision is measured on; None for the other ones."""
    if not request.recipe.calibrated:
        return None
    require_packages(request)
    from ghostdeploy.quantization.calibration import gather

    return gather(request.quantize, request.preprocessing, progress)


def require_packages(request: ExportRequest) -> None:
    """Raise MissingExtraError for the first package that the export lacks.

    A network that is ONNX already needs no torch, and only a converter of TensorFlow's needs that.
    """
    spec, tflite = request.spec, "tflite" in request.formats
    # One that is opened already was asked for as a reference.
    opened = isinstance(spec, ForeignSpec)
    onnx = isinstance(spec, NetworkReference) and not spec.needs_torch
    extras.require_packages(
        *(() if opened or onnx else ("torch",)),
        *("onnx", "onnxruntime"),
        *(WORKER.packages if tflite else ()),
        *(("tensorflow",) if tflite and request.recipe.calibrated else ()),
    )


def content_keys(
    request: ExportRequest, weights: str, data: CalibrationData | None
) -> dict[str, str]:
    """Return, for each format, the key over everything that decides the file's bytes."""
    # Not the folder's path: its images decide.
    quantized = (replace(request.quantize, calibration=None), data.identity) if data else None
    return {
        format: content_key(
            request.found_spec, request.export, weights, format, request.precision, quantized
        )
        for format in request.formats
    }


def find_existing(request: ExportRequest, keys: Mapping[str, str]) -> dict[str, ExportResult]:
    """Return the files that are there already, whole and with the same content key, by format."""
    found = {}
    for format, key in keys.items():
        path = request.path(format)
        try:
            artifact = read_artifact(sidecar_path(path))
            same = artifact.content_key == key and artifact.sha256 == file_sha256(path)
        except InputFileError:
            continue
        if same:
            found[format] = ExportResult(replace(artifact, path=str(path)), reused=True)
    return found


def make_float_form(request: ExportRequest) -> FloatForm:
    """Make what ``export`` would quantize for ``request``, unproven: to quantize it several ways.

    Raises UsageError for a precision that is not calibrated.
    """
    data = gather_images(request, ignore_progress)
    if data is None:
        raise UsageError(f"{request.precision} is not made of images")
    with capture_output(), _open_converter(["tflite"]) as converter:
        from ghostdeploy.commands.export.pipeline import Export

        network = ZooNetwork(request)
        return Export(request, {}, network, data, ignore_progress, converter).make_float_form()
