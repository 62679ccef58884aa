"""The command line says everything, and nothing that the program would ignore."""

from __future__ import annotations

import pytest

from android_bench.errors import OptionError
from android_bench.program.command_line import BenchmarkOptions, build_command_line


def test_command_line_is_explicit():
    assert build_command_line("bin/benchmark_model", "/data/m.tflite", BenchmarkOptions()) == (
        "bin/benchmark_model",
        "--graph=/data/m.tflite",
        "--num_threads=1",
        "--num_runs=50",
        "--warmup_runs=1",
        "--min_secs=0",
        "--warmup_min_secs=0",
        "--use_xnnpack=true",
    )


def test_command_line_with_everything():
    options = BenchmarkOptions(
        threads=4, runs=7, warmup_runs=0, min_secs=0.5, warmup_min_secs=2, fp16=True,
        op_profiling=True, report_memory=True, plus_flags=("--max_secs=9",),
    )  # fmt: skip
    assert build_command_line("b", "m", options)[2:] == (
        "--num_threads=4",
        "--num_runs=7",
        "--warmup_runs=0",
        "--min_secs=0.5",
        "--warmup_min_secs=2",
        "--use_xnnpack=true",
        "--xnnpack_force_fp16=true",
        "--enable_op_profiling=true",
        "--report_peak_memory_footprint=true",
        "--max_secs=9",
    )


@pytest.mark.parametrize(
    ("xnnpack", "flag"), [(True, "--use_xnnpack=true"), (False, "--use_xnnpack=false")]
)
def test_xnnpack_is_said(xnnpack, flag):
    assert flag in build_command_line("b", "m", BenchmarkOptions(use_xnnpack=xnnpack))


def test_xnnpack_can_be_left_to_the_program():
    argv = build_command_line("b", "m", BenchmarkOptions(use_xnnpack=None))
    assert not any("xnnpack" in argument for argument in argv)


@pytest.mark.parametrize(
    "wrong",
    [
        {"threads": 0},
        {"runs": 0},
        {"warmup_runs": -1},
        {"min_secs": -1.0},
        {"warmup_min_secs": float("nan")},
        {"fp16": True, "use_xnnpack": None},
        {"fp16": True, "use_xnnpack": False},
        {"plus_flags": ("-v=1",)},
        {"plus_flags": ("--verbose",)},
        {"plus_flags": ("--=1",)},
        {"plus_flags": ("stray",)},
        {"plus_flags": ("--a=1\n",)},
        {"plus_flags": ("--num_threads=4",)},
        {"plus_flags": ("--graph=x",)},
    ],
)
def test_options_that_the_program_would_ignore_or_misread(wrong):
    with pytest.raises(OptionError):
        BenchmarkOptions(**wrong)


@pytest.mark.parametrize(("binary", "model"), [("", "m"), ("b", ""), ("b", "m\0")])
def test_paths_that_are_none(binary, model):
    with pytest.raises(OptionError):
        build_command_line(binary, model, BenchmarkOptions())
