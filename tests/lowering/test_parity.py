"""The comparison behind every proof, on arrays whose distance is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ghostdeploy.lowering import parity
from ghostdeploy.schema import ExportOptions
from ghostdeploy.zoo import make_spec

ONE = np.array([[3.0, 4.0]], np.float32)  # of norm 5


def judge(got, layers=None, precision="fp32", expected=ONE):
    pairs = [([expected], [np.asarray(got, np.float32)])]
    return parity.compare("tflite", "LiteRT", precision, pairs, layers or {})


def test_relative_l2_by_its_definition() -> None:
    assert parity.relative_l2(ONE, ONE) == 0.0
    assert parity.relative_l2(ONE, np.array([[3.0, 5.0]], np.float32)) == pytest.approx(1 / 5)
    assert parity.relative_l2(ONE, np.zeros((1, 2), np.float32)) == pytest.approx(1.0)
    assert parity.relative_l2(np.zeros(2), np.zeros(2)) == 0.0
    assert parity.relative_l2(np.zeros(2), np.array([3.0, 4.0])) == pytest.approx(5e12)


@pytest.mark.parametrize("got", [[[3.0, math.nan]], [[3.0, math.inf]], [[3.0]], [[[3.0, 4.0]]]])
def test_nan_and_another_shape_are_infinitely_far(got) -> None:
    assert parity.relative_l2(ONE, np.array(got, np.float32)) == math.inf


def test_small_differences_are_not_lost_to_single_precision() -> None:
    reference = np.full(1_000_000, 1.0, np.float32)
    got = reference.copy()
    got[0] += np.float32(0.1)
    assert parity.relative_l2(reference, got) == pytest.approx(1e-4, rel=1e-4)


@pytest.mark.parametrize("precision", parity.TOLERANCES)
def test_the_tolerance_of_a_precision_is_its_limit(precision: str) -> None:
    limit = parity.TOLERANCES[precision].outputs
    assert judge([[3.0, 4.0 + 5 * limit * 0.999]], precision=precision).passed
    assert not judge([[3.0, 4.0 + 5 * limit * 1.001]], precision=precision).passed


def test_tolerances_are_finer_than_the_defects_that_they_must_see() -> None:
    """3→7 nearest resizes of another meaning move the logits by 1.1e-1, their tensor by 4.1e-1."""
    for name in ("fp32", "fp16", "int16x8"):
        assert parity.TOLERANCES[name].outputs <= 0.1
    assert parity.TOLERANCES["fp32"].layers == 10 * parity.TOLERANCES["fp32"].outputs == 1e-3
    eight = {parity.TOLERANCES[name] for name in ("int8", "int8-float-io", "int8-qdq")}
    assert eight == {parity.Tolerance(0.8, 3.0)}  # another function is 1 away and more
    others = {"dynamic": (0.3, 1.0), "int16x8": (0.1, 1.0), "fp16": (1e-2, 2e-2)}
    for name, limits in others.items():
        assert parity.TOLERANCES[name] == parity.Tolerance(*limits)


def test_an_inner_tensor_alone_fails_the_proof() -> None:
    assert judge(ONE, {"a": 1e-3, "b": 1e-5}).passed
    failed = judge(ONE, {"a": 2e-5, "b": 1.1e-3})
    assert not failed.passed
    assert (failed.worst_layer, failed.worst_layer_rel_l2, failed.layers) == ("b", 1.1e-3, 2)
    none = judge(ONE)
    assert (none.passed, none.worst_layer, none.worst_layer_rel_l2, none.layers) == (
        True, "", 0.0, 0,
    )  # fmt: skip


def test_what_is_told_of_several_inputs_is_the_worst() -> None:
    far = np.array([[3.0, 2.5]], np.float32)  # another class wins; 1.5 away
    pairs = [([ONE], [ONE]), ([ONE], [ONE]), ([ONE], [ONE]), ([ONE], [far])]
    found = parity.compare("onnx", "onnxruntime", "fp32", pairs, {})
    assert (found.inputs, found.max_abs, found.top1_agreement) == (4, 1.5, 0.75)
    assert found.rel_l2 == pytest.approx(1.5 / 5)
    maps = [([np.ones((1, 2, 2, 1), np.float32)],) * 2]
    assert parity.compare("onnx", "x", "fp32", maps, {}).top1_agreement is None


def test_of_several_outputs_the_first_is_the_classes() -> None:
    other = ONE[:, ::-1]
    found = parity.compare("onnx", "x", "fp32", [([ONE, other], [ONE, other])], {})
    assert (found.passed, found.top1_agreement) == (True, 1.0)


def test_inner_tensors_are_compared_in_both_layouts_and_the_references_order() -> None:
    nchw = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
    nhwc = nchw.transpose(0, 2, 3, 1)
    reference = {"z": nchw, "a": nchw, "gone": nchw, "odd": nchw, "flat": nchw.reshape(24)}
    got = {"a": nchw + 1, "z": nhwc, "odd": nchw.reshape(4, 3, 2, 1), "flat": nchw.reshape(24)}
    errors = parity.layer_errors(reference, got)
    assert list(errors) == ["z", "a", "flat"]
    assert (errors["z"], errors["flat"]) == (0.0, 0.0)
    norm = math.sqrt(sum(n * n for n in range(24)))
    assert errors["a"] == pytest.approx(math.sqrt(24) / norm)


def test_example_inputs_are_normalized_or_in_rgb() -> None:
    """ImageNet's means and deviations, as the published network was trained with."""
    spec = make_spec(width=0.1, resolution=(64, 96))
    plain = parity.example_inputs(spec, ExportOptions())
    rgb = parity.example_inputs(spec, ExportOptions(embed_preprocessing=True))
    assert len(plain) == len(rgb) == 8
    assert {image.shape for image in plain + rgb} == {(1, 3, 64, 96)}
    assert {image.dtype for image in plain + rgb} == {np.dtype(np.float32)}
    assert max(float(image.max()) for image in rgb) > 200
    assert min(float(image.min()) for image in rgb) >= 0
    mean = np.array([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
    deviation = np.array([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)
    for one, other in zip(plain, rgb, strict=True):
        np.testing.assert_allclose(one, (other / 255 - mean) / deviation, atol=1e-4)
