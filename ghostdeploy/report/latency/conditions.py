"""How it was measured: what was common to all models, and how each one's launches went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from ghostdeploy.report.latency.summary import invalid_reason, measured_latency
from ghostdeploy.report.parts.grid import Facts, Grid, format_cpus, format_share
from ghostdeploy.report.parts.numbers import ABSENT, format_number, format_percent
from ghostdeploy.report.parts.reasons import describe_reasons
from ghostdeploy.schema import Comparison, DeviceIdentity

COMMAND = "Command"


def setup_facts(comparisons: Sequence[Comparison]) -> Facts:
    """Return what was the same for all models, or by model where it was not."""
    facts = [(label, _shared(comparisons, of)) for label, of in _SETUP]
    return tuple((label, text) for label, text in facts if text)


def launch_summary_table(comparisons: Sequence[Comparison]) -> Grid:
    """Return launches, noise and the medians of what was measured on the way."""
    header = (
        "Model",
        "Valid launches",
        "Noise",
        "Load + prepare (ms)",
        "First run (ms)",
        "Peak memory (MB)",
        "Invalid because",
    )
    return Grid(header, tuple(map(_launch_summary_row, comparisons)), frozenset({1, 2, 3, 4, 5}))


def describe_device(device: DeviceIdentity) -> str:
    """Return model, SoC, architecture, system and cores; what is unknown is left out."""
    parts = (device.model, device.soc, device.arch, device.os, f"{device.cores} cores")
    return ", ".join(dict.fromkeys(filter(None, parts)))


def _describe_runtime(comparison: Comparison) -> str:
    proof = comparison.record.evidence
    return f"{proof.runtime} {proof.runtime_version}".strip()


def _describe_serial(comparison: Comparison) -> str:
    device = comparison.record.device
    return f"{device.scheme}:{device.serial}" if device.serial else device.scheme


def _describe_xnnpack(comparison: Comparison) -> str:
    """Return what XNNPACK had to do with it; "" for a runtime that has none to switch."""
    params = comparison.record.params
    if params.runtime == "onnxruntime":
        return ""
    took = {launch.partitions for launch in comparison.record.shown_launches}
    if params.xnnpack and took == {0}:
        return "on, but it took no part of the graph: builtin kernels"
    return "fp16 arithmetic" if params.fp16 else "on" if params.xnnpack else "off"


def describe_clusters(device: DeviceIdentity) -> str:
    """Return ``little Cortex-A55 ×4 (CPUs 0-3, 1.80 GHz); …``, slowest first."""
    return "; ".join(
        f"{c.role} {c.core} ×{len(c.cpus)} (CPUs {format_cpus(c.cpus)}"
        + (f", {c.max_khz / 1e6:.2f} GHz)" if c.max_khz else ")")
        for c in device.clusters
    )


def _describe_cores(comparison: Comparison) -> str:
    """Return what the mask that was read back stands for; "" where there are no clusters."""
    masks = {launch.cpus for launch in comparison.record.shown_launches if launch.cpus}
    if len(masks) != 1:
        return ""
    (cpus,) = masks
    names = [
        f"{c.role} {c.core}" + (f" {c.max_khz / 1e6:.2f} GHz" if c.max_khz else "")
        for c in comparison.record.device.clusters
        if set(c.cpus) & set(cpus)
    ]
    return f"{format_cpus(cpus)} ({', '.join(names)})" if names else ""


def _describe_cpus(comparison: Comparison) -> str:
    return comparison.record.params.cpus or "chosen by the tool"


_SETUP: tuple[tuple[str, Callable[[Comparison], str]], ...] = (
    (COMMAND, lambda c: c.record.evidence.command),
    ("Device", lambda c: describe_device(c.record.device)),
    ("Reached as", _describe_serial),
    ("Build fingerprint", lambda c: c.record.device.fingerprint),
    ("Core clusters", lambda c: describe_clusters(c.record.device)),
    ("Runtime", _describe_runtime),
    ("Program from", lambda c: c.record.evidence.runtime_origin),
    ("XNNPACK", _describe_xnnpack),
    ("Delegate", lambda c: c.record.params.delegate),
    ("Further flags", lambda c: " ".join(c.record.params.plus_flags)),
    ("Input shapes", lambda c: " ".join(map(str, c.record.params.input_shapes))),
    ("Threads", lambda c: str(c.record.params.threads)),
    ("CPUs asked for", _describe_cpus),
    ("Cores", _describe_cores),
    ("Runs a launch", lambda c: f"{c.record.params.runs} after {c.record.params.warmup} warm-up"),
    ("Launches asked for", lambda c: str(c.record.params.launches)),
    ("Session", lambda c: c.record.evidence.session),
    ("Started", lambda c: c.record.evidence.started_at),
    ("Order of the models", lambda c: " → ".join(c.record.evidence.order)),
    ("ghostdeploy", lambda c: c.record.evidence.ghostdeploy_version),
)


def _shared(comparisons: Sequence[Comparison], of: Callable[[Comparison], str]) -> str:
    texts = [of(comparison) for comparison in comparisons]
    if len(set(texts)) <= 1:
        return texts[0] if texts else ""
    each = zip(comparisons, texts, strict=True)
    return "; ".join(f"{c.title}: {text}" for c, text in each if text)


def _launch_summary_row(comparison: Comparison) -> tuple[str, ...]:
    record = comparison.record
    valid = record.valid_launches
    reasons = Counter(filter(None, map(invalid_reason, record.launches)))
    return (
        comparison.title,
        format_share(len(valid), len(record.launches)),
        format_percent(comparison.noise) if measured_latency(comparison) else ABSENT,
        _median(launch.init_ms for launch in valid),
        _median(launch.first_ms for launch in valid),
        _median(launch.peak_mem_mb for launch in valid),
        describe_reasons(reasons) or ABSENT,
    )


def _median(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    return format_number(median(known)) if known else ABSENT
