"""TFLite files of others that cannot be quantized as they are: one line, and no file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ghostdeploy.commands.quantize.file import QuantizeRequest
from ghostdeploy.commands.quantize.judge import judge_layers
from ghostdeploy.commands.quantize.tflite_model import quantize_tflite
from ghostdeploy.errors import InputFileError, UsageError, name_in_errors
from ghostdeploy.lowering.inference import tell_refusal
from ghostdeploy.quantization import QuantizeOptions
from tests import small_models
from tests.lowering.rewrites.graphs import two_signatures


def test_several_functions_in_a_file_are_named() -> None:
    with pytest.raises(InputFileError, match=r"several signatures \(one, two\)"):
        quantize_tflite(two_signatures(), None)  # nothing of the plan is needed to say so


def test_a_refusal_names_the_file_once(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    with pytest.raises(InputFileError) as refused, name_in_errors(path), tell_refusal("LiteRT"):
        raise RuntimeError("no kernel for it")
    assert str(refused.value) == f"{path}: LiteRT cannot run the model: no kernel for it"


def test_a_quantized_file_that_does_not_run_is_not_told_as_the_users() -> None:
    images = np.zeros((1, 3, 16, 16), np.float32)
    with pytest.raises(InputFileError, match="LiteRT cannot run the quantized model, whose calib"):
        judge_layers(small_models.tflite(), small_models.tflite("custom"), images)


def test_a_folder_gets_a_file_named_after_the_model(tmp_path: Path) -> None:
    request = QuantizeRequest(Path("net_fp32.tflite"), "int8", QuantizeOptions(), tmp_path)
    assert request.target == tmp_path / "net_int8.tflite"
    request.check("tflite")


@pytest.mark.parametrize("name", ["net", "net.onnx", "net.tflite.bak"])
def test_an_ending_that_tells_nothing_is_refused_before_any_work(tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    request = QuantizeRequest(Path("net.tflite"), "int8", QuantizeOptions(), out)
    with pytest.raises(UsageError, match=r"a \.tflite file is made"):
        request.check("tflite")
    assert not out.exists()
