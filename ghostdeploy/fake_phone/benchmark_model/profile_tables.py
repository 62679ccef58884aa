"""The tables of ``--enable_op_profiling``."""

from __future__ import annotations

from ghostdeploy.fake_phone.benchmark_model.console import say
from ghostdeploy.fake_phone.benchmark_model.loading import StandInModel
from ghostdeploy.fake_phone.benchmark_model.timed_runs import format_statistics, mean


def report_profile(loaded: StandInModel, runs: list[int]) -> None:
    """Print the profile of the initialization and of the runs, one row each."""
    say("Profiling Info for Benchmark Initialization:")
    _print_tables("AllocateTensors", "AllocateTensors/0", [round(loaded.init_s * 1e6)])
    say("Operator-wise Profiling Info for Regular Benchmark Runs:")
    kind = "TfLiteXNNPackDelegate" if loaded.complete else "Graph"
    _print_tables(kind, f"[{kind}]:0", runs or [0])


def _print_tables(kind: str, name: str, samples_us: list[int]) -> None:
    head = "\t{:>40}\t{:>9}\t{:>9}\t{:>8}\t{:>8}\t{:>10}\t{:>9}\t{}"
    titles = head.format(
        "[node type]",
        "[first]",
        "[avg ms]",
        "[%]",
        "[cdf%]",
        "[mem KB]",
        "[times called]",
        "[Name]",
    )
    first_ms, avg_ms = samples_us[0] / 1e3, mean(samples_us) / 1e3
    row = head.format(
        kind, f"{first_ms:.3f}", f"{avg_ms:.3f}", "100.000%", "100.000%", "0.000", "1", name
    )
    for title in ("Run Order", "Top by Computation Time"):
        print(f"{'=' * 30} {title} {'=' * 30}\n{titles}\n{row}\n")
    summary = "\t{:>40}\t{:>9}\t{:>10}\t{:>11}\t{:>11}\t{:>10}\t{:>9}"
    print(f"Number of nodes executed: 1\n{'=' * 30} Summary by node type {'=' * 30}")
    print(
        summary.format(
            "[Node type]", "[count]", "[avg ms]", "[avg %]", "[cdf %]", "[mem KB]", "[times called]"
        )
    )
    print(summary.format(kind, 1, f"{avg_ms:.3f}", "100.000%", "100.000%", "0.000", 1))
    timings = format_statistics(samples_us).partition(" p5=")[0]
    print(f"\nTimings (microseconds): {timings}\nMemory (bytes): count=0\n1 nodes observed\n\n\n")
