"""What a model is measured with: its runtime, and the shapes that it leaves open."""

from __future__ import annotations

from pathlib import Path

import pytest

from ghostdeploy.commands.inputs import check_shapes_taken, settle_params, settle_shapes
from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.schema import BenchParams, InputShape
from tests import small_models


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in ("tiny", "free", "mixed"):
        (tmp_path / f"{name}.onnx").write_bytes(small_models.onnx(name))
        (tmp_path / f"{name}.tflite").write_bytes(small_models.tflite(name))
    return tmp_path


def parsed(*texts: str) -> tuple[InputShape, ...]:
    return tuple(map(InputShape.parse, texts))


@pytest.mark.parametrize(
    ("name", "runtime", "settled"),
    [
        ("tiny.tflite", "auto", "litert"),
        ("tiny.onnx", "auto", "onnxruntime"),
        ("tiny.tflite", "tflite-runtime", "tflite-runtime"),
    ],
)
def test_the_ending_chooses_the_runtime_that_is_left_open(folder, name, runtime, settled):
    assert settle_params(folder / name, BenchParams(runtime=runtime)).runtime == settled


def test_a_free_batch_counts_as_one(folder):
    assert {s.shape for s in settle_shapes(folder / "mixed.onnx", ())} == {(1, 4)}
    assert len(settle_shapes(folder / "mixed.onnx", parsed("INT64=7x4"))) == 5
    assert {s.shape for s in settle_shapes(folder / "mixed.tflite", parsed("7x4"))} == {(7, 4)}


def test_a_model_of_one_shape_takes_none(folder):
    assert settle_shapes(folder / "tiny.onnx", parsed("1x3x9x9")) == ()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (("1x3x32x48",), (1, 3, 32, 48)),
        (("1x32x48x3", "x=2x3x32x48"), (2, 3, 32, 48)),
        (("x=1x3x8x8", "1x3x32x48"), (1, 3, 8, 8)),
    ],
)
def test_an_input_takes_the_first_shape_that_fits(folder, asked, found):
    assert settle_shapes(folder / "free.onnx", parsed(*asked)) == (InputShape(found, "x"),)


@pytest.mark.parametrize(
    ("name", "asked", "says"),
    [
        ("free.onnx", (), r"input x takes \?x3x\?x\?.*e\.g\. --input-shape 1x3x224x224$"),
        ("free.tflite", (), r"takes 1x\?x\?x3.*e\.g\. --input-shape 1x224x224x3$"),
        ("free.onnx", ("y=1x3x8x8",), "input x takes"),
        ("free.onnx", ("1x4x8x8",), "input x takes"),
        ("free.onnx", ("3x8x8",), "input x takes"),
        ("mixed.onnx", ("INT64=7x5",), r"input INT64 takes \?x4"),
    ],
)
def test_what_a_model_leaves_open_must_be_said(folder, name, asked, says):
    with pytest.raises(UsageError, match=rf"^[^\n]*{says}"):
        settle_shapes(folder / name, parsed(*asked))


def test_a_shape_that_no_model_took_is_refused(folder):
    shapes = parsed("1x3x8x8", "y=1x3x9x9")
    settled = [settle_params(folder / "free.onnx", BenchParams(input_shapes=shapes[:1]))]
    check_shapes_taken(shapes[:1], settled)
    with pytest.raises(UsageError, match="--input-shape y=1x3x9x9: no model"):
        check_shapes_taken(shapes, settled)


def test_a_damaged_file_is_the_runtimes_business_unless_shapes_are_asked_for(tmp_path):
    path = tmp_path / "bad.onnx"
    path.write_bytes(b"not a model")
    assert settle_shapes(path, ()) == ()
    with pytest.raises(InputFileError):
        settle_shapes(path, parsed("1x3"))


@pytest.mark.parametrize(
    "text", ["", "x", "0x3", "1x-3", "=1x3", "1xx3", "1x3.0", "99999x99999x99999", "1x٣"]
)
def test_what_is_no_shape_is_refused(text):
    with pytest.raises(UsageError, match=r"^--input-shape takes \[NAME=\]"):
        InputShape.parse(text)


def test_a_name_may_hold_what_stands_in_shapes():
    shape = InputShape.parse("a=b:0=1X3x8")
    assert (shape.name, shape.shape, str(shape)) == ("a=b:0", (1, 3, 8), "a=b:0=1x3x8")
