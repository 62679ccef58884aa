"""ONNX → ONNX with QuantizeLinear / DequantizeLinear pairs, through onnxruntime's quantizer."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.errors import ConversionError, error_line
from ghostdeploy.quantization import QuantizeOptions

if TYPE_CHECKING:
    from onnx import ModelProto

# Each is a field's name in onnxruntime; ``mse`` is not among its methods, entropy comes nearest.
CALIBRATION_METHODS = {"minmax": "MinMax", "percentile": "Percentile", "mse": "Entropy"}


class _CalibrationImages:
    """Feeds images one by one: what onnxruntime calls a calibration data reader."""

    def __init__(self, name: str, images: NDArray[np.float32]) -> None:
        self._feeds = iter([{name: image[None]} for image in images])

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next image (1, 3, H, W) by the input's name, None after the last."""
        return next(self._feeds, None)


def quantize(model: bytes, inputs: NDArray[np.float32], options: QuantizeOptions) -> bytes:
    """Return ``model`` with int8 weights and activations, float inputs and outputs.

    The ranges of activations are measured on ``inputs`` (N, 3, H, W). Raises ConversionError where
    onnxruntime's quantizer stops.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    proto = onnx.load_from_string(model)
    with tempfile.TemporaryDirectory(prefix="ghostdeploy-") as folder:
        out = Path(folder) / "quantized.onnx"
        logging.getLogger().setLevel(logging.ERROR)  # it advises its own preprocessing
        try:
            quantize_static(
                proto,
                out,
                _CalibrationImages(_input_name(proto), inputs),
                quant_format=QuantFormat.QDQ,
                per_channel=options.per_channel,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=getattr(CalibrationMethod, CALIBRATION_METHODS[options.ranges]),
                nodes_to_exclude=list(options.keep_float),
            )
            return out.read_bytes()
        except Exception as error:  # of a graph that it does not expect: any kind
            why = error_line(error)
            raise ConversionError(f"onnxruntime's quantizer stopped: {why}") from error


def _input_name(model: ModelProto) -> str:
    """Return the image's name; old files (IR version 3) list their weights as inputs, too."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return next(str(value.name) for value in model.graph.input if value.name not in weights)
