"""A process of its own for TensorFlow's quantizer.

``python -m ghostdeploy.quantization.worker PARENT``, which ends with the process of that id.

Reads JSON lines ``{"model", "out", "io", "activations", "per_channel", "keep_float", "inputs"}``,
writes a quantized model to ``out`` for each, and exits with 0 when there are no more. ``model`` is
a float TFLite file with ranges beside its tensors; ``inputs`` (a .npy, NHWC) is what int16
activations are measured on. It starts importing at once, while the caller measures ranges.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TypedDict

from ghostdeploy.lifeline import die_with


class QuantizeJob(TypedDict):
    """What a line asks for; files go by their paths."""

    model: str
    out: str
    inputs: str
    io: str
    activations: str
    per_channel: bool
    keep_float: list[str]


def main() -> int:
    """Do every job on standard input; returns the exit code."""
    die_with(int(sys.argv[1]))
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="-1")
    import tensorflow  # noqa: F401

    for line in sys.stdin:
        job: QuantizeJob = json.loads(line)
        quantize = quantize_int16x8 if job["activations"] == "int16" else quantize_int8
        Path(job["out"]).write_bytes(quantize(Path(job["model"]).read_bytes(), job))
    return 0


def quantize_int8(model: bytes, job: QuantizeJob) -> bytes:
    """Do what ``tf.lite.TFLiteConverter`` does once it has calibrated."""
    import tensorflow as tf
    from tensorflow.lite.python.convert import mlir_quantize

    io = tf.int8 if job["io"] == "int8" else tf.float32
    return bytes(
        mlir_quantize(
            model,
            disable_per_channel=not job["per_channel"],
            disable_per_channel_for_dense_layers=not job["per_channel"],
            fully_quantize=job["io"] == "int8",  # inputs and outputs, too
            input_data_type=io,
            output_data_type=io,
            denylisted_nodes=set(job["keep_float"]) or None,
        )
    )


def quantize_int16x8(model: bytes, job: QuantizeJob) -> bytes:
    """Use the converter's older quantizer, which measures int16 activations itself."""
    import numpy as np
    import tensorflow as tf
    from tensorflow.lite.python.optimize import calibrator

    images = np.load(job["inputs"])
    return bytes(
        calibrator.Calibrator(calibrator.add_intermediate_tensors(model)).calibrate_and_quantize(
            lambda: ([image[None]] for image in images),
            tf.int16,
            tf.int16,
            allow_float=False,
            activations_type=tf.int16,
            bias_type=tf.int64,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
