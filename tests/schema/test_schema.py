"""The central dataclasses: what they refuse, and what they derive."""

from __future__ import annotations

import dataclasses
import math

import pytest

from ghostdeploy import schema
from ghostdeploy.errors import UsageError
from ghostdeploy.schema import (
    Artifact,
    BenchParams,
    BenchRecord,
    DeviceIdentity,
    Evidence,
    Finding,
    GraphReport,
    LatencySummary,
    Launch,
    ModelSpec,
)


def test_every_dataclass_is_frozen() -> None:
    classes = [c for c in vars(schema).values() if dataclasses.is_dataclass(c)]
    assert len(classes) > 10
    assert all(c.__dataclass_params__.frozen for c in classes)


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        (ModelSpec("a"), "a_1.0_224"),
        (ModelSpec("a", 1), "a_1.0_224"),
        (ModelSpec("a", 1.25), "a_1.25_224"),
        (ModelSpec("a", resolution=(192, 320)), "a_1.0_192x320"),
        (ModelSpec("a", variant="paper"), "a_1.0_224_paper"),
        (ModelSpec("a", variant="kernel=9,7,5"), "a_1.0_224_kernel-9.7.5"),
        (ModelSpec("a", variant="x", num_classes=10), "a_1.0_224_x_c10"),
    ],
)
def test_a_specs_name(spec: ModelSpec, name: str) -> None:
    assert spec.name == name


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"width": 0.0}, "width must be between 0.1 and 4.0, not 0.0"),
        ({"width": -1.0}, "width must be"),
        ({"width": 4.1}, "width must be"),
        ({"width": math.nan}, "width must be .* not nan"),
        ({"width": math.inf}, "width must be .* not inf"),
        ({"resolution": (32, 224)}, "resolution must be 33 to 4096 pixels a side, not 32x224"),
        ({"resolution": (224, 32)}, "not 224x32"),
        ({"resolution": (224, 4097)}, "not 224x4097"),
        ({"resolution": (-224, 224)}, "not -224x224"),
        ({"num_classes": 0}, "num-classes must be 1 to 1000000, not 0"),
        ({"num_classes": 1_000_001}, "num-classes must be"),
    ],
)
def test_specs_of_which_there_is_no_network(fields, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ModelSpec("ghostnetv2", **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"width": 0.1},
        {"width": 4.0},
        {"resolution": (33, 4096)},
        {"num_classes": 1},
        {"num_classes": 1_000_000},
    ],
)
def test_the_limits_themselves_are_allowed(fields) -> None:
    ModelSpec("ghostnetv2", **fields)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"threads": 0}, "threads must be at least 1, not 0"),
        ({"runs": 0}, "runs must be at least 1"),
        ({"launches": -3}, "launches must be at least 1, not -3"),
        ({"warmup": -1}, "warmup must not be negative"),
        ({"timeout_s": 0.0}, "timeout must be positive"),
        ({"timeout_s": math.nan}, "timeout must be positive"),
        ({"timeout_s": math.inf}, "timeout must be positive"),
    ],
)
def test_bench_params_that_cannot_measure(fields, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        BenchParams(**fields)


def test_no_warm_up_is_a_choice() -> None:
    assert BenchParams(warmup=0).warmup == 0


def test_errors_of_a_report_leave_warnings_and_notes_out() -> None:
    findings = tuple(Finding("r", s, "n", "m") for s in ("error", "warning", "info", "error"))
    assert GraphReport({}, findings).errors == (findings[0], findings[3])


@pytest.mark.parametrize("path", ["models/b.tflite", "C:\\models\\b.tflite", "b.tflite"])
def test_an_artifact_without_a_spec_is_called_after_its_file(path: str) -> None:
    artifact = Artifact(path, "0" * 64, 1, "tflite", "fp32")
    assert artifact.name == "b.tflite"
    assert dataclasses.replace(artifact, spec=ModelSpec("a")).name == "a_1.0_224"


def test_a_launchs_value_is_its_median_or_else_its_mean() -> None:
    assert LatencySummary(3, mean_ms=5.0, min_ms=1.0, max_ms=9.0, median_ms=4.0).value_ms == 4.0
    assert LatencySummary(3, mean_ms=5.0, min_ms=1.0, max_ms=9.0).value_ms == 5.0
    assert LatencySummary(3, mean_ms=5.0, min_ms=0.0, max_ms=9.0, median_ms=0.0).value_ms == 0.0


def test_valid_launches_have_a_summary_and_are_not_struck_out() -> None:
    summary = LatencySummary(1, 1.0, 1.0, 1.0)
    launches = (
        Launch(0, 0, "", (), summary),
        Launch(1, 0, "", (), summary, valid=False, why_not="throttled"),
        Launch(2, 0, "", (), None),
        Launch(3, 0, "", (), summary),
    )
    record = BenchRecord(
        Artifact("a.tflite", "", 1, "tflite", "fp32"),
        DeviceIdentity("local", "", "", "", "", "", 1),
        BenchParams(),
        Evidence("", "", "", "", "", "", (), ""),
        launches,
    )
    assert [launch.round for launch in record.valid_launches] == [0, 3]
    assert record.schema == "ghostdeploy.bench/1"
