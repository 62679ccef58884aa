"""Requests to export: what makes no sense, and the name that a file gets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ghostdeploy import zoo
from ghostdeploy.commands.export import ExportRequest
from ghostdeploy.errors import UsageError
from ghostdeploy.schema import ExportOptions

SPEC = zoo.make_spec(width=0.5, resolution=(64, 64), num_classes=10)


def request_for(folder: Path, **changes: object) -> ExportRequest:
    return replace(ExportRequest(SPEC, ("onnx",), out=folder), **changes)


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({}, "ghostnetv2_0.5_64_c10_fp32.onnx"),
        ({"seed": 7}, "ghostnetv2_0.5_64_c10_fp32_seed7.onnx"),
        ({"precision": "fp16"}, "ghostnetv2_0.5_64_c10_fp16.onnx"),
        ({"weights": Path("a b/my net.v2.pth.tar")}, "ghostnetv2_0.5_64_c10_fp32_my-net-v2.onnx"),
        (
            {"export": ExportOptions(softmax=True, embed_preprocessing=True)},
            "ghostnetv2_0.5_64_c10_fp32_softmax_rgb255.onnx",
        ),
        ({"export": ExportOptions(features=True)}, "ghostnetv2_0.5_64_c10_fp32_features.onnx"),
        (
            {"spec": zoo.make_spec(resolution=(192, 320), changes={"kernel": (9, 7, 5)})},
            "ghostnetv2_1.0_192x320_kernel-9.7.5_fp32.onnx",
        ),
    ],
)
def test_the_file_name_says_what_is_inside(changes, end):
    path = request_for(Path("out"), **changes).path("onnx")
    assert (path.parent, path.name) == (Path("out"), end)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"formats": ("onnx", "tf")}, "format must be one of onnx, tflite, not 'tf'"),
        ({"precision": "int4"}, "precision must be one of fp32, fp16"),
        ({"seed": -1}, "seed must be 0 to"),
        ({"seed": 2**32}, "seed must be 0 to"),
        ({"export": ExportOptions(labels=("a", "b"))}, "2 labels do not fit 10 classes"),
        ({"export": ExportOptions(features=True, softmax=True)}, "feature maps have no classes"),
        (
            {"formats": ("tflite",), "spec": zoo.make_spec(changes={"up": "bicubic"})},
            "TFLite has no bicubic resize",
        ),
    ],
)
def test_a_request_that_makes_no_sense(changes, message):
    with pytest.raises(UsageError) as error:
        request_for(Path("out"), **changes)
    assert str(error.value).startswith(message)
