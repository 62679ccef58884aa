"""What is put before and behind a network of others: pixels normalized, probabilities given.

It is done to the ONNX graph, so that it holds for a network wherever it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from ghostdeploy.images.preprocessing import normalize
from ghostdeploy.schema import Normalization

Array = NDArray[Any]
PROBABILITIES = "probabilities"


def embed_normalization(model: onnx.ModelProto, normalization: Normalization) -> None:
    """Let the model's one image be RGB of 0–255, in place.

    Each channel becomes (x − 255·mean) · 1/(255·std), at the image's own resolution: padding that
    comes later still stands for the mean colour.
    """
    name = model.graph.input[0].name
    first = [node for node in model.graph.node if name in node.input]
    steps = (("Sub", "normalize/sub", 255.0 * _column(normalization.mean)),
             ("Mul", "normalize/mul", 1.0 / (255.0 * _column(normalization.std))))  # fmt: skip
    made, current = [], name
    for operator, output, constant in steps:
        if operator == "Sub" and not constant.any():
            continue
        values = numpy_helper.from_array(constant.astype(np.float32), f"{output}/by")
        model.graph.initializer.append(values)
        made.append(helper.make_node(operator, [current, values.name], [output], output))
        current = output
    for node in first:
        node.input[:] = [current if given == name else given for given in node.input]
    nodes = [*made, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def append_softmax(model: onnx.ModelProto) -> None:
    """Let the model's one output (1, classes) be probabilities, in place."""
    (output,) = model.graph.output
    model.graph.node.append(
        helper.make_node("Softmax", [output.name], [PROBABILITIES], PROBABILITIES, axis=1)
    )
    output.name = PROBABILITIES


def _column(values: Sequence[float]) -> NDArray[np.float64]:
    return np.array(values, np.float64).reshape(1, -1, 1, 1)


def softmax(logits: Array) -> Array:
    """Return what ``append_softmax`` computes, in float64 and rounded once."""
    wide = logits.astype(np.float64)
    powers = np.exp(wide - wide.max(1, keepdims=True))
    return np.asarray((powers / powers.sum(1, keepdims=True)).astype(np.float32))


def with_ends(
    run: Callable[[dict[str, Array]], list[Array]], normalization: Normalization | None, soft: bool
) -> Callable[[dict[str, Array]], list[Array]]:
    """Return the network's own ``run`` with the same steps around it, computed apart from it."""

    def compute(feed: dict[str, Array]) -> list[Array]:
        given = {name: normalized(x, normalization) for name, x in feed.items()}
        outputs = run(given)
        return [softmax(output) for output in outputs] if soft else outputs

    return compute


def normalized(pixels: Array, normalization: Normalization | None) -> Array:
    """Return pixels (1, 3, H, W) of 0–255 as the network takes them; as they are without."""
    if normalization is None:
        return pixels
    return normalize(pixels.astype(np.float64) / 255.0, normalization).astype(np.float32)
