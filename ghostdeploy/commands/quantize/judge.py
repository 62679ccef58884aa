"""What a quantized TFLite file lost against fp32, and its partitions in the runtime."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

from ghostdeploy import flatbuffer
from ghostdeploy.export.inference import load_tflite, load_tflite_layers
from ghostdeploy.export.parity import Array
from ghostdeploy.lint.delegates.partitions import measure_partitions
from ghostdeploy.quantize import error
from ghostdeploy.schema import QuantizationError

REPORTED = 16  # held-out inputs whose inner tensors are compared


def judge_layers(reference: bytes, data: bytes, images: Array) -> QuantizationError:
    """Return what ``data`` lost against ``reference`` (both TFLite) on ``images`` (N, 3, H, W).

    Its inner tensors are compared on the first 16 of them, its logits on all.
    """
    before, after = load_tflite_layers(reference), load_tflite_layers(data)
    ends = error.ends_of(flatbuffer.load(data, "the quantized model"))
    sums = error.LayerSums()
    for image in images[:REPORTED]:
        sums.add(before(image[None]), after(image[None]), ends)
    return replace(judge_logits(reference, data, images), layers=sums.errors())


def judge_logits(reference: bytes, data: bytes, images: Array) -> QuantizationError:
    """Return how far the logits of two TFLite files are apart on ``images`` (N, 3, H, W)."""
    return error.output_error(run_logits(reference, images), run_logits(data, images))


def run_logits(model: bytes, images: Array) -> Array:
    """Return what a TFLite file gives (N, classes) for ``images`` (N, 3, H, W)."""
    run = load_tflite(model)
    return np.concatenate([next(iter(run(x[None]).values())).reshape(1, -1) for x in images])


def count_partitions(data: bytes) -> int | None:
    """Return XNNPACK's partitions of a TFLite model, None where LiteRT cannot load it."""
    with NamedTemporaryFile(suffix=".tflite") as file:
        file.write(data)
        file.flush()
        found = measure_partitions(Path(file.name))
    return found.kernels if found else None
