"""What a quantized TFLite file lost against fp32, and its partitions in the runtime."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

from ghostdeploy import flatbuffer
from ghostdeploy.linting.delegates.partitions import measure_partitions
from ghostdeploy.lowering.inference import load_tflite, load_tflite_layers
from ghostdeploy.lowering.parity import Array
from ghostdeploy.quantization import error
from ghostdeploy.schema import QuantizationError

REPORTED = 16  # held-out inputs whose inner tensors are compared
# Ranges of images that are all alike, black ones say, make scales that no kernel takes.
MADE = "the quantized model, whose calibration images may be too much alike"


def judge_layers(reference: bytes, data: bytes, images: Array) -> QuantizationError:
    """Return what ``data`` lost against ``reference`` (both TFLite) on ``images`` (N, 3, H, W).

    Its inner tensors are compared on the first 16 of them, its logits on all.
    """
    before, after = load_tflite_layers(reference), load_tflite_layers(data, name=MADE)
    ends = error.ends_of(flatbuffer.load(data, "the quantized model"))
    sums = error.LayerSums()
    for image in images[:REPORTED]:
        sums.add(before(image[None]), after(image[None]), ends)
    return replace(judge_logits(reference, data, images, MADE), layers=sums.errors())


def judge_logits(
    reference: bytes, data: bytes, images: Array, name: str = "the model"
) -> QuantizationError:
    """Return how far the logits of two TFLite files are apart on ``images`` (N, 3, H, W).

    Errors call the second of them ``name``.
    """
    return error.output_error(run_logits(reference, images), run_logits(data, images, name))


def run_logits(model: bytes, images: Array, name: str = "the model") -> Array:
    """Return what a TFLite file, in errors ``name``, gives (N, classes) for (N, 3, H, W) images."""
    run = load_tflite(model, name=name)
    return np.concatenate([next(iter(run(x[None]).values())).reshape(1, -1) for x in images])


def count_partitions(data: bytes) -> int | None:
    """Return XNNPACK's partitions of a TFLite model, None where LiteRT cannot load it."""
    with NamedTemporaryFile(suffix=".tflite") as file:
        file.write(data)
        file.flush()
        found = measure_partitions(Path(file.name))
    return found.kernels if found else None
