"""The program, from its flags to its exit code."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Set
from pathlib import Path

from ghostdeploy.fake_phone.benchmark_model.buffers import (
    fill_inputs,
    parse_input_files,
    write_outputs,
)
from ghostdeploy.fake_phone.benchmark_model.console import BenchmarkFailed, say
from ghostdeploy.fake_phone.benchmark_model.flags import Flags, log_parameters, parse_flags
from ghostdeploy.fake_phone.benchmark_model.footprint import report_peak, resident_mib
from ghostdeploy.fake_phone.benchmark_model.loading import StandInModel, load
from ghostdeploy.fake_phone.benchmark_model.profile_tables import report_profile
from ghostdeploy.fake_phone.benchmark_model.timed_runs import mean, run


def main(argv: list[str]) -> int:
    """Run the program and return its exit code."""
    say("STARTING!")
    try:
        flags, given = parse_flags(argv)
        benchmark(flags, given)
    except BenchmarkFailed as failure:
        for line in failure.args:
            print(f"ERROR: {line}", file=sys.stderr, flush=True)
        return 1
    return 0


def benchmark(flags: Flags, given: Set[str]) -> None:
    """Load the model, run it, and print what the program prints meanwhile."""
    import ai_edge_litert.interpreter  # noqa: F401  its own cost is not the model's

    log_parameters(flags, given)
    before_mib = resident_mib()
    loaded = load(flags, before_mib)
    size_mb = Path(flags.graph).stat().st_size / 1e6
    say(f"The input model file size (MB): {size_mb:g}")
    say(f"Initialized session in {loaded.init_s * 1e3:g}ms.")
    if flags.dry_run:
        flags = dataclasses.replace(
            flags, num_runs=0, min_secs=-1.0, warmup_runs=0, warmup_min_secs=-1.0
        )
    fill_inputs(loaded.interpreter, parse_input_files(flags.input_layer_value_files))
    warmup = run(loaded.interpreter, flags.warmup_runs, flags.warmup_min_secs, flags.max_secs)
    runs = run(loaded.interpreter, flags.num_runs, flags.min_secs, flags.max_secs)
    report(loaded, warmup, runs, before_mib)
    if flags.output_filepath:
        write_outputs(loaded.interpreter, flags.output_filepath)
    if flags.report_peak_memory_footprint:
        report_peak()
    if flags.enable_op_profiling:
        report_profile(loaded, runs)


def report(loaded: StandInModel, warmup: list[int], runs: list[int], before_mib: float) -> None:
    """Print the timings, and how much memory the process has gained since ``before_mib``."""
    say(
        f"Inference timings in us: Init: {round(loaded.init_s * 1e6)},"
        f" First inference: {warmup[0] if warmup else 0},"
        f" Warmup (avg): {mean(warmup):.6g}, Inference (avg): {mean(runs):.6g}"
    )
    say(
        "Note: as the benchmark tool itself affects memory footprint, the following is only"
        " APPROXIMATE to the actual memory footprint of the model at runtime. Take the"
        " information at your discretion."
    )
    say(
        "Memory footprint delta from the start of the tool (MB):"
        f" init={loaded.init_mem_mib:.6g} overall={resident_mib() - before_mib:.6g}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
