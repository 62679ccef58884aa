"""Bias correction: the mean that quantization shifts, channel by channel, put back.

Rounded weights and clipped activations move what a convolution gives on average, and the next one
multiplies that (Nagel et al., 2019, arXiv:1906.04721, §4.2). Measured here, not derived: each
convolution's mean output on calibration images, in the int8 file against the float one, in graph
order, each with all before it corrected already. The difference goes into the int32 bias, which is
added anyway: no operator more.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ghostdeploy import flatbuffer
from ghostdeploy.errors import MissingExtraError
from ghostdeploy.flatbuffer import schema
from ghostdeploy.progress import Progress, by_tenths, silent
from ghostdeploy.tensors import dequantize_values, quantize_values, to_nhwc

IMAGES = 32
BIASED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
BIAS = 2  # which input
Means = NDArray[np.float64]  # one a channel


def correct(
    model: Any, reference: bytes, inputs: NDArray[np.float32], progress: Progress = silent
) -> None:
    """Give a ``ModelT`` (int8) the mean outputs that ``reference`` (float, names alike) has.

    Both run on the first 32 of ``inputs`` (N, 3, H, W). Layers that stayed in float keep theirs.
    """
    images = inputs[:IMAGES]
    wanted, graph = _wanted(reference, images), model.subgraphs[0]
    places = [op for op in _biased(model) if _name(graph, op) in wanted and _is_int32(graph, op)]
    for number, op in enumerate(places):
        by_tenths(progress, number, len(places), "correcting biases")
        with _ending_with(model, [op]) as so_far:
            (have,) = _means(so_far, images)
        _add_bias(model, op, wanted[_name(graph, op)] - have)


def _wanted(reference: bytes, images: NDArray[np.float32]) -> dict[str, Means]:
    """The mean of every channel of every convolution's output, by the output's name."""
    tree = flatbuffer.load(reference, "the model")
    ops = list(_biased(tree))
    with _ending_with(tree, ops) as model:
        means = _means(model, images)
    return {_name(tree.subgraphs[0], op): mean for op, mean in zip(ops, means, strict=True)}


def _biased(tree: Any) -> Iterator[Any]:
    codes = {getattr(schema().BuiltinOperator, name) for name in BIASED}
    for op in tree.subgraphs[0].operators:
        has_bias = len(op.inputs) > BIAS and int(op.inputs[BIAS]) >= 0
        if tree.operatorCodes[op.opcodeIndex].builtinCode in codes and has_bias:
            yield op


def _name(graph: Any, op: Any) -> str:
    return (graph.tensors[int(op.outputs[0])].name or b"").decode()


def _is_int32(graph: Any, op: Any) -> bool:
    return bool(graph.tensors[int(op.inputs[BIAS])].type == schema().TensorType.INT32)


@contextmanager
def _ending_with(tree: Any, ops: Sequence[Any]) -> Iterator[bytes]:
    """The model up to the last of ``ops``, with their outputs as its own."""
    graph = tree.subgraphs[0]
    kept = graph.operators, graph.outputs, tree.signatureDefs
    last = next(n for n, op in enumerate(graph.operators) if op is ops[-1])
    graph.operators = graph.operators[: last + 1]
    graph.outputs = np.array([op.outputs[0] for op in ops], np.int32)
    tree.signatureDefs = []
    try:
        yield flatbuffer.dump(tree)
    finally:
        graph.operators, graph.outputs, tree.signatureDefs = kept


def _means(model: bytes, images: NDArray[np.float32]) -> list[Means]:
    """The mean a channel of every output over ``images``, as real numbers."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ModuleNotFoundError as error:
        raise MissingExtraError("ai-edge-litert", "local") from error
    interpreter = Interpreter(model_content=model, num_threads=2)
    interpreter.allocate_tensors()
    (source,), outputs = interpreter.get_input_details(), interpreter.get_output_details()
    sums: list[Any] = [0.0] * len(outputs)
    for image in images:
        interpreter.set_tensor(source["index"], quantize_values(source, to_nhwc(image[None])))
        interpreter.invoke()
        for number, detail in enumerate(outputs):
            values = dequantize_values(detail, interpreter.get_tensor(detail["index"]))
            sums[number] += values.reshape(-1, values.shape[-1]).mean(0, dtype=np.float64)
    return [np.asarray(total / len(images)) for total in sums]


def _add_bias(tree: Any, op: Any, difference: Means) -> None:
    """Give ``op`` a bias of its own: another may share the one it had."""
    graph = tree.subgraphs[0]
    bias = copy.deepcopy(graph.tensors[int(op.inputs[BIAS])])
    steps = np.frombuffer(bytes(tree.buffers[bias.buffer].data), np.int32)
    moved = steps + np.round(difference / np.asarray(bias.quantization.scale, np.float64))
    limits = np.iinfo(np.int32)
    buffer = schema().BufferT()
    values = moved.clip(limits.min, limits.max).astype(np.int32)
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    tree.buffers.append(buffer)
    bias.buffer = len(tree.buffers) - 1
    graph.tensors.append(bias)
    op.inputs = np.array([*op.inputs[:BIAS], len(graph.tensors) - 1], np.int32)
