"""ONNX → ONNX with QuantizeLinear / DequantizeLinear pairs, through onnxruntime's quantizer."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.quantize import QuantizeOptions

# Each is a field's name in onnxruntime; ``mse`` is not among its methods, entropy comes nearest.
METHODS = {"minmax": "MinMax", "percentile": "Percentile", "mse": "Entropy"}


class _Reader:
    """What onnxruntime calls a calibration data reader."""

    def __init__(self, name: str, images: NDArray[np.float32]) -> None:
        self._feeds = iter([{name: image[None]} for image in images])

    def get_next(self) -> dict[str, Any] | None:
        return next(self._feeds, None)


def quantize(model: bytes, inputs: NDArray[np.float32], options: QuantizeOptions) -> bytes:
    """``model`` with int8 weights (per channel) and activations, float inputs and outputs."""
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    proto = onnx.load_from_string(model)
    with tempfile.TemporaryDirectory(prefix="ghostdeploy-") as folder:
        out = Path(folder) / "quantized.onnx"
        logging.getLogger().setLevel(logging.ERROR)  # it advises its own preprocessing
        quantize_static(
            proto,
            out,
            _Reader(proto.graph.input[0].name, inputs),
            quant_format=QuantFormat.QDQ,
            per_channel=options.per_channel,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=getattr(CalibrationMethod, METHODS[options.ranges]),
            nodes_to_exclude=list(options.keep_float),
        )
        return out.read_bytes()
