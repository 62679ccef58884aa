"""The inputs and outputs of an ONNX model, and how a converter laid out what it made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Shapes = dict[str, tuple[int, ...]]
Turn = tuple[int, ...]


def shapes_of_ends(onnx_path: str) -> tuple[Shapes, Shapes]:
    """Return the shapes of an ONNX model's inputs and outputs, by name, in the model's order.

    A side that is not known is 0.
    """
    import onnx

    from ghostdeploy.lowering.onnx_names import input_names

    model = onnx.load(onnx_path, load_external_data=False)
    inputs, outputs = (
        {v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim) for v in values}
        for values in (model.graph.input, model.graph.output)
    )
    return {name: inputs[name] for name in input_names(model)}, outputs


def find_turns(
    have: Sequence[tuple[Any, ...]],
    expected: Sequence[tuple[int, ...]],
    run_both: Callable[[], tuple[Sequence[Any], Sequence[Any]]],
) -> list[Turn | None]:
    """Return how each output's axes are to be turned, None where they lie as they should.

    ``have`` are the shapes that the converter gave the outputs, ``expected`` those in ONNX.

    Maps (4-D) shall be NHWC, anything else as ONNX has it. onnx2tf brings some outputs back to
    ONNX's order, through transposes, and leaves others, which an inner operator reads too, with
    their channels last. A shape tells which, unless it reads alike both ways, as 40 channels of
    40×40: then what is computed is compared with what onnxruntime computes, by ``run_both``, which
    returns onnxruntime's outputs and the converter's of the same inputs.
    """
    found = [_channels_last(shape, onnx) for shape, onnx in zip(have, expected, strict=True)]
    if None in found:
        truth, got = run_both()
        found = [
            _closer_last(got[n], truth[n]) if last is None else last for n, last in enumerate(found)
        ]
    return [_turn(bool(last), len(shape)) for last, shape in zip(found, expected, strict=True)]


def _channels_last(have: tuple[Any, ...], onnx: tuple[Any, ...]) -> bool | None:
    """Tell whether an output has its channels last, None where its shape does not tell."""
    last = (*onnx[:1], *onnx[2:], *onnx[1:2])
    if len(onnx) < 3:
        return False
    return None if onnx == last or have not in (onnx, last) else have == last


def _closer_last(got: Any, truth: Any) -> bool:
    import numpy as np

    errors = [
        np.abs(x - truth).max(initial=0.0) if x.shape == truth.shape else np.inf
        for x in (np.moveaxis(got, -1, 1), got)
    ]
    return bool(errors[0] < errors[1])


def _turn(last: bool, rank: int) -> Turn | None:
    if rank == 4:
        return None if last else (0, 2, 3, 1)
    return (0, rank - 1, *range(1, rank - 1)) if last else None


def draw_inputs(sources: Sequence[Any]) -> dict[str, Any]:
    """Draw random values for what an onnxruntime session's ``get_inputs`` describes."""
    import numpy as np

    random, feed = np.random.RandomState(0), {}
    for source in sources:
        kind = "float32" if "float" in source.type else source.type[len("tensor(") : -1]
        feed[source.name] = random.rand(*source.shape).astype(kind)
    return feed
