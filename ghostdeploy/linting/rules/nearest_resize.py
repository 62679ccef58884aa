"""nearest-resize: nearest resizing reads the same pixels in torch, ONNX and TFLite.

What: nearest-neighbour resizing whose pixels change on the way from torch or ONNX to TFLite.
    TFLite: a RESIZE_NEAREST_NEIGHBOR that reads other pixels than torch's nearest, ⌊i·in/out⌋.
    ONNX: a Resize that TFLite's half-pixel form reads otherwise, which onnx2tf 1.29.24,
    litert-torch 0.10.0 and keras write (onnx2tf 2.6.9 keeps torch's rule); info where it is torch's
    own rule, which ``ghostdeploy export`` keeps. And ``tf_half_pixel_for_nn`` from opset 13 on,
    which left ONNX there: tf2onnx 1.17.0 writes it at opset 18, checkers pass it, onnxruntime runs
    it, ONNX's reference evaluator does not.
Why: 3 → 7 is [0,0,0,1,1,2,2] in torch and [0,0,1,1,1,2,2] with half-pixel centres. At exact
    multiples the rules agree, so the difference hides until a feature map has an odd size. Nor do
    readers agree: OpenVINO 2026.4.1 ignores half_pixel_centers of a TFLite file.
Fix: bilinear up-sampling, sizes that are exact multiples, or half_pixel_centers off.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from math import ceil, floor, isfinite

from ghostdeploy.linting.graph import Graph, Node
from ghostdeploy.linting.rule import Expectations, finding_at
from ghostdeploy.schema import Finding

CODE = "nearest-resize"
SEVERITY = "warning"
FIX = "resize by exact multiples, or bilinearly, or without half-pixel centres"
MAX_SIDE = 4096
HALF = Fraction(1, 2)

LEFT_ONNX = ("tf_half_pixel_for_nn", 13)  # a coordinate mode, and the opset that dropped it

Sampling = tuple[str, str]  # where pixel centres lie, how the source coordinate is rounded
TORCH: Sampling = ("asymmetric", "floor")
TFLITE_HALF: Sampling = ("tf_half_pixel_for_nn", "floor")
TFLITE_ALIGNED: Sampling = ("align_corners", "round_prefer_ceil")
ROUNDING = {
    "floor": floor,
    "ceil": ceil,
    "round_prefer_floor": lambda x: ceil(x - HALF),
    "round_prefer_ceil": lambda x: floor(x + HALF),
}


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one finding for each resize."""
    for node in graph.nodes:
        sampling = _sampling(node)
        if sampling is None or not node.inputs or not node.outputs:
            continue
        if graph.format == "onnx" and sampling[0] == LEFT_ONNX[0] and node.version >= LEFT_ONNX[1]:
            message = (
                f"{sampling[0]} is not in opset {node.version}: it left ONNX at {LEFT_ONNX[1]}"
            )
            yield finding_at(CODE, SEVERITY, node, message, FIX)
            continue
        other = TORCH if graph.format == "tflite" else TFLITE_HALF
        for before, after, step in _sides(graph, node):
            here = find_pixels(sampling, before, after, step)
            there = find_pixels(other, before, after)
            if here != there:
                yield _finding(node, sampling, before, after, _text(here, there, graph.format))
                break


def _sampling(node: Node) -> Sampling | None:
    a = node.attributes
    if node.native == "RESIZE_NEAREST_NEIGHBOR":
        if a.get("alignCorners"):
            return TFLITE_ALIGNED
        return TFLITE_HALF if a.get("halfPixelCenters") else TORCH
    if node.native == "Upsample" and a.get("mode", b"nearest") == b"nearest":
        return TORCH
    if node.native == "Resize" and a.get("mode", b"nearest") == b"nearest":
        if node.version == 10:  # has neither attribute
            return TORCH
        return (
            _name(a.get("coordinate_transformation_mode", b"half_pixel")),
            _name(a.get("nearest_mode", b"round_prefer_floor")),
        )
    return None


def _name(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else ""


def _sides(graph: Graph, node: Node) -> list[tuple[int, int, Fraction | None]]:
    """Return (before, after, step) of height and width, where they are known and differ.

    An ONNX file may give scales; their inverse is then the step from pixel to pixel, None else.
    """
    image, result = graph.shape(node.inputs[0]), graph.shape(node.outputs[0])
    if len(image) != 4 or len(result) != 4:
        return []
    axes = (1, 2) if graph.format == "tflite" else (2, 3)
    steps = _steps(graph, node)
    sides = [(image[axis], result[axis], steps[axis]) for axis in axes]
    return [(n, m, s) for n, m, s in sides if n != m and 0 < n <= MAX_SIDE and 0 < m <= MAX_SIDE]


def _steps(graph: Graph, node: Node) -> list[Fraction | None]:
    for name in node.inputs[1:]:
        scales = graph.numbers(name)
        if len(scales) == 4 and graph.dtype(name) == "float32":
            return [1 / Fraction(s) if isfinite(s) and s > 0 else None for s in scales]
    return [None] * 4


@cache
def find_pixels(
    sampling: Sampling, before: int, after: int, step: Fraction | None = None
) -> tuple[int, ...]:
    """Return the source pixel of each of ``after`` target pixels; () for an unknown sampling.

    ``step`` is the distance of two of them in the source, before/after where None is given.
    """
    where, rounding = sampling
    scale = step or Fraction(before, after)
    if where == "align_corners":
        scale = Fraction(before - 1, after - 1) if after > 1 else Fraction(0)
    if rounding not in ROUNDING:
        return ()
    round_ = ROUNDING[rounding]
    coordinates = [_coordinate(where, i, scale, after) for i in range(after)]
    return tuple(min(max(round_(c), 0), before - 1) for c in coordinates if c is not None)


def _coordinate(where: str, i: int, scale: Fraction, after: int) -> Fraction | None:
    if where in ("asymmetric", "align_corners"):
        return i * scale
    if (
        where == "tf_half_pixel_for_nn"
    ):  # TFLite does not take the half off again before rounding down
        return (i + HALF) * scale
    if where in ("half_pixel", "half_pixel_symmetric") or (
        where == "pytorch_half_pixel" and after > 1
    ):
        return (i + HALF) * scale - HALF
    return Fraction(0) if where == "pytorch_half_pixel" else None


def _text(here: tuple[int, ...], there: tuple[int, ...], format: str) -> str:
    if not here:
        return "in a way that this rule does not know"
    wrong = sum(a != b for a, b in zip(here, there, strict=True))
    other = "torch's nearest" if format == "tflite" else "the half-pixel form of TFLite converters"
    return f"{wrong} of {len(there)} rows or columns are read from other places than by {other}"


def _finding(node: Node, sampling: Sampling, before: int, after: int, text: str) -> Finding:
    message = f"nearest {before} → {after}: {text}"
    if node.native in ("Resize", "Upsample") and sampling == TORCH:
        return finding_at(
            CODE, "info", node, message, "convert with ghostdeploy, which keeps torch's rule"
        )
    return finding_at(CODE, SEVERITY, node, message, FIX)
