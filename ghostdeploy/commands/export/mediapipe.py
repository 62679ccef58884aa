"""What MediaPipe's ImageClassifier takes: normalization inside, float or uint8 in and out, TFLite.

Version 1.2.2 refuses one mean and one standard deviation a channel that differ, as ImageNet's do,
and int8 input and output; ``benchmarks/mediapipe_load.py`` asks it.
"""

from __future__ import annotations

from dataclasses import replace

from ghostdeploy.commands.export.request import ExportRequest
from ghostdeploy.errors import UsageError
from ghostdeploy.schema import Artifact, ExportOptions, ForeignSpec

FLOAT_INPUT = ("fp32", "fp16", "dynamic", "int8-float-io")
UINT8_INPUT = ("int8",)
BYTES = {"input=uint8", "output=uint8"}  # switches of such an int8 file


def suit_options(options: ExportOptions) -> ExportOptions:
    """Return the options with the normalization inside, and probabilities.

    Raises UsageError for feature maps, which are no classes.
    """
    if options.features:
        raise UsageError("MediaPipe's ImageClassifier has no use for --features")
    return replace(options, embed_preprocessing=True, softmax=True)


def suit_request(request: ExportRequest) -> ExportRequest:
    """Return the request for the TFLite file alone, of floats or of uint8.

    Raises UsageError for a precision or a format that ImageClassifier does not load.
    """
    known = (*FLOAT_INPUT, *UINT8_INPUT)
    if request.precision not in known:
        raise UsageError(f"MediaPipe loads {', '.join(known)}, not {request.precision}")
    if "tflite" not in request.formats:
        raise UsageError("MediaPipe loads TFLite files: leave out --format onnx")
    quantize = request.quantize
    if request.precision in UINT8_INPUT:
        quantize = replace(quantize, input_type="uint8", output_type="uint8")
    return replace(request, formats=("tflite",), quantize=quantize)


def describe_use(artifact: Artifact) -> str:
    """Return in one line what loads an exported file, and what it wants to be given."""
    export = artifact.export
    if artifact.format == "onnx":
        return "load it with onnxruntime"
    maps = isinstance(artifact.spec, ForeignSpec) and artifact.spec.num_classes is None
    if maps or export.features or artifact.precision not in (*FLOAT_INPUT, *UINT8_INPUT):
        return "load it with LiteRT"
    made = artifact.quantization
    of_bytes = made is not None and {*made.switches} >= BYTES
    if export.embed_preprocessing and (of_bytes or artifact.precision in FLOAT_INPUT):
        return "load it with LiteRT or MediaPipe's ImageClassifier; it takes RGB of 0 to 255"
    return "load it with LiteRT; for MediaPipe's ImageClassifier export --for mediapipe"
