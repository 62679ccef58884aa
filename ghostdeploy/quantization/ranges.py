"""Ranges of a TFLite model's activations: measured on images, chosen, written into the file.

TensorFlow's quantizer reads a tensor's range from its ``min`` and ``max``; which range that should
be is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ghostdeploy import flatbuffer
from ghostdeploy.errors import ConversionError
from ghostdeploy.flatbuffer import (
    ModelT,
    OperatorT,
    QuantizationParametersT,
    operator_kind,
    schema,
    tensor_name,
    tensor_shape,
)
from ghostdeploy.litert import open_interpreter
from ghostdeploy.progress import Progress, ignore_progress, report_tenths
from ghostdeploy.quantization.error import module_of

SAMPLES = 1024  # values of a tensor that are kept of each image
STEPS = 255  # of eight bits
PERCENTILE = 99.99
SHRINKS = np.linspace(0.3, 1.0, 36)  # shares of the full range that ``mse`` tries
Range = tuple[float, float]
LOGISTIC_RANGE = (0.0, 255 / 256)


@dataclass
class Observed:
    """What a tensor held: its exact range, and SAMPLES values an image, evenly spread."""

    low: float = np.inf
    high: float = -np.inf
    samples: list[NDArray[np.float32]] = field(default_factory=list)

    def add(self, values: NDArray[np.float32]) -> None:
        """Take in what the tensor held for one more image."""
        flat = values.ravel()
        self.low = min(self.low, float(flat.min()))
        self.high = max(self.high, float(flat.max()))
        self.samples.append(flat[:: max(1, flat.size // SAMPLES)].copy())


def observe(
    model: bytes, inputs: NDArray[np.float32], progress: Progress = ignore_progress
) -> dict[int, Observed]:
    """Return every activation of a float TFLite model over ``inputs`` (N, 3, H, W), by index.

    The builtin kernels run it, which keep every tensor. Raises ConversionError for values that
    are not finite.
    """
    interpreter = open_interpreter(model, threads=2, xnnpack=False, keep_tensors=True)
    interpreter.allocate_tensors()
    source = int(interpreter.get_input_details()[0]["index"])
    found = {index: Observed() for index in _activations(flatbuffer.load(model, "the model"))}
    for number, image in enumerate(inputs):
        report_tenths(progress, number, len(inputs), "measuring ranges")
        interpreter.set_tensor(source, np.ascontiguousarray(image[None].transpose(0, 2, 3, 1)))
        interpreter.invoke()
        for index, seen in found.items():
            seen.add(interpreter.get_tensor(index))
    if not all(np.isfinite([seen.low, seen.high]).all() for seen in found.values()):
        raise ConversionError("the model computes infinities on the calibration images")
    return found


def _activations(model: ModelT) -> list[int]:
    graph, float32 = model.subgraphs[0], schema().TensorType.FLOAT32
    made = {int(i) for op in graph.operators for i in op.outputs} | {int(i) for i in graph.inputs}
    return sorted(i for i in made if graph.tensors[i].type == float32)


def full(seen: Observed) -> Range:
    """Return the smallest and the largest value: an outlier costs everybody else resolution."""
    return seen.low, seen.high


def percentile(seen: Observed) -> Range:
    """Return the range of all but the outermost 0.01 % of values at either end."""
    values = np.concatenate(seen.samples)
    low, high = np.percentile(values, [100 - PERCENTILE, PERCENTILE])
    return float(low), float(high)


def least_squares(seen: Observed) -> Range:
    """Return the share of the full range whose eight bits give the least squared error."""
    values = np.concatenate(seen.samples)
    errors = [_squared_error(values, s * seen.low, s * seen.high) for s in SHRINKS]
    best = float(SHRINKS[int(np.argmin(errors))])
    return best * seen.low, best * seen.high


def _squared_error(values: NDArray[np.float32], low: float, high: float) -> float:
    low, high = min(low, 0.0), max(high, 0.0)
    step = max(high - low, 1e-12) / STEPS
    rounded = np.round(values.clip(low, high) / step) * step
    return float(np.square(rounded - values, dtype=np.float64).sum())


METHODS: dict[str, Callable[[Observed], Range]] = {
    "minmax": full,
    "percentile": percentile,
    "mse": least_squares,
    "bn": full,  # within ``bounds``
}


def choose_ranges(
    model: bytes,
    observed: Mapping[int, Observed],
    method: str,
    image: Range,
    bounds: Mapping[str, Range] | None = None,
) -> dict[int, Range]:
    """Choose each tensor's range by ``method``, a row of METHODS; returns them by index.

    All that can come in (``image``) and out is kept. ``bounds`` of convolutions' outputs, by
    module, cut off what lies beyond.
    """
    tree = flatbuffer.load(model, "the model")
    graph = tree.subgraphs[0]
    whole = {int(i): full(observed[int(i)]) for i in graph.outputs if int(i) in observed}
    for i in map(int, graph.inputs):
        low, high = full(observed[i])
        whole[i] = min(low, image[0]), max(high, image[1])
    picked = {i: METHODS[method](seen) for i, seen in observed.items()}
    return _carry(tree, picked | _bound(tree, picked, bounds or {}) | whole)


def _bound(
    model: ModelT, picked: Mapping[int, Range], bounds: Mapping[str, Range]
) -> dict[int, Range]:
    """Return convolutions' ranges within the ``bounds`` of their modules."""
    graph = model.subgraphs[0]
    found = {}
    for op in graph.operators:
        if operator_kind(model, op) not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            continue
        target = int(op.outputs[0])
        module = module_of(tensor_name(graph.tensors[target]))
        if module in bounds:
            low, high = (np.clip(end, *bounds[module]) for end in picked[target])
            found[target] = float(low), float(high)
    return found


def _carry(model: ModelT, picked: dict[int, Range]) -> dict[int, Range]:
    """Give what is only moved the range of its source, so that nothing has to be rescaled.

    TFLite's int8 LOGISTIC always has the scale 1/256 from zero up.
    """
    origin: dict[int, int] = {}  # of a moved tensor: the one that was computed
    for op in model.subgraphs[0].operators:
        roots = {origin.get(int(i), int(i)) for i in _moved_inputs(model, op)}
        if operator_kind(model, op) == "LOGISTIC":
            picked[int(op.outputs[0])] = LOGISTIC_RANGE
        elif len(roots) == 1 and roots <= picked.keys():
            (root,) = roots
            for target in map(int, op.outputs):
                origin[target], picked[target] = root, picked[root]
    return picked


def _moved_inputs(model: ModelT, op: OperatorT) -> list[int]:
    """Return the tensors that ``op`` only puts elsewhere; none for an operator that computes."""
    kind = operator_kind(model, op)
    if kind == "CONCATENATION":
        return [int(i) for i in op.inputs]
    if kind in ("DEPTH_TO_SPACE", "RESIZE_NEAREST_NEIGHBOR"):
        return [int(op.inputs[0])]
    if kind == "SPLIT":
        return [int(op.inputs[1])]
    if kind == "DEPTHWISE_CONV_2D" and _is_ones(model, int(op.inputs[1])):
        return [int(op.inputs[0])]
    return []


def _is_ones(model: ModelT, weights: int) -> bool:
    """Return whether a convolution's weights are a single one a channel: it picks pixels."""
    tensor = model.subgraphs[0].tensors[weights]
    data = model.buffers[tensor.buffer].data
    if tensor_shape(tensor)[1:3] != (1, 1) or data is None:
        return False
    return bool((np.frombuffer(bytes(data), np.float32) == 1).all())


def with_ranges(model: bytes, ranges: Mapping[int, Range]) -> bytes:
    """Return the float model with each tensor's range written beside it."""
    tree = flatbuffer.load(model, "the model")
    tensors = tree.subgraphs[0].tensors
    for index, (low, high) in ranges.items():
        quantization: QuantizationParametersT = schema().QuantizationParametersT()
        quantization.min = np.array([min(low, 0.0)], np.float32)
        quantization.max = np.array([max(high, 0.0)], np.float32)
        tensors[index].quantization = quantization
    return flatbuffer.dump(tree)
