"""The emulator itself: exact counts of a small network, and hand-counted products."""

from __future__ import annotations

import pytest

from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.runners import open_runner
from ghostdeploy.schema import BenchParams

# tiny: a 3×3 convolution, 3 → 8 channels on 16×16 pixels, then a mean over the pixels
PRODUCTS = 16 * 16 * 8 * 3 * 3 * 3
LANES = 4  # of a 128-bit register in fp32; XNNPACK multiplies all of them, also beyond an edge

pytestmark = pytest.mark.usefixtures("emulated")


def launched(model, core="cortex-a76", **changes):
    params = BenchParams(profile=True, **{"runtime": "litert", **changes})
    return open_runner(f"qemu:{core}", params).launch(model, params)


@pytest.fixture(scope="module")
def launch(tiny):
    return launched(tiny)


def test_a_launch_counts_and_tells_no_time(launch):
    assert launch.valid
    assert launch.summary is None
    assert launch.samples_ms == ()
    assert launch.peak_mem_mb > 0
    assert launch.instructions.rel_l2 < 1e-6


def test_int8_is_held_to_what_int8_can_hold(trained_int8):
    """Arm's kernels round in another way: an int8 network is not refused for that."""
    found = launched(trained_int8.path("tflite"))
    assert found.valid, found.why_not
    assert found.instructions.total > PRODUCTS / 16  # sixteen products a register at most


def test_two_launches_count_the_same(tiny, launch):
    assert launched(tiny).instructions == launch.instructions


def test_the_products_are_all_there(launch):
    """Every product is one lane of a multiply-accumulate; the padding's are there, too."""
    counted = launch.instructions.multiply_accumulate * LANES
    assert PRODUCTS <= counted < 1.25 * PRODUCTS


def test_the_operators_have_the_graphs_names_and_sum_up(launch):
    ops = launch.instructions.operators
    assert [op.op.partition(" (")[0] for op in ops][:1] == ["Convolution"]
    assert ops[0].name
    assert ops[0].multiply_accumulate == launch.instructions.multiply_accumulate
    assert 0.9 < sum(op.total for op in ops) / launch.instructions.total < 1.1


def test_builtin_kernels_count_the_same_whenever_they_run(tiny):
    """Their matrix library looks at the clock, which is the run's own."""
    first, second = (launched(tiny, xnnpack=False).instructions for _ in range(2))
    assert first == second


def test_builtin_kernels_and_other_cores_are_other_counts(tiny, launch):
    builtin = launched(tiny, xnnpack=False).instructions
    assert builtin.total != launch.instructions.total
    assert [op.op for op in builtin.operators] == ["CONV_2D", "MEAN"]
    assert launched(tiny, core="cortex-a53").instructions.rel_l2 < 1e-6


def test_half_precision_converts_and_is_less_exact(tiny):
    half = launched(tiny, fp16=True).instructions
    assert "F16" in "".join(op.op for op in half.operators)
    assert 1e-6 < half.rel_l2 < 1e-2


@pytest.mark.parametrize(
    ("device", "changes", "says"),
    [
        ("qemu:cortex-a77", {}, "did you mean cortex-a76"),
        ("qemu:max", {}, "there are cortex-a35"),
        ("qemu:cortex-a53", {"fp16": True}, "cortex-a76, neoverse-n1, a64fx have"),
        ("qemu", {"threads": 2}, "one thread exactly"),
        ("qemu", {"cpus": (0,)}, "leave --cpus out"),
        ("qemu", {"runtime": "onnxruntime"}, "run litert or benchmark_model"),
        ("qemu", {"delegate": "gpu"}, "has no gpu"),
        ("qemu", {"plus_flags": ("--a=b",)}, "needs TFLite.s own program"),
        ("qemu", {"runtime": "benchmark_model"}, "needs the program"),
    ],
)
def test_what_it_cannot_do_is_said(device, changes, says):
    with pytest.raises(UsageError, match=says):
        open_runner(device, BenchParams(**{"runtime": "litert", **changes}))


def test_a_model_that_litert_refuses(tmp_path):
    from tests import small_models

    path = tmp_path / "custom.tflite"
    path.write_bytes(small_models.tflite("custom"))
    with pytest.raises(InputFileError, match=r"custom\.tflite: LiteRT for aarch64 cannot run it"):
        launched(path)
