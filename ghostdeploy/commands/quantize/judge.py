"""What a quantized TFLite file lost against fp32, and its partitions here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ghostdeploy.schema import QuantizationError

REPORTED = 16  # held-out inputs whose inner tensors are compared


def error_report(reference: bytes, data: bytes, images: Any) -> QuantizationError:
    """What ``data`` lost against ``reference`` (both TFLite) on ``images`` (N, 3, H, W)."""
    from ghostdeploy import flatbuffer
    from ghostdeploy.export.parity import tflite_inspector
    from ghostdeploy.quantize import error

    before, after = tflite_inspector(reference), tflite_inspector(data)
    ends = error.ends_of(flatbuffer.load(data, "the quantized model"))
    sums = error.LayerSums()
    for image in images[:REPORTED]:
        sums.add(before(image[None]), after(image[None]), ends)
    return replace(output_error(reference, data, images), layers=sums.errors())


def output_error(reference: bytes, data: bytes, images: Any) -> QuantizationError:
    """How far the logits of two TFLite files are apart on ``images`` (N, 3, H, W)."""
    from ghostdeploy.quantize import error

    return error.output_error(logits(reference, images), logits(data, images))


def logits(model: bytes, images: Any) -> Any:
    """What a TFLite file gives (N, classes) for ``images`` (N, 3, H, W)."""
    import numpy as np

    from ghostdeploy.export.parity import tflite_runner

    run = tflite_runner(model)
    return np.concatenate([next(iter(run(x[None]).values())).reshape(1, -1) for x in images])


def kernels(data: bytes) -> int | None:
    """XNNPACK's partitions of a model, None where the runtime here cannot tell."""
    import tempfile

    from ghostdeploy.lint.partitions import measure

    with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
        file.write(data)
        file.flush()
        found = measure(Path(file.name))
    return found.kernels if found else None
