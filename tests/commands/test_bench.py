"""Sessions of real launches: their order, their safety, and what is made of them."""

from __future__ import annotations

import math
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ghostdeploy.commands.artifacts import artifact_of
from ghostdeploy.commands.bench import (
    ATTEMPTS_PER_LAUNCH,
    bench,
    compare_records,
    record_name,
)
from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import InputFileError, MeasurementError, UsageError
from ghostdeploy.records import read_record
from ghostdeploy.runners import open_runner
from ghostdeploy.runners.host import disturbance
from ghostdeploy.runners.local import LocalRunner
from ghostdeploy.schema import (
    Artifact,
    BenchParams,
    BenchRecord,
    DeviceIdentity,
    DeviceState,
    Evidence,
    LatencySummary,
    Launch,
    ModelSpec,
)
from ghostdeploy.stats import launches as stats
from tests import small_models

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _any_steal_will_do(monkeypatch):
    monkeypatch.setattr(disturbance, "_too_much", lambda *_: False)


@pytest.fixture
def models(tmp_path) -> list[Artifact]:
    """Three files of the same tiny model."""
    made = []
    for name in "abc":
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(small_models.tflite())
        made.append(artifact_of(path))
    return made


def run(artifacts, out_dir, progress=None, runner=None, **changes):
    params = BenchParams(**{"runs": 3, "warmup": 1, "launches": 2, **changes})
    runner = runner or open_runner("local", params)
    return bench(artifacts, runner, params, out_dir, *([progress] if progress else []))


def test_models_are_interleaved_there_and_back(models, tmp_path):
    said = []
    got = run(models, tmp_path / "out", lambda *args: said.append(args), launches=3)
    launches = sorted(
        (launch.started_at, record.artifact.name[0], launch.round, launch.position)
        for record in got
        for launch in record.launches
    )
    assert [name for _, name, _, _ in launches] == list("abccbaabc")
    assert [(r, p) for _, _, r, p in launches] == [(r, p) for r in range(3) for p in range(3)]
    assert [done for done, _, _ in said] == list(range(12))
    assert {total for _, total, _ in said} == {12}
    assert [text for _, _, text in said[:4]] == [
        "a.tflite: warm-up launch",
        "b.tflite: warm-up launch",
        "c.tflite: warm-up launch",
        "a.tflite: round 1",
    ]


def test_records_hold_the_evidence_and_are_on_disk(models, tmp_path):
    got = run(models, tmp_path / "out")
    files = sorted((tmp_path / "out").iterdir())
    assert [read_record(path) for path in files] == got
    first = got[0].evidence
    assert first.order == tuple(f"{n}.tflite" for n in "abccba")
    assert {r.evidence.session for r in got} == {first.session}
    assert first.model_sha256 == models[0].sha256 == file_sha256(tmp_path / "a.tflite")
    assert (first.runtime, len(first.runtime_sha256)) == ("litert", 64)
    assert all(len(r.valid_launches) == 2 for r in got)
    assert all(len(x.samples_ms) == 3 for r in got for x in r.launches)
    assert files[0].name.startswith(first.started_at[:10].replace("-", ""))


def test_the_same_model_twice_gives_two_records(models, tmp_path):
    got = run([models[0], models[0]], tmp_path, launches=1)
    assert len(list(tmp_path.glob("*.json"))) == len(got) == 2


def test_invalid_launches_are_kept_and_their_round_repeated(models, tmp_path, monkeypatch):
    def progress(done, total, text):
        spoilt = text == "a.tflite: round 1"
        monkeypatch.setattr(disturbance, "_too_much", lambda *_: spoilt)
        totals.append(total)

    totals = []
    one, two = run(models[:2], tmp_path, progress)
    assert [x.valid for x in one.launches] == [False, True, True]
    assert [x.valid for x in two.launches] == [True, True, True]
    assert one.launches[0].why_not.startswith("the hypervisor took ")
    assert one.launches[0].samples_ms
    assert (totals[0], totals[-1]) == (6, 8)
    assert [x.round for x in one.launches] == [0, 1, 2]


def test_the_budget_ends(models, tmp_path, monkeypatch):
    monkeypatch.setattr(disturbance, "_too_much", lambda *_: True)
    with pytest.raises(MeasurementError, match=r"a\.tflite: no launch was valid: the hypervisor"):
        run(models[:1], tmp_path / "out")
    (path,) = (tmp_path / "out").iterdir()
    kept = read_record(path)
    assert len(kept.launches) == ATTEMPTS_PER_LAUNCH * 2
    assert kept.valid_launches == ()


class HangsLater(LocalRunner):
    """The real runner, with a timeout that no launch meets after the first."""

    def launch(self, model_path, params, name=""):
        if self.__dict__.setdefault("seen", []):
            params = replace(params, timeout_s=0.001)
        self.__dict__["seen"].append(model_path)
        return super().launch(model_path, params, name)


def test_a_model_that_only_hangs_is_given_up_early(models, tmp_path):
    runner = HangsLater("", BenchParams())
    with pytest.raises(MeasurementError, match="no launch was valid: did not finish"):
        run(models[:1], tmp_path / "out", runner=runner, launches=50)
    (path,) = (tmp_path / "out").iterdir()
    assert len(read_record(path).launches) == 3


def test_a_model_that_hangs_at_once_costs_one_launch(models, tmp_path):
    with pytest.raises(MeasurementError, match=r"a\.tflite: did not finish in 0.001 s"):
        run(models, tmp_path / "out", timeout_s=0.001)
    assert list((tmp_path / "out").iterdir()) == []


def test_nothing_is_launched_where_nothing_can_be_written(models, tmp_path):
    (tmp_path / "file").touch()
    said = []
    with pytest.raises(UsageError, match="cannot write"):
        run(models, tmp_path / "file", lambda *args: said.append(args))
    with pytest.raises(UsageError, match="no model"):
        run([], tmp_path)
    assert said == []


def test_wrong_files_are_refused_before_anything_runs(models, tmp_path):
    (tmp_path / "b.tflite").write_bytes(b"")
    said = []
    with pytest.raises(InputFileError, match=r"b\.tflite: is empty"):
        run(models, tmp_path / "out", lambda *args: said.append(args))
    (tmp_path / "b.onnx").write_bytes(small_models.onnx())
    with pytest.raises(UsageError, match="use --runtime onnxruntime"):
        run([models[0], artifact_of(tmp_path / "b.onnx")], tmp_path / "out")
    assert said == []


def test_a_file_that_is_not_the_artifacts_or_changes_meanwhile(models, tmp_path):
    with pytest.raises(InputFileError, match="its SHA-256 differs"):
        run([replace(models[0], sha256="0" * 64)], tmp_path / "out")

    def progress(done, total, text):
        if done == 3:
            with open(models[0].path, "ab") as file:
                file.write(b"\0")

    with pytest.raises(MeasurementError, match="changed during the measurement"):
        run(models[:1], tmp_path / "out", progress, launches=9)
    (path,) = (tmp_path / "out").iterdir()
    assert len(read_record(path).launches) == 2


SESSION = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from ghostdeploy.commands.artifacts import artifact_of
from ghostdeploy.commands.bench import bench
from ghostdeploy.runners import watch
from ghostdeploy.runners.local import LocalRunner
from ghostdeploy.schema import BenchParams

disturbance._too_much = lambda *_: False

class Runner(LocalRunner):
    left = 6  # then a launch that outlasts the test

    def launch(self, model_path, params, name=""):
        self.left -= 1
        if self.left < 0:
            params = replace(params, runs=2_000_000)
        return super().launch(model_path, params, name)

params = BenchParams(runs=3, warmup=1, launches=50)
models = [artifact_of(Path(p)) for p in sys.argv[3:]]
bench(models, Runner("", params), params, Path(sys.argv[2]))
"""


def children_with(text: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            ours = text.encode() in command and b"2000000" in command
            # Once the runtime is loaded, the child is past its own check of its parent.
            if ours and "litert" in (entry / "maps").read_text():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def wait_until(condition) -> bool:
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(condition())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_session_that_is_killed_keeps_its_launches_and_no_child(tmp_path, number):
    paths = [tmp_path / f"{name}.tflite" for name in "ab"]
    for path in paths:
        path.write_bytes(small_models.tflite("heavy"))
    out = tmp_path / "out"
    argv = [sys.executable, "-c", SESSION, str(ROOT), str(out), *map(str, paths)]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
        assert wait_until(lambda: children_with(str(tmp_path))), "the long launch never began"
        process.send_signal(number)
        said = process.communicate()[1]
    wait_until(lambda: not children_with(str(tmp_path)))
    left = children_with(str(tmp_path))
    for pid in left:
        os.kill(pid, signal.SIGKILL)  # a failing test leaves nothing behind either
    assert left == []
    assert ("KeyboardInterrupt" in said) == (number == signal.SIGINT)
    kept = [read_record(path) for path in sorted(out.iterdir())]
    assert [len(r.launches) for r in kept] == [2, 2]
    assert all(x.valid for r in kept for x in r.launches)


DEVICE = DeviceIdentity("adb", "10.0.0.2:5555", "Phone", "soc", "aarch64", "Android", 8)


def test_a_records_name_is_safe_and_says_what_it_is():
    ours = Artifact("x.tflite", "", 1, "tflite", "int8", ModelSpec("ghostnetv2"))
    assert (
        record_name("20250102-030405-abcdef", 1, ours, DEVICE)
        == "20250102-030405-abcdef_2-ghostnetv2_1.0_224-int8.tflite_adb-10.0.0.2-5555.json"
    )
    odd = Artifact("../é /" + "n" * 300 + ";rm.tflite", "", 1, "tflite", "unknown")
    name = record_name("s", 0, odd, replace(DEVICE, serial="../../x"))
    assert name.endswith("_adb-..-..-x.json")
    assert len(name) < 200
    assert name.isascii()
    assert not set(name) & set(" /;\\:")


# compare_records


def record_of(
    values, *, name="m", session="s", device=DEVICE, invalid=(), params=None, others=(), **state
) -> BenchRecord:
    """``others``: the share of the processor that other programs used, launch by launch."""
    shares = [*others, *[None] * len(values)]
    launches = tuple(
        Launch(
            round=n,
            position=0,
            started_at="t",
            argv=(),
            summary=LatencySummary(5, value, value, value, value),
            valid=n not in invalid,
            why_not="too hot" if n in invalid else "",
            state_before=DeviceState(**state, cpu_busy_s=100.0, uptime_s=50.0),
            state_after=DeviceState(
                cpu_busy_s=102.0 + 2.0 * device.cores * (shares[n] or 0.0), uptime_s=52.0
            ),
            cpu_s=None if shares[n] is None else 2.0,
            cpus=(7,),
        )
        for n, value in enumerate(values)
    )
    artifact = Artifact(f"{name}.tflite", "0" * 64, 1, "tflite", "fp32")
    evidence = Evidence("0" * 64, "litert", "1", "1", "0.1.0", session, (name,), "t")
    return BenchRecord(artifact, device, params or BenchParams(), evidence, launches)


def steady(n=10, centre=30.0, seed=1, sd=0.003):
    rng = random.Random(seed)
    return [centre * math.exp(rng.gauss(0, sd)) for _ in range(n)]


def test_pairing_by_round_removes_what_both_saw():
    weather = [1.0, 1.6, 1.1, 2.0, 0.9, 1.3, 1.7, 1.2, 1.05, 1.9]
    base = record_of([30 * w for w in weather], invalid=(5,))
    slower = record_of([30 * w * 1.05 for w in weather], invalid=(0, 3))
    first, second = compare_records([base, slower], ["V1", "V2"])
    assert (first.ratio.value, first.ratio.lower, first.ratio.upper) == (1.0, 1.0, 1.0)
    for value in (second.ratio.value, second.ratio.lower, second.ratio.upper):
        assert value == pytest.approx(1.05)
    assert first.latency_ms.upper / first.latency_ms.lower > 1.3  # unpaired, nothing is seen


def test_the_numbers_of_a_row():
    base, other = steady(seed=1), steady(seed=2, centre=40)
    first, second = compare_records([record_of(base), record_of(other)], ["a", "b"])
    assert (first.title, second.title) == ("a", "b")
    assert second.latency_ms == stats.median_interval(other, 0.95)
    assert second.latency_ms.value == statistics.median(other)
    assert second.noise == stats.robust_relative_sd(other)
    logs = [math.log(y / x) for x, y in zip(base, other, strict=True)]
    expected = stats.signed_rank_interval(logs, 0.95)
    assert second.ratio.lower == pytest.approx(math.exp(expected.lower))
    assert second.ratio.upper == pytest.approx(math.exp(expected.upper))
    assert second.ratio.value == pytest.approx(4 / 3, rel=0.01)
    assert first.advice == second.advice == ""
    wider = compare_records([record_of(base)], ["a"], confidence=0.99)[0].latency_ms
    assert wider.lower <= first.latency_ms.lower


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"session": "t"}, "not measured in one session with base: for a ratio run it and base"),
        ({"device": replace(DEVICE, serial="B")}, "measured on another device than base"),
        ({"invalid": tuple(range(9))}, "fewer than 2 rounds in common with base"),
    ],
)
def test_records_that_cannot_be_paired_get_no_ratio(other, says):
    rows = compare_records([record_of(steady()), record_of(steady(), **other)], ["base", "x"])
    assert rows[1].ratio is None
    assert says in rows[1].advice
    assert rows[1].latency_ms.value > 0
    assert rows[0].ratio is not None


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(UsageError, match="2 titles"):
        compare_records([record_of(steady())], ["a", "b"])
    with pytest.raises(MeasurementError, match="b: no launch was valid: too hot"):
        compare_records([record_of(steady()), record_of([1.0], invalid=(0,))], ["a", "b"])
    with pytest.raises(MeasurementError, match="it has no launches"):
        compare_records([record_of([])], ["a"])
    assert compare_records([], []) == []


DRIFTING = [30 * (1 + 0.01 * n) for n in range(10)]


@pytest.mark.parametrize(
    ("record", "says", "helps"),
    [
        (record_of(steady(sd=0.12)), "launches differ by", "--cpus"),
        (record_of([*steady(8), 39.0, 40.0]), "2 of 10 launches are over 10% slower", "--cpus"),
        (record_of(DRIFTING), "latency drifted by +9% over the session", "--warmup"),
        (record_of(DRIFTING[::-1]), "latency drifted by -9%", "--launches"),
        (record_of(steady(4)), "4 launches are too few for a 95 % interval", "--launches 16"),
        (record_of(steady(12), invalid=(2,)), "1 of 12 launches were invalid (too hot)", "raise"),
        (
            record_of(steady(), others=[0.34] * 10),
            "other programs used 34 % of the processor",
            "stop them",
        ),
        (record_of(steady(), params=BenchParams(threads=4)), "4 threads share 1 core", "--threads"),
        (
            record_of(steady(), device=replace(DEVICE, scheme="local"), governor="powersave"),
            "the cores save power",
            "cpupower frequency-set -g performance",
        ),
    ],
)
def test_advice_names_what_is_unstable_and_what_helps(record, says, helps):
    (row,) = compare_records([record], ["a"])
    assert says in row.advice
    assert helps in row.advice
    assert "\n" not in row.advice


def test_a_quiet_measurement_needs_no_advice():
    quiet = record_of(steady(), others=[0.03] * 10, load_1min=9.9, governor="performance")
    assert compare_records([quiet], ["a"])[0].advice == ""  # what load there was came before
    once = record_of(steady(), others=[0.9, 0.9, *[0.05] * 8])
    assert compare_records([once], ["a"])[0].advice == ""
    spoilt = record_of(steady(12), others=[0.9] * 3 + [0.02] * 9, invalid=(0, 1, 2))
    assert "other programs" not in compare_records([spoilt], ["a"])[0].advice
    one_slow = record_of([*steady(11), 40.0])  # one launch of twelve is no pattern
    assert compare_records([one_slow], ["a"])[0].advice == ""


def test_a_session_compares_with_itself(models, tmp_path):
    got = run(models[:2], tmp_path, launches=6, runs=20)
    rows = compare_records(got, ["a", "b"])
    assert rows[1].ratio is not None
    assert rows[1].ratio.lower <= rows[1].ratio.value <= rows[1].ratio.upper
    values = [[x.summary.value_ms for x in record.launches] for record in got]
    pairs = [b / a for a, b in zip(*values, strict=True)]
    assert min(pairs) <= rows[1].ratio.value <= max(pairs)
