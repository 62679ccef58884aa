"""The options of ``ghostdeploy gate``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ghostdeploy.cli.options.measuring import bench_options, export_options
from ghostdeploy.errors import UsageError

if TYPE_CHECKING:
    from ghostdeploy.gate import GatePolicy

F = TypeVar("F", bound=Callable[..., Any])

# option -> what of BenchParams an accepted baseline pins
BENCH_FIELDS = {
    "threads": ("threads",),
    "runs": ("runs",),
    "warmup": ("warmup",),
    "runtime": ("runtime",),
    "xnnpack": ("xnnpack", "fp16"),
    "delegate": ("delegate",),
    "plus_flags": ("plus_flags",),
    "cpus": ("cpus",),
    "benchmark_model": ("benchmark_model",),
    "timeout": ("timeout_s",),
    "max_disturbance": ("max_disturbance",),
    "max_thermal": ("phone.max_thermal",),
    "max_temp": ("phone.max_temp_c",),
    "min_battery": ("phone.min_battery",),
    "screen_on": ("phone.screen_on",),
    "fixed_performance": ("phone.fixed_performance",),
}
# How many launches there are is for the gate to decide, and it profiles by itself.
NOT_FOR_GATES = ("launches", "profile", "resume", "wait")


def measuring_options(command: F) -> F:
    """As bench's and export's, but for what a gate decides itself."""
    decorated = export_options(bench_options(command))
    kept = [p for p in decorated.__click_params__ if p.name not in NOT_FOR_GATES]  # type: ignore[attr-defined]
    decorated.__click_params__ = kept  # type: ignore[attr-defined]
    return decorated


def gate_options(command: F) -> F:
    """What to judge by, what to write, and where the baselines are."""
    for option in (
        click.option("--badge", type=Path, metavar="FILE", help="Write shields.io's JSON."),
        click.option("--markdown", type=Path, metavar="FILE", help="Write a summary."),
        click.option("--junit", type=Path, metavar="FILE", help="Write JUnit XML."),
        click.option(
            "--history",
            type=Path,
            default=Path("reports/gate-history.jsonl"),
            show_default=True,
            help="Every gate adds a line.",
        ),
        click.option(
            "--baselines", type=Path, default=Path("reports/baselines"), show_default=True
        ),
        click.option("--name", default="", help="Of this gate, in reports and in the history."),
        click.option(
            "--wait", default=60.0, show_default=True, help="Minutes to queue for the device."
        ),
        click.option(
            "--retry-invalid",
            type=click.IntRange(0, 10),
            default=0,
            show_default=True,
            help="Measure again, so often, while the verdict is invalid.",
        ),
        click.option("--max-pairs", default=36, show_default=True, help="Attempts at most."),
        click.option("--looks", default="10,16,24", show_default=True, help="Valid pairs."),
        click.option("--screen", default="10%", show_default=True, help="A launch's own outlier."),
        click.option("--alpha", default="1%", show_default=True, help="Risk of a false alarm."),
        click.option("--delta", default="5%", show_default=True, help="What a pass rules out."),
        click.option(
            "--tolerance",
            default="2%",
            show_default=True,
            help="What is let through; of instructions 0.5%.",
        ),
        click.option(
            "--max-ratio",
            multiple=True,
            metavar="NAME=LIMIT",
            help="Of the latency to another model's in this session, e.g. GhostNet=1.25.",
        ),
        click.option("--max-peak-mem-mb", type=float, metavar="MB"),
        click.option("--max-size-mb", type=float, metavar="MB"),
        click.option("--max-latency-ms", type=float, metavar="MS"),
        click.option("--time-budget", default=0.0, metavar="MIN", help="For the whole suite."),
        click.option("--suite", type=Path, metavar="FILE", help="Many gates, from a TOML file."),
        click.option("--calibrate", is_flag=True, help="A/A: learn what the device resolves."),
    ):
        command = option(command)
    return command


def policy_of(o: dict[str, Any]) -> GatePolicy:
    """Raises UsageError for what makes no sense."""
    from ghostdeploy.gate import GatePolicy

    try:
        looks = tuple(int(n) for n in o["looks"].split(","))
    except ValueError as error:
        raise UsageError(f"--looks takes pairs such as 10,16,24, not {o['looks']!r}") from error
    return GatePolicy(
        tolerance=_share("tolerance", o),
        delta=_share("delta", o),
        alpha=_share("alpha", o),
        looks=looks,
        max_pairs=o["max_pairs"],
        screen=_share("screen", o),
    )


def _share(name: str, o: dict[str, Any]) -> float:
    """``2%`` or ``0.02``."""
    text: str = o[name]
    number, percent, rest = text.strip().partition("%")
    try:
        value = float(number) / (100 if percent else 1)
    except ValueError:
        rest = "?"
        value = 0.0
    if rest or (value >= 1 and not percent):
        raise UsageError(f"--{name} takes a share such as 2% or 0.02, not {text!r}")
    return value
