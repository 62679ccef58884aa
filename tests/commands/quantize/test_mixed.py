"""Which blocks stay in float, on a network small enough to quantize many times over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from ghostdeploy.commands.quantize import cost
from ghostdeploy.commands.quantize.mixed import blocks_of, choose_float_blocks, target_db
from ghostdeploy.commands.quantize.plan import QuantizationPlan
from ghostdeploy.commands.quantize.quantizer import TfliteQuantizer
from ghostdeploy.errors import ConversionError, UsageError
from ghostdeploy.images.preprocessing import Preprocessing
from ghostdeploy.progress import ignore_progress
from ghostdeploy.quantization import QuantizeOptions, calibration, int8_rewrites, ranges
from ghostdeploy.schema import BenchParams
from tests.lowering.rewrites.tiny import tiny

LAYERS = ("conv_stem", "blocks.0.0.a", "blocks.0.0.b", "blocks.1.0.a", "classifier")
BLOCKS = ["conv_stem", "blocks.0.0", "blocks.1.0", "classifier"]


def model() -> bytes:
    """A chain of 1×1 convolutions; float inputs and outputs can be as good as exact."""
    t, random = tiny(), np.random.RandomState(0)
    source = x = t.tensor((1, 8, 8, 3))
    t.graph.tensors[source].name = b"image"
    channels = 3
    for name in LAYERS:
        weights = random.standard_normal((6, 1, 1, channels)).astype(np.float32)
        y = t.tensor((1, 8, 8, 6))
        t.graph.tensors[y].name = f"{name}/conv".encode()
        w, b = t.tensor(weights.shape, data=weights), t.tensor((6,), data=np.zeros(6, np.float32))
        t.op("CONV_2D", [x, w, b], [y], kind="Conv2DOptions", strideH=1, strideW=1)
        x, channels = y, 6
    return t.bytes(source, x)


@pytest.fixture(scope="module")
def quantizer() -> TfliteQuantizer:
    how, data = Preprocessing((8, 8)), model()
    images = calibration.make_synthetic(how, 32, 0)
    found = ranges.choose_ranges(data, ranges.observe(data, images.inputs), "minmax", how.limits)
    rewrites = int8_rewrites("int8")
    plan = QuantizationPlan("int8-float-io", QuantizeOptions(), images, how, rewrites)
    return TfliteQuantizer(data, plan, found)


def snrs(quantizer: TfliteQuantizer, keeps) -> list[float]:
    """The output's SNR for each of ``keeps``, by the runtime's own words for its numbers."""
    before = outputs(quantizer.model, quantizer.plan.data.held_out)
    found = [outputs(data, quantizer.plan.data.held_out) for data in quantizer.make_files(keeps)]
    noises = [max(1e-30, ((before - after) ** 2).sum()) for after in found]
    return [float(10 * np.log10((before**2).sum() / noise)) for noise in noises]


def outputs(data: bytes, images) -> np.ndarray:
    interpreter = Interpreter(model_content=data)
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    found = []
    for image in images.transpose(0, 2, 3, 1):
        interpreter.set_tensor(source["index"], image[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(target["index"])[0].astype(np.float64))
    return np.array(found)


def with_options(quantizer: TfliteQuantizer, options: QuantizeOptions) -> TfliteQuantizer:
    return replace(quantizer, plan=replace(quantizer.plan, options=options))


def test_the_blocks_are_the_networks(quantizer):
    assert blocks_of(quantizer.model) == BLOCKS


@pytest.mark.parametrize(
    ("options", "best", "target"),
    [
        (QuantizeOptions(auto_mixed=30.0), 40.0, 30.0),
        (QuantizeOptions(max_snr_loss=4.0), 40.0, 36.0),
        (QuantizeOptions(max_snr_loss=4.0), 200.0, 56.0),  # float in and out: 60 dB is as good
    ],
)
def test_two_ways_to_name_a_target(options, best, target):
    assert target_db(options, best) == target


def test_the_most_helpful_blocks_until_the_target_is_met(quantizer):
    alone = dict(zip(BLOCKS, snrs(quantizer, [(block,) for block in BLOCKS]), strict=True))
    ranked = sorted(BLOCKS, key=lambda block: -alone[block])
    (target,) = snrs(quantizer, [ranked[:2]])
    assert alone[ranked[0]] < target - 0.01
    wanted = with_options(quantizer, QuantizeOptions(auto_mixed=target - 0.01))
    assert choose_float_blocks(wanted, ignore_progress) == tuple(ranked[:2])


def test_a_target_that_is_met_already_keeps_nothing(quantizer):
    easy = with_options(quantizer, QuantizeOptions(auto_mixed=10.0))
    assert choose_float_blocks(easy, ignore_progress) == ()


def test_a_target_out_of_reach(quantizer):
    far = with_options(quantizer, QuantizeOptions(auto_mixed=250.0))
    with pytest.raises(ConversionError, match="every block in float it is 200"):
        choose_float_blocks(far, ignore_progress)


def test_the_cost_is_measured(quantizer, monkeypatch):
    # Too short to judge, but whatever else the machine does, it counts.
    short = BenchParams(launches=2, runs=3, warmup=1, max_disturbance=1.0)
    monkeypatch.setattr(cost, "PARAMS", short)
    mixed, int8 = quantizer.make_files([("blocks.1.0",), ()])
    found = cost.measure_float_cost(mixed, int8, quantizer.model, "tflite", ignore_progress)
    assert found.int8_kernels == 1
    assert (found.launches, found.why_not) == (2, "")
    for ratio in (found.to_int8, found.to_fp32):
        assert ratio is not None
        assert 0 < ratio.lower <= ratio.value <= ratio.upper


def test_a_cost_that_cannot_be_measured_is_said(quantizer):
    found = cost.measure_float_cost(b"", b"", b"", "onnx", ignore_progress)
    assert found.to_int8 is None
    assert found.why_not


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"auto_mixed": 30.0, "max_snr_loss": 1.0}, "two ways to say one thing"),
        ({"auto_mixed": float("nan")}, "auto-mixed must be 0 or more dB"),
        ({"max_snr_loss": -1.0}, "max-snr-loss must be 0 or more dB"),
    ],
)
def test_bad_targets(wrong, expected):
    with pytest.raises(UsageError, match=expected):
        QuantizeOptions(**wrong)


@pytest.mark.parametrize(
    ("precision", "options"),
    [
        ("int16x8", QuantizeOptions(keep_float=("blocks.0.0",))),
        ("int16x8", QuantizeOptions(auto_mixed=30.0)),
        ("int8-qdq", QuantizeOptions(max_snr_loss=3.0)),
    ],
)
def test_precisions_that_cannot_be_mixed(precision, options):
    with pytest.raises(UsageError, match=f"^{precision} "):
        options.check(precision, rgb255=False)
