"""Which function quantizes a model file, by the file's format; heavy to import (NumPy)."""

from __future__ import annotations

from collections.abc import Callable

from ghostdeploy.commands.quantize.onnx_model import quantize_onnx
from ghostdeploy.commands.quantize.plan import QuantizationPlan, QuantizedModel
from ghostdeploy.commands.quantize.tflite_model import quantize_tflite
from ghostdeploy.progress import Progress

QUANTIZERS: dict[str, Callable[[bytes, QuantizationPlan, Progress], QuantizedModel]] = {
    "onnx": quantize_onnx,
    "tflite": quantize_tflite,
}
