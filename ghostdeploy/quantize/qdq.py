"""ONNX → ONNX with QuantizeLinear / DequantizeLinear pairs, through onnxruntime's quantizer."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.quantize import QuantizeOptions

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

    The ranges of activations are measured on ``inputs`` (N, 3, H, W). Raises onnxruntime's errors.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    proto = onnx.load_from_string(model)
    with tempfile.TemporaryDirectory(prefix="ghostdeploy-") as folder:
        out = Path(folder) / "quantized.onnx"
        logging.getLogger().setLevel(logging.ERROR)  # it advises its own preprocessing
        quantize_static(
            proto,
            out,
            _CalibrationImages(proto.graph.input[0].name, inputs),
            quant_format=QuantFormat.QDQ,
            per_channel=options.per_channel,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=getattr(CalibrationMethod, CALIBRATION_METHODS[options.ranges]),
            nodes_to_exclude=list(options.keep_float),
        )
        return out.read_bytes()
