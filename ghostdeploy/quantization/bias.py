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

import numpy as np
from numpy.typing import NDArray

from ghostdeploy import flatbuffer
from ghostdeploy.flatbuffer import (
    ModelT,
    OperatorT,
    SubGraphT,
    append_buffer,
    operator_kind,
    schema,
    tensor_name,
)
from ghostdeploy.litert import open_interpreter
from ghostdeploy.progress import Progress, ignore_progress, report_tenths
from ghostdeploy.tensors import dequantize_values, quantize_values, to_nhwc

IMAGES = 32
BIASED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
BIAS = 2  # which input
Means = NDArray[np.float64]  # one a channel


def correct_biases(
    model: ModelT,
    reference: bytes,
    inputs: NDArray[np.float32],
    progress: Progress = ignore_progress,
) -> None:
    """Give an int8 ``model`` the mean outputs that ``reference`` (float TFLite, names alike) has.

    Both run on the first 32 of ``inputs`` (N, 3, H, W). Layers that stayed in float keep theirs.
    """
    images = inputs[:IMAGES]
    wanted, graph = _find_means(reference, images), model.subgraphs[0]
    places = [op for op in _biased(model) if _name(graph, op) in wanted and _is_int32(graph, op)]
    for number, op in enumerate(places):
        report_tenths(progress, number, len(places), "correcting biases")
        with _ending_with(model, [op]) as so_far:
            (have,) = _measure(so_far, images)
        _add_bias(model, op, wanted[_name(graph, op)] - have)


def _find_means(reference: bytes, images: NDArray[np.float32]) -> dict[str, Means]:
    """Return the mean of every channel of every convolution's output, by the output's name."""
    tree = flatbuffer.load(reference, "the model")
    ops = list(_biased(tree))
    with _ending_with(tree, ops) as model:
        means = _measure(model, images)
    return {_name(tree.subgraphs[0], op): mean for op, mean in zip(ops, means, strict=True)}


def _biased(tree: ModelT) -> Iterator[OperatorT]:
    for op in tree.subgraphs[0].operators:
        has_bias = len(op.inputs) > BIAS and int(op.inputs[BIAS]) >= 0
        if operator_kind(tree, op) in BIASED and has_bias:
            yield op


def _name(graph: SubGraphT, op: OperatorT) -> str:
    return tensor_name(graph.tensors[int(op.outputs[0])])


def _is_int32(graph: SubGraphT, op: OperatorT) -> bool:
    return bool(graph.tensors[int(op.inputs[BIAS])].type == schema().TensorType.INT32)


@contextmanager
def _ending_with(tree: ModelT, ops: Sequence[OperatorT]) -> Iterator[bytes]:
    """Yield the model up to the last of ``ops``, with their outputs as its own."""
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


def _measure(model: bytes, images: NDArray[np.float32]) -> list[Means]:
    """Return the mean a channel of every output over ``images``, as real numbers."""
    interpreter = open_interpreter(model, threads=2)
    interpreter.allocate_tensors()
    (source,), outputs = interpreter.get_input_details(), interpreter.get_output_details()
    sums: list[Means] = [np.zeros(1)] * len(outputs)
    for image in images:
        interpreter.set_tensor(source["index"], quantize_values(source, to_nhwc(image[None])))
        interpreter.invoke()
        for number, detail in enumerate(outputs):
            values = dequantize_values(detail, interpreter.get_tensor(detail["index"]))
            sums[number] = sums[number] + values.reshape(-1, values.shape[-1]).mean(
                0, dtype=np.float64
            )
    return [np.asarray(total / len(images)) for total in sums]


def _add_bias(tree: ModelT, op: OperatorT, difference: Means) -> None:
    """Give ``op`` a bias of its own: another may share the one it had."""
    graph = tree.subgraphs[0]
    bias = copy.deepcopy(graph.tensors[int(op.inputs[BIAS])])
    content, quantization = tree.buffers[bias.buffer].data, bias.quantization
    assert content is not None
    assert quantization is not None
    steps = np.frombuffer(bytes(content), np.int32)
    moved = steps + np.round(difference / np.asarray(quantization.scale, np.float64))
    limits = np.iinfo(np.int32)
    values = moved.clip(limits.min, limits.max).astype(np.int32)
    bias.buffer = append_buffer(tree, values.tobytes())
    graph.tensors.append(bias)
    op.inputs = np.array([*op.inputs[:BIAS], len(graph.tensors) - 1], np.int32)
