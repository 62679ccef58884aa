"""Where the time goes: the kinds of real programs' operators, and what is said of a difference."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from android_bench.log.parse import parse_log
from ghostdeploy.report.latency.profile import (
    KINDS,
    OTHER,
    describe_difference,
    difference_sentences,
    kind_of,
    sum_by_kind,
)
from ghostdeploy.runners.program_io import convert_profile
from ghostdeploy.schema import Interval, OpTime
from tests.android_bench.conftest import load_cases


@pytest.mark.parametrize(
    ("op", "kind"),
    [
        ("Convolution (NHWC, F32) DWConv", "depthwise convolution"),
        ("DEPTHWISE_CONV_2D", "depthwise convolution"),
        ("Convolution (NHWC, QC8) IGEMM", "convolution"),
        ("Fully Connected (NC, QS8, QC8W) GEMM", "1×1 convolution"),
        ("Fully Connected (NC, F32) GEMM", "1×1 convolution"),
        ("BATCH_MATMUL", "attention product"),
        ("RESIZE_NEAREST_NEIGHBOR", "resize"),
        ("Depth To Space (NHWC, X32)", "resize"),
        ("Concatenate (X32)", "concatenation"),
        ("Mean (ND) Reduce2", "mean"),
        ("Multiply (ND)", "multiplication"),
        ("Add (ND)", "addition"),
        ("Average Pooling (NHWC, F32)", "pooling"),
        ("LOGISTIC", "activation"),
        ("Static Reshape (NC)", "layout"),
        ("PAD", "layout"),
        ("STABLEHLO_COMPOSITE", OTHER),
    ],
)
def test_the_kind_of_an_operator(op, kind):
    assert kind_of(op) == kind


@pytest.mark.parametrize(
    "case", ["litert_2.1.0/v2_fp32_opprof_xnnpack", "litert_2.1.0/v2_fp32_opprof_noxnnpack"]
)
def test_mobilenet_v2_as_the_real_program_tells_it(case):
    """17 depthwise convolutions, 10 additions, one stem; the time is that of the whole."""
    log = load_cases()[case]
    parsed = parse_log(log.stdout, log.stderr, log.returncode)
    times = convert_profile(parsed)
    assert sum(kind_of(row.op) == "depthwise convolution" for row in times) == 17
    assert sum(kind_of(row.op) == "addition" for row in times) == 10
    kinds = sum_by_kind(times)
    assert sum(kinds.values()) == pytest.approx(parsed.summary.mean_ms, rel=0.03)
    order = [kind for kind, _ in KINDS]
    assert list(kinds) == sorted(kinds, key=[*order, OTHER].index)


def test_what_a_difference_is_made_of():
    """The sentence that a reader of Table 1 wants."""
    base = {"depthwise convolution": 4.0, "1×1 convolution": 9.0, "addition": 1.0}
    more = {"depthwise convolution": 6.2, "1×1 convolution": 11.5, "addition": 1.01, "resize": 1.4}
    assert describe_difference("DFC", more, "V1", base) == (
        "DFC costs 6.1 ms more than V1 in its operators: +2.5 in 1×1 convolution, +2.2 in"
        " depthwise convolution, +1.4 in resize"
    )
    assert describe_difference("V1", base, "DFC", more).startswith("V1 costs 6.1 ms less than DFC")
    assert (
        describe_difference("V1", base, "V1", base) == "V1 costs 0 ms more than V1 in its operators"
    )


@pytest.mark.parametrize(
    ("ratio", "ms", "says"),
    [
        (Interval(1.22, 1.2, 1.25), 11.7, "do not tell why DFC takes 1.22 of V1's time"),
        (Interval(1.22, 1.2, 1.25), 18.3, "DFC costs 3.3 ms more than V1 in its operators"),
        (Interval(0.8, 0.7, 0.9), 18.3, "they took 3.3 ms more; profile again"),
        (Interval(1.0, 0.9, 1.1), 11.7, "DFC costs 3.3 ms less than V1"),
        (None, 11.7, "DFC costs 3.3 ms less than V1"),
    ],
)
def test_a_profile_that_contradicts_the_ratio_explains_nothing(ratio, ms, says):
    def row(title, took_ms, its_ratio):
        profiled = SimpleNamespace(profile=(OpTime("CONV_2D", "c", took_ms),))
        record = SimpleNamespace(profiled=profiled)
        return SimpleNamespace(title=title, record=record, ratio=its_ratio)

    rows = [row("V1", 15.0, Interval(1, 1, 1)), row("DFC", ms, ratio)]
    (said,) = difference_sentences(rows)
    assert says in said
