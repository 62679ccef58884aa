"""TFLite files of others that cannot be quantized as they are: one line, and no file."""

from __future__ import annotations

import pytest

from ghostdeploy.commands.quantize.tflite_model import quantize_tflite
from ghostdeploy.errors import InputFileError
from tests.lowering.rewrites.graphs import two_signatures


def test_several_functions_in_a_file_are_named() -> None:
    with pytest.raises(InputFileError, match=r"several signatures \(one, two\)"):
        quantize_tflite(two_signatures(), None)  # nothing of the plan is needed to say so
