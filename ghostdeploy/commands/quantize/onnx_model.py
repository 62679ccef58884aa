"""A float ONNX file with QDQ pairs, and how far its logits are from fp32's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import onnx
from onnx.numpy_helper import to_array

from ghostdeploy.commands.quantize.cost import measure_float_cost
from ghostdeploy.commands.quantize.judge import REPORTED
from ghostdeploy.commands.quantize.plan import QuantizationPlan, QuantizedModel
from ghostdeploy.commands.quantize.quantizer import is_within
from ghostdeploy.errors import ConversionError, UsageError, error_line
from ghostdeploy.lowering.inference import load_onnx, tell_refusal
from ghostdeploy.lowering.onnx_models import with_all_values
from ghostdeploy.lowering.parity import Array, relative_l2
from ghostdeploy.progress import Progress, ignore_progress
from ghostdeploy.quantization import error, opset, qdq
from ghostdeploy.schema import (
    FloatCost,
    LayerError,
    Quantization,
    QuantizationError,
)

COMPARED = 4  # images on which a raised operator set must compute the same
SAME_FUNCTION = 1e-4  # relative L2: what other summation orders may come to in fp32
PAIR = "_DequantizeLinear_Output"  # what onnxruntime adds to a tensor's name


def quantize_onnx(
    model: bytes, plan: QuantizationPlan, progress: Progress = ignore_progress
) -> QuantizedModel:
    """Put QDQ pairs into a float ONNX file, and judge what came out.

    Raises UsageError for a layer to keep in float that the file does not have, and for an operator
    set that is too old and cannot be raised; InputFileError for a file that onnxruntime does not
    run, ConversionError where its quantizer stops, or it does not run what came out.
    """
    keep = _nodes_kept(model, plan.options.keep_float)
    _check_runs(model, plan)
    model = _raise_opset(model, plan)
    quantized = _quantize(model, plan, keep)
    cost = _cost(quantized, model, plan, progress) if keep else None
    quantized = _with_facts(quantized, plan)
    try:
        lost = judge_onnx(model, quantized, plan.data.held_out)
    except Exception as error:  # onnxruntime has many kinds of its own
        why = error_line(error)
        raise ConversionError(f"onnxruntime does not run what its quantizer made: {why}") from error
    quantization = Quantization(
        method="onnxruntime.quantization",
        calibration=plan.data.identity,
        switches=plan.options.switches,
        kept_float=plan.options.keep_float,
        error=lost,
        cost=cost,
    )
    return QuantizedModel(quantized, quantization)


def _nodes_kept(model: bytes, layers: Sequence[str]) -> tuple[str, ...]:
    names = [node.name for node in onnx.load_from_string(model).graph.node]
    for layer in layers:
        if not any(is_within(name, layer) for name in names):
            raise UsageError(f"no layer is called {layer!r} in the ONNX file")
    return tuple(n for n in names if any(is_within(n, layer) for layer in layers))


def _check_runs(model: bytes, plan: QuantizationPlan) -> None:
    """Raise InputFileError, with the reason, for a model that onnxruntime does not run."""
    with tell_refusal("onnxruntime"):
        _outputs(model, plan.data.inputs[:1])


def _raise_opset(model: bytes, plan: QuantizationPlan) -> bytes:
    """Return the model in an operator set that can be quantized as planned, the same function.

    Raises UsageError where there is no such one: the converter fails, or computes something else.
    """
    proto = onnx.load_from_string(model)
    wanted = opset.needed_opset(proto, per_channel=plan.options.per_channel)
    if wanted is None:
        return model
    raised = bytes(opset.raise_opset(proto, wanted).SerializeToString())
    images = plan.data.inputs[:COMPARED]
    try:
        off = relative_l2(_outputs(model, images), _outputs(raised, images))
        why = f"its outputs differ by a relative L2 of {off:.1e}"
    except Exception as error:  # onnxruntime does not take what the converter wrote
        off, why = float("inf"), error_line(error)
    if off > SAME_FUNCTION:
        raise UsageError(opset.refusal(opset.opset_of(proto), wanted, why))
    return raised


def _outputs(model: bytes, images: Array) -> Array:
    """Return what an ONNX file gives (N, classes) for ``images`` (N, 3, H, W)."""
    run = load_onnx(model)
    return np.concatenate([next(iter(run(x[None]).values())).reshape(1, -1) for x in images])


def _quantize(model: bytes, plan: QuantizationPlan, keep: tuple[str, ...]) -> bytes:
    return qdq.quantize(model, plan.data.inputs, replace(plan.options, keep_float=keep))


def _cost(mixed: bytes, model: bytes, plan: QuantizationPlan, progress: Progress) -> FloatCost:
    whole = _quantize(model, plan, ())
    return measure_float_cost(mixed, whole, model, "onnx", progress)


def judge_onnx(model: bytes, quantized: bytes, images: Array) -> QuantizationError:
    """Return what ``quantized`` lost against ``model`` on ``images`` (N, 3, H, W)."""
    found = judge_onnx_logits(model, quantized, images)
    return replace(found, layers=judge_pairs(model, quantized, images))


def judge_onnx_logits(model: bytes, other: bytes, images: Array) -> QuantizationError:
    """Return how far the logits of two ONNX files are apart on ``images`` (N, 3, H, W)."""
    return error.output_error(_outputs(model, images), _outputs(other, images))


def judge_pairs(model: bytes, quantized: bytes, images: Array) -> tuple[LayerError, ...]:
    """Judge every tensor that has a QDQ pair: what its consumers get, against fp32's.

    The tensors are in graph order; the first 16 of ``images`` (N, 3, H, W) go in.
    """
    before, after = onnx.load_from_string(model), onnx.load_from_string(quantized)
    there = {name for node in after.graph.node for name in node.output}
    every = [name for node in before.graph.node for name in node.output]
    pairs = {name: name + PAIR for name in every if name + PAIR in there}
    expected = load_onnx(with_all_values(before, list(pairs)), list(pairs))
    got = load_onnx(with_all_values(after, list(pairs.values())), list(pairs.values()))
    ends, sums = _ends(after), error.LayerSums()
    for image in images[:REPORTED]:
        found = got(image[None])
        sums.add(expected(image[None]), {n: found[pair] for n, pair in pairs.items()}, ends)
    return sums.errors()


def _ends(model: onnx.ModelProto) -> dict[str, tuple[float, ...]]:
    """Return the real values at the ends of every quantized tensor's range, zero left out."""
    constants = {i.name: i for i in model.graph.initializer}
    found = {}
    for node in model.graph.node:
        if node.op_type == "QuantizeLinear" and {*node.input[1:]} <= constants.keys():
            scale, zero = (to_array(constants[name]).item() for name in node.input[1:3])
            ends = ((q - zero) * scale for q in (-128, 127))
            found[node.input[0]] = tuple(end for end in ends if end != 0.0)
    return found


def _with_facts(model: bytes, plan: QuantizationPlan) -> bytes:
    """Return the ONNX file, which says itself what it is."""
    proto = onnx.load_from_string(model)
    facts = {entry.key: entry.value for entry in proto.metadata_props}
    onnx.helper.set_model_props(proto, facts | plan.facts)
    return bytes(proto.SerializeToString())
