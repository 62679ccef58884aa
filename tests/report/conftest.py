"""Records as a measurement would leave them, from a seeded generator."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from statistics import median

import pytest

from ghostdeploy.report.latency.report import Report
from ghostdeploy.schema import (
    Artifact,
    BenchParams,
    BenchRecord,
    Comparison,
    DeviceIdentity,
    DeviceState,
    Evidence,
    Interval,
    LatencySummary,
    Launch,
    ModelSpec,
    OpTime,
    Parity,
)

START = datetime(2024, 5, 17, 9, 30, tzinfo=timezone.utc)
DEVICE = DeviceIdentity(
    scheme="local",
    serial="",
    model="Server",
    soc="8-core x86 processor at 2.5 GHz",
    arch="x86_64",
    os="Linux 6.1",
    cores=8,
)


@dataclass(frozen=True)
class Model:
    """What a made-up comparison is drawn from; ``paper`` is (latency ms, ratio, top-1)."""

    title: str
    arch: str
    latency_ms: float
    ratio: float | None
    params: int
    macs: int
    paper: tuple[float | None, float | None, float | None] = (None, None, None)
    width: float = 1.0


GHOSTNET = Model("GhostNet", "ghostnetv1", 7.412, None, 5_182_840, 141_152_000, (31.1, 1.0, 73.9))
SELF_ATTENTION = Model(
    "GhostNet + self-attention",
    "ghostnetv1_sa",
    11.87,
    1.602,
    5_351_000,
    173_170_000,
    (72.3, 72.3 / 31.1, 74.4),
)
DFC = Model(
    "GhostNetV2 (GhostNet + DFC attention)",
    "ghostnetv2",
    10.09,
    1.361,
    6_156_908,
    167_048_288,
    (37.5, 37.5 / 31.1, 75.3),
)
TABLE_1 = (GHOSTNET, SELF_ATTENTION, DFC)


def make_launch(
    index: int, position: int, count: int, latency_ms: float, dice: random.Random
) -> Launch:
    drift = 1 + 0.012 * index / 10
    value = latency_ms * drift * (1 + dice.gauss(0, 0.006))
    seconds = 6.5 * (index * count + position)
    steal = 0.02 * seconds
    state = DeviceState(
        load_1min=0.6 + dice.random() / 4,
        mem_available_mb=12_345.0,
        max_temp_c=51 + dice.random(),
        cur_freq_khz=(2_400_000,) * 8,
        max_freq_khz=(2_500_000,) * 8,
        governor="performance",
        cpu_steal_s=steal,
        cpu_busy_s=10 * seconds,
        uptime_s=90_000 + seconds,
    )
    return Launch(
        round=index,
        position=position,
        started_at=(START + timedelta(seconds=seconds)).isoformat(),
        argv=("python", "-m", "ghostdeploy.runners.child", "model file.tflite", "--threads", "1"),
        summary=LatencySummary(
            count=50,
            mean_ms=value * 1.01,
            min_ms=value * 0.97,
            max_ms=value * 1.4,
            median_ms=value,
            p5_ms=value * 0.98,
            p95_ms=value * 1.06,
            std_ms=value * 0.02,
        ),
        init_ms=21.5,
        first_ms=value * 1.9,
        peak_mem_mb=58.2,
        cpus=(2, 3),
        cpu_s=5.0,
        neighbours_s=0.2,
        state_before=state,
        state_after=replace(
            state,
            cpu_steal_s=steal + 0.05,
            cpu_busy_s=10 * seconds + 6.2,  # 1.2 s beside ours, of 5 s of 8 cores: 3 %
            uptime_s=90_005 + seconds,
            max_temp_c=53.0,
        ),
        returncode=0,
    )


def make_comparison(model: Model, position: int = 0, count: int = 1) -> Comparison:
    dice = random.Random(position)
    launches = tuple(make_launch(i, position, count, model.latency_ms, dice) for i in range(10))
    return comparison_of(model, launches, ("A", "B", "B", "A") if count > 1 else ("A",))


def comparison_of(
    model: Model, launches: tuple[Launch, ...], order: tuple[str, ...] = ("A",)
) -> Comparison:
    spec = ModelSpec(arch=model.arch, width=model.width)
    artifact = Artifact(
        path=f"models/{spec.name}.tflite",
        sha256=f"{model.params:064x}",
        size_bytes=model.params * 4 + 61_234,
        format="tflite",
        precision="fp32",
        spec=spec,
        weights="seed:0",
        tool_versions={"torch": "2.8.0", "ai-edge-litert": "2.0.2"},
        macs=model.macs,
        params=model.params,
        op_counts={"CONV_2D": 95, "DEPTHWISE_CONV_2D": 62, "ADD": 16, "CONCATENATION": 32},
        rewrites=("fold-batch-norm",),
        parity=(Parity("tflite vs torch", "litert 2.0.2", 8, 3.1e-5, 1.7e-6, 1.0, 1e-4, True),),
    )
    evidence = Evidence(
        model_sha256=artifact.sha256,
        runtime="litert",
        runtime_version="2.0.2",
        runtime_sha256="ab" * 32,
        ghostdeploy_version="0.1.0",
        session="20240517T0930-7f3a",
        order=order,
        started_at=START.isoformat(),
    )
    record = BenchRecord(artifact, DEVICE, BenchParams(), evidence, launches)
    valid = [x.summary.value_ms for x in record.valid_launches if x.summary]
    center = median(valid) if valid else float("nan")
    paper_latency_ms, paper_ratio, paper_top1 = model.paper
    ratio = model.ratio
    return Comparison(
        title=model.title,
        record=record,
        latency_ms=Interval(center, center * 0.993, center * 1.008),
        ratio=None if ratio is None else Interval(ratio, ratio * 0.985, ratio * 1.013),
        noise=0.0061,
        paper_latency_ms=paper_latency_ms,
        paper_ratio=paper_ratio,
        paper_top1=paper_top1,
        paper_source="Table 1" if paper_latency_ms else "",
    )


def invalidate(comparison: Comparison, rounds: set[int], why: str, slower: float) -> Comparison:
    """Some launches, as if the device had been caught throttling."""

    def one(launch: Launch) -> Launch:
        if launch.round not in rounds or launch.summary is None:
            return launch
        slow = replace(launch.summary, median_ms=launch.summary.value_ms * slower, mean_ms=99.0)
        return replace(launch, summary=slow, valid=False, why_not=why)

    record = comparison.record
    return replace(comparison, record=replace(record, launches=tuple(map(one, record.launches))))


def make_report(models: tuple[Model, ...] = TABLE_1, title: str = "Table 1 here") -> Report:
    comparisons = [make_comparison(m, i, len(models)) for i, m in enumerate(models)]
    return Report(title, tuple(comparisons), ("Intervals are 95 %.",))


@pytest.fixture(scope="session")
def table_1() -> Report:
    """GhostNet, + self-attention, + DFC; the last with two throttled launches and advice."""
    report = make_report()
    last = invalidate(report.comparisons[2], {6, 7}, "thermal status 2 (moderate)", 1.18)
    last = replace(last, advice="launches drift; let the device cool: --launches 20")
    return replace(report, comparisons=(*report.comparisons[:2], last))


@pytest.fixture(scope="session")
def crashed(table_1: Report) -> Report:
    """The second model never ran to its end."""
    launches = tuple(
        replace(
            launch,
            summary=None,
            valid=False,
            why_not="exit code 139",
            returncode=139,
            stderr="ERROR: failed to apply delegate\nSegmentation fault",
        )
        for launch in table_1.comparisons[1].record.launches
    )
    dead = comparison_of(SELF_ATTENTION, launches)
    return replace(table_1, comparisons=(table_1.comparisons[0], dead, table_1.comparisons[2]))


@pytest.fixture(scope="session")
def eight() -> Report:
    """As many models as have a colour, with long names that differ at their ends."""
    models = [
        replace(
            DFC,
            title=f"GhostNetV2 with hard-sigmoid gate after bilinear up-sampling, variant {i}",
            latency_ms=1018.0 + 41 * i,
            ratio=1.0 + 0.04 * i if i else None,
            paper=(36.7 + 0.5 * i, 1.0 + 0.013 * i, 75.3 - 0.05 * i),
        )
        for i in range(8)
    ]
    return make_report(tuple(models), "Gates and where they sit")


@pytest.fixture(scope="session")
def crowded() -> Report:
    """Many models with long, unbroken names, each profiled, of launches that go far astray."""
    models = tuple(
        replace(
            DFC,
            title=f"models/ghostnetv2_other_kernel-9-7-5_scale-after_1.0_224_int16x8_{i}.tflite",
            latency_ms=10.0 + i,
            ratio=1 + i / 10 if i else None,
            paper=(None, None, None),
        )
        for i in range(9)
    )
    rows = [invalidate(c, {2, 3, 4}, "x" * 200, 9.4) for c in make_report(models).comparisons]
    return Report("A day's work " * 8, tuple(_profiled(row, n) for n, row in enumerate(rows)))


def _profiled(row: Comparison, number: int) -> Comparison:
    kernels = (
        "Convolution (NHWC, F32) IGEMM",
        "Fully Connected GEMM",
        "DWConv",
        "Add",
        "MEAN",
        "?",
    )
    profile = tuple(
        OpTime(op, f"{op}:{number}", 0.002 * 6**n + number / 9) for n, op in enumerate(kernels)
    )
    launch = replace(row.record.launches[0], profile=profile)
    return replace(row, record=replace(row.record, profiled=launch))


@pytest.fixture(scope="session")
def make() -> Callable[..., Report]:
    return make_report


@pytest.fixture(scope="session")
def ghostnet() -> Model:
    return GHOSTNET
