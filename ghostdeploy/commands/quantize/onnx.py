"""A float ONNX file with QDQ pairs, and how far its logits are from fp32's."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from ghostdeploy.commands.quantize.cost import float_cost
from ghostdeploy.commands.quantize.maker import belongs
from ghostdeploy.errors import UsageError
from ghostdeploy.progress import Progress, silent
from ghostdeploy.quantize import QuantizeOptions
from ghostdeploy.types import Calibration, Quantization

if TYPE_CHECKING:
    from ghostdeploy.quantize.calibration import CalibrationData


def quantize_onnx(
    model: bytes, options: QuantizeOptions, data: CalibrationData, progress: Progress = silent
) -> tuple[bytes, Quantization]:
    """A float ONNX file with QDQ pairs, and how far its logits are from fp32's."""
    import numpy as np
    import onnx

    from ghostdeploy.export.parity import onnx_runner
    from ghostdeploy.quantize import error, qdq

    proto = onnx.load_from_string(model)
    names = [node.name for node in proto.graph.node]
    for layer in options.keep_float:
        if not any(belongs(name, layer) for name in names):
            raise UsageError(f"no layer is called {layer!r} in the ONNX file")
    keep = tuple(n for n in names if any(belongs(n, layer) for layer in options.keep_float))
    quantized = qdq.quantize(model, data.inputs, replace(options, keep_float=keep))
    cost = None
    if keep:
        whole = qdq.quantize(model, data.inputs, replace(options, keep_float=()))
        cost = float_cost(quantized, whole, model, "onnx", progress)
    quantized = _with_facts(quantized, data.identity)
    (output,) = (value.name for value in proto.graph.output)
    before, after = (
        np.concatenate([run(x[None])[output] for x in data.held_out])
        for run in (onnx_runner(model, [output]), onnx_runner(quantized, [output]))
    )
    return quantized, Quantization(
        method="onnxruntime.quantization",
        calibration=data.identity,
        switches=options.switches,
        kept_float=options.keep_float,
        error=error.output_error(before, after),
        cost=cost,
    )


def _with_facts(model: bytes, calibration: Calibration) -> bytes:
    """The ONNX file, which says itself what it is."""
    import onnx

    proto = onnx.load_from_string(model)
    facts = {entry.key: entry.value for entry in proto.metadata_props}
    facts["ghostdeploy.precision"] = "int8-qdq"
    facts["ghostdeploy.calibration"] = json.dumps(asdict(calibration), sort_keys=True)
    onnx.helper.set_model_props(proto, facts)
    return bytes(proto.SerializeToString())
