"""A float ONNX file with QDQ pairs, and how far its logits are from fp32's."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from ghostdeploy.commands.quantize.cost import float_cost
from ghostdeploy.commands.quantize.judge import REPORTED
from ghostdeploy.commands.quantize.quantizer import belongs
from ghostdeploy.errors import UsageError
from ghostdeploy.progress import Progress, silent
from ghostdeploy.quantize import QuantizeOptions
from ghostdeploy.schema import Calibration, LayerError, Quantization

if TYPE_CHECKING:
    import onnx

    from ghostdeploy.quantize.calibration import CalibrationData

PAIR = "_DequantizeLinear_Output"  # what onnxruntime adds to a tensor's name


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
        error=error.output_error(before, after, layer_errors(model, quantized, data.held_out)),
        cost=cost,
    )


def layer_errors(model: bytes, quantized: bytes, images: Any) -> tuple[LayerError, ...]:
    """Every tensor that has a QDQ pair, in graph order: what its consumers get, against fp32's."""
    import onnx

    from ghostdeploy.export.parity import onnx_runner
    from ghostdeploy.export.to_onnx import with_all_values
    from ghostdeploy.quantize import error

    before, after = onnx.load_from_string(model), onnx.load_from_string(quantized)
    there = {name for node in after.graph.node for name in node.output}
    every = [name for node in before.graph.node for name in node.output]
    pairs = {name: name + PAIR for name in every if name + PAIR in there}
    expected = onnx_runner(with_all_values(before, list(pairs)), list(pairs))
    got = onnx_runner(with_all_values(after, list(pairs.values())), list(pairs.values()))
    ends, sums = _ends(after), error.LayerSums()
    for image in images[:REPORTED]:
        found = got(image[None])
        sums.add(expected(image[None]), {n: found[pair] for n, pair in pairs.items()}, ends)
    return sums.errors()


def _ends(model: onnx.ModelProto) -> dict[str, tuple[float, ...]]:
    """The real values at the ends of every quantized tensor's range, zero left out."""
    from onnx.numpy_helper import to_array

    constants = {i.name: i for i in model.graph.initializer}
    found = {}
    for node in model.graph.node:
        if node.op_type == "QuantizeLinear" and {*node.input[1:]} <= constants.keys():
            scale, zero = (to_array(constants[name]).item() for name in node.input[1:3])
            ends = ((q - zero) * scale for q in (-128, 127))
            found[node.input[0]] = tuple(end for end in ends if end != 0.0)
    return found


def _with_facts(model: bytes, calibration: Calibration) -> bytes:
    """The ONNX file, which says itself what it is."""
    import onnx

    proto = onnx.load_from_string(model)
    facts = {entry.key: entry.value for entry in proto.metadata_props}
    facts["ghostdeploy.precision"] = "int8-qdq"
    facts["ghostdeploy.calibration"] = json.dumps(asdict(calibration), sort_keys=True)
    onnx.helper.set_model_props(proto, facts)
    return bytes(proto.SerializeToString())
