"""``export --for mediapipe``: what is asked of the exporter, and the line that says what loads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ghostdeploy import zoo
from ghostdeploy.commands.export import ExportRequest
from ghostdeploy.commands.export.mediapipe import describe_use, suit_options, suit_request
from ghostdeploy.errors import UsageError
from ghostdeploy.lowering.converters import WORKER
from ghostdeploy.schema import Artifact, Calibration, ExportOptions, Quantization

SPEC = zoo.make_spec(width=0.2, resolution=(96, 96), num_classes=10)
SUITED = suit_options(ExportOptions(labels=("a",) * 10))


def request_for(precision: str, *formats: str) -> ExportRequest:
    return suit_request(ExportRequest(SPEC, formats, precision=precision, export=SUITED))


@pytest.mark.parametrize("precision", ["fp32", "fp16", "dynamic", "int8-float-io"])
def test_floats_go_in_unless_all_is_int8(precision: str) -> None:
    if precision in WORKER.refused:
        pytest.skip(f"{precision} is not made on this Python")
    request = request_for(precision, "tflite")
    assert request.formats == ("tflite",)
    assert request.quantize.input_type == "int8"
    assert request.export == replace(SUITED, embed_preprocessing=True, softmax=True)
    int8 = request_for("int8", "tflite").quantize
    assert (int8.input_type, int8.output_type) == ("uint8", "uint8")  # it refuses int8 in both


def test_the_onnx_twin_is_left_out() -> None:
    assert request_for("fp32", "onnx", "tflite").formats == ("tflite",)


@pytest.mark.parametrize(
    ("precision", "format"), [("int16x8", "tflite"), ("int8-qdq", "onnx"), ("fp32", "onnx")]
)
def test_what_it_does_not_load_is_refused(precision: str, format: str) -> None:
    with pytest.raises(UsageError, match="MediaPipe loads"):
        request_for(precision, format)
    with pytest.raises(UsageError, match="--features"):
        suit_options(ExportOptions(features=True))


def artifact(precision: str, *switches: str, **export: bool) -> Artifact:
    quantized = Quantization("m", Calibration("images"), switches) if switches else None
    return Artifact(
        "m.tflite", "", 0, "tflite", precision, export=ExportOptions(**export),
        quantization=quantized,
    )  # fmt: skip


def test_each_file_says_what_loads_it() -> None:
    rgb255 = {"embed_preprocessing": True}
    assert "or MediaPipe" in describe_use(artifact("fp32", **rgb255))
    both = artifact("int8", "input=uint8", "output=uint8", **rgb255)
    assert "or MediaPipe" in describe_use(both)
    for plain in (artifact("fp32"), artifact("int8", "input=uint8", **rgb255)):
        assert describe_use(plain).endswith("export --for mediapipe")
    assert describe_use(artifact("int16x8", "per-channel")) == "load it with LiteRT"
    assert describe_use(replace(artifact("fp32"), format="onnx")) == "load it with onnxruntime"
