"""``bench``, ``compare`` and ``report`` with an emulated core: instructions, and never a time."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ghostdeploy.commands.artifacts import artifact_of
from ghostdeploy.commands.instructions import compare_instructions, count_instructions
from ghostdeploy.errors import MeasurementError, UsageError
from ghostdeploy.records import read_record
from ghostdeploy.runners.arm.emulator_folder import locate_emulator
from ghostdeploy.schema import (
    BenchParams,
    DeviceIdentity,
    Instructions,
    Launch,
    OpInstructions,
)
from tests import small_models
from tests.command_line import ghostdeploy

CORE = DeviceIdentity("qemu", "cortex-a76", "emulated", "cortex-a76", "aarch64", "qemu", 1, "key")


class Counted:
    """A runner whose launches' totals are given; everything else is as of the emulator's."""

    def __init__(self, *totals: int) -> None:
        self.totals = list(totals)

    def identity(self):
        return CORE

    def runtime(self, params):
        from ghostdeploy.runners import RuntimeEvidence

        return RuntimeEvidence("litert", "2.1.0", "sha")

    def warnings(self):
        return ()

    def launch(self, path, params, name=""):
        total = self.totals.pop(0)
        op = OpInstructions("Convolution", "a", 1, 2, 3, total - 6)
        counted = Instructions(
            1, 2, 3, total - 6, operators=(op,) if params.profile else (), max_abs=0.0, rel_l2=0.0
        )
        return Launch(0, 0, "2026-01-01T00:00:00+00:00", ("run",), None, instructions=counted)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(small_models.tflite("tiny"))
    return artifact_of(path)


def test_two_launches_a_model_and_the_operators_from_the_second(model, tmp_path):
    (record,) = count_instructions([model], Counted(100, 100), BenchParams(), tmp_path / "records")
    assert [x.instructions.total for x in record.launches] == [100, 100]
    assert record.instructions.operators[0].total == 100
    (path,) = (tmp_path / "records").glob("*.json")
    assert read_record(path) == record


def test_launches_that_differ_by_one_are_refused(model, tmp_path):
    with pytest.raises(MeasurementError, match="do not count alike: 100, 101 instructions"):
        count_instructions([model], Counted(100, 101), BenchParams(), tmp_path)


def test_ratios_are_of_one_core_with_one_kind_of_kernels(model, tmp_path):
    runner = Counted(100, 100, 125, 125)
    one, two = count_instructions([model, model], runner, BenchParams(), tmp_path)
    assert [row.ratio for row in compare_instructions([one, two])] == [1.0, 1.25]
    other = replace(two, device=replace(CORE, fingerprint="another setup"))
    assert compare_instructions([one, other])[1].ratio is None
    half = replace(two, params=replace(two.params, fp16=True))
    assert compare_instructions([one, half])[1].ratio is None


def test_a_record_of_times_has_no_instructions(model, tmp_path):
    (record,) = count_instructions([model], Counted(9, 9), BenchParams(), tmp_path)
    timed = replace(record, launches=())
    with pytest.raises(UsageError, match="report times and instructions apart"):
        compare_instructions([record, timed])


def test_bench_and_report_as_a_user_sees_them(model, tmp_path):
    if not locate_emulator().complete:
        pytest.skip("no emulated Arm core here; run: ghostdeploy doctor --setup-qemu")
    words = ("bench", model.path, model.path, "--device", "qemu", "--records", tmp_path / "r")
    done = ghostdeploy(*words)
    assert done.returncode == 0, done.stderr
    assert "Instructions (M)" in done.stdout
    assert "multiply-accumulate (M)" in done.stdout
    assert "Relative L2" in done.stdout
    assert " ms" not in done.stdout
    assert "Latency" not in done.stdout
    records = sorted((tmp_path / "r").glob("*.json"))
    done = ghostdeploy("report", *records, "--out", tmp_path / "out", "--name", "x", "--json")
    assert done.returncode == 0, done.stderr
    one, two = json.loads(done.stdout)["models"]
    assert one["instructions"] == two["instructions"]
    assert two["ratio"] == 1.0
    total = one["instructions"]["total"]
    assert f"{total / 1e6:.6f}" in (tmp_path / "out/x.md").read_text()
    assert (tmp_path / "out/x.md").read_text().startswith("# Instructions\n")
    page = (tmp_path / "out/x.html").read_text()
    assert "Instructions of one inference" in page
    assert "<script src" not in page
