"""nearest-resize: which source pixels each side reads."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from ghostdeploy.linting.rules.nearest_resize import TFLITE_HALF, TORCH, find_pixels
from tests.linting.rules.hand_made import Onnx, Tflite, only, rules


def tflite(before: int, after: int, **fields: object):
    t = Tflite((1, before, before, 4))
    size = t.constant([after, after], "int32")
    shape = (1, after, after, 4)
    return t.graph(t.op("RESIZE_NEAREST_NEIGHBOR", [t.input, size], shape, **fields))


def onnx(before: int, after: int, **attributes: object):
    o = Onnx((1, 4, before, before))
    sizes = o.constant([1, 4, after, after], "int64")
    return o.graph(o.op("Resize", o.input, "", "", sizes, mode="nearest", **attributes))


def warned(graph) -> bool:
    return "nearest-resize" in rules(graph, "warning")


@pytest.mark.parametrize(
    ("before", "after", "fields", "differs"),
    [
        (3, 7, {"halfPixelCenters": True}, True),
        (3, 7, {}, False),
        (4, 8, {"halfPixelCenters": True}, False),
        (8, 4, {"halfPixelCenters": True}, True),
        (8, 4, {}, False),
        (3, 5, {"alignCorners": True}, True),
    ],
)
def test_tflite(before: int, after: int, fields: dict[str, bool], differs: bool) -> None:
    assert warned(tflite(before, after, **fields)) is differs


def test_the_finding_says_where() -> None:
    finding = only(tflite(3, 7, halfPixelCenters=True), "nearest-resize")
    assert "3 → 7" in finding.message
    assert "1 of 7" in finding.message


def test_a_bilinear_resize_is_none() -> None:
    t = Tflite((1, 3, 3, 4))
    size = t.constant([7, 7], "int32")
    assert rules(t.graph(t.op("RESIZE_BILINEAR", [t.input, size], (1, 7, 7, 4)))) == {}


@pytest.mark.parametrize(
    ("before", "after", "mode", "rounding", "severity"),
    [
        (3, 7, "asymmetric", "floor", "info"),
        (4, 8, "asymmetric", "floor", None),
        (3, 7, "half_pixel", "round_prefer_ceil", None),
        (8, 4, "half_pixel", "round_prefer_floor", "warning"),
        (4, 8, "half_pixel", "round_prefer_floor", None),
        (3, 5, "align_corners", "round_prefer_floor", "warning"),
    ],
)
def test_onnx(before: int, after: int, mode: str, rounding: str, severity: str | None) -> None:
    graph = onnx(before, after, coordinate_transformation_mode=mode, nearest_mode=rounding)
    assert rules(graph) == ({"nearest-resize": 1} if severity else {})
    if severity:
        assert only(graph, "nearest-resize").severity == severity


SIZES = [(3, 7), (7, 14), (5, 11), (8, 4), (7, 3), (2, 9), (13, 13)]


@pytest.mark.parametrize(("before", "after"), SIZES)
def test_torchs_rule_is_torchs(before: int, after: int) -> None:
    import torch

    line = torch.arange(before, dtype=torch.float32).reshape(1, 1, before)
    read = torch.nn.functional.interpolate(line, size=after, mode="nearest")
    assert tuple(int(v) for v in read.flatten()) == find_pixels(TORCH, before, after)


@pytest.mark.parametrize(("before", "after"), SIZES)
@pytest.mark.parametrize("half", [True, False])
def test_tflites_rule_is_tflites(before: int, after: int, half: bool) -> None:
    from ai_edge_litert.interpreter import Interpreter

    t = Tflite((1, before, 1, 1))
    size = t.constant([after, 1], "int32")
    shape = (1, after, 1, 1)
    out = t.op("RESIZE_NEAREST_NEIGHBOR", [t.input, size], shape, halfPixelCenters=half)
    interpreter = Interpreter(model_content=t.bytes(out))
    interpreter.allocate_tensors()
    line = np.arange(before, dtype=np.float32).reshape(1, before, 1, 1)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], line)
    interpreter.invoke()
    read = interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).flatten()
    rule = TFLITE_HALF if half else TORCH
    assert tuple(int(v) for v in read) == find_pixels(rule, before, after)


@pytest.mark.parametrize(("before", "after"), SIZES)
@pytest.mark.parametrize("mode", ["asymmetric", "half_pixel", "align_corners"])
@pytest.mark.parametrize("rounding", ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"])
def test_onnxs_rules_are_onnxs(before: int, after: int, mode: str, rounding: str) -> None:
    how = {"coordinate_transformation_mode": mode, "nearest_mode": rounding}
    assert run_onnx(before, how, sizes=after) == find_pixels((mode, rounding), before, after)


def run_onnx(before: int, how: dict[str, str], *, sizes: int = 0, scale: float = 0.0):
    """The pixels that onnxruntime reads for an output of that many, or for that scale."""
    from onnxruntime import InferenceSession, SessionOptions

    o = Onnx((1, 1, before, 1))
    given = (
        ("", "", o.constant([1, 1, sizes, 1], "int64"))
        if sizes
        else ("", o.constant([1, 1, scale, 1]))
    )
    model = o.model(o.op("Resize", o.input, *given, mode="nearest", **how))
    quiet = SessionOptions()
    quiet.log_severity_level = 3
    line = np.arange(before, dtype=np.float32).reshape(1, 1, before, 1)
    (read,) = InferenceSession(model.SerializeToString(), quiet).run(None, {"image": line})
    return tuple(int(v) for v in read.flatten())


@pytest.mark.parametrize(("before", "after"), SIZES[:-1])  # onnxruntime copies at the same size
@pytest.mark.parametrize("rounding", ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"])
def test_tf_half_pixel_is_tensorflows(before: int, after: int, rounding: str) -> None:
    """onnxruntime runs it, though it left ONNX at opset 13."""
    how = {"coordinate_transformation_mode": "tf_half_pixel_for_nn", "nearest_mode": rounding}
    rule = ("tf_half_pixel_for_nn", rounding)
    assert run_onnx(before, how, sizes=after) == find_pixels(rule, before, after)


def test_tf_half_pixel_left_onnx() -> None:
    how = {"coordinate_transformation_mode": "tf_half_pixel_for_nn", "nearest_mode": "floor"}
    finding = only(onnx(4, 8, **how), "nearest-resize")
    assert finding.severity == "warning"
    assert "not in opset 18" in finding.message


@pytest.mark.parametrize("scale", [7 / 3, 2.34, 2.6])
def test_scales_say_more_than_sizes(scale: float) -> None:
    """3·2.6 gives 7 as well, but reads [0,0,0,1,1,1,2]."""
    how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    step = 1 / Fraction(float(np.float32(scale)))
    assert find_pixels(TORCH, 3, 7, step) == run_onnx(3, how, scale=scale)
    o = Onnx((1, 1, 3, 3))
    graph = o.graph(
        o.op("Resize", o.input, "", o.constant([1, 1, scale, scale]), mode="nearest", **how)
    )
    here, there = find_pixels(TORCH, 3, 7, step), find_pixels(TFLITE_HALF, 3, 7)
    wrong = sum(a != b for a, b in zip(here, there, strict=True))
    assert f"{wrong} of 7 rows" in only(graph, "nearest-resize").message


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_scales_that_make_no_sense_are_left_out(scale: float) -> None:
    o = Onnx((1, 1, 3, 3))
    scales = o.constant([1, 1, scale, scale])
    o.graph(o.op("Resize", o.input, "", scales, mode="nearest"))
