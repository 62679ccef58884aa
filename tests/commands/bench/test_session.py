"""Sessions of real launches: their order, their safety, and what is made of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ghostdeploy.commands.artifacts import artifact_of
from ghostdeploy.commands.bench.comparison import compare_records, require_valid
from ghostdeploy.commands.bench.session import ATTEMPTS_PER_LAUNCH, bench
from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import InputFileError, MeasurementError, UsageError
from ghostdeploy.records import read_record
from ghostdeploy.runners import open_runner
from ghostdeploy.runners.host import disturbance
from ghostdeploy.runners.local import LocalRunner
from ghostdeploy.schema import (
    BenchParams,
    InputShape,
)
from tests import small_models

ROOT = Path(__file__).resolve().parents[3]


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
    (found,) = run(models[:1], tmp_path / "out")
    (path,) = (tmp_path / "out").iterdir()
    kept = read_record(path)
    assert kept == found
    assert len(kept.launches) == ATTEMPTS_PER_LAUNCH * 2
    assert kept.valid_launches == ()
    assert kept.shown_launches == kept.launches
    with pytest.raises(MeasurementError, match=r"a\.tflite: no launch was valid: the hypervisor"):
        require_valid([kept])


def test_each_file_has_the_runtime_of_its_ending_and_its_own_shapes(models, tmp_path):
    for name in ("free.tflite", "free.onnx"):
        make = getattr(small_models, name.rpartition(".")[2])
        (tmp_path / name).write_bytes(make("free"))
    artifacts = [
        models[0],
        *(artifact_of(tmp_path / f"free.{kind}") for kind in ("tflite", "onnx")),
    ]
    shapes = (InputShape((1, 3, 24, 40)), InputShape((1, 24, 40, 3)))
    found = run(artifacts, tmp_path / "out", input_shapes=shapes, launches=2)
    assert [r.params.runtime for r in found] == ["litert", "litert", "onnxruntime"]
    assert [r.evidence.runtime for r in found] == ["litert", "litert", "onnxruntime"]
    assert [[str(s) for s in r.params.input_shapes] for r in found] == [
        [],
        ["image=1x24x40x3"],
        ["x=1x3x24x40"],
    ]
    assert [x.round for x in found[0].launches] == [x.round for x in found[2].launches]
    assert all(row.ratio for row in compare_records(found, ["a", "b", "c"]))
    params = BenchParams(runs=3, warmup=1, launches=2, input_shapes=shapes)
    (again, *_) = bench(
        artifacts, open_runner("local", params), params, tmp_path / "out", resume=True
    )
    assert again.evidence.session != found[0].evidence.session  # that one was complete


class HangsLater(LocalRunner):
    """The real runner, with a timeout that no launch meets after the first."""

    def launch(self, model_path, params, name=""):
        if self.__dict__.setdefault("seen", []):
            params = replace(params, timeout_s=0.001)
        self.__dict__["seen"].append(model_path)
        return super().launch(model_path, params, name)


def test_a_model_that_only_hangs_is_given_up_early(models, tmp_path):
    runner = HangsLater("", BenchParams())
    with pytest.raises(MeasurementError, match="no launch ran to its end: did not finish"):
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
        run([models[0], artifact_of(tmp_path / "b.onnx")], tmp_path / "out", runtime="litert")
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
from ghostdeploy.commands.bench.session import bench
from ghostdeploy.runners.host import disturbance
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


def test_a_session_compares_with_itself(models, tmp_path):
    got = run(models[:2], tmp_path, launches=6, runs=20)
    rows = compare_records(got, ["a", "b"])
    assert rows[1].ratio is not None
    assert rows[1].ratio.lower <= rows[1].ratio.value <= rows[1].ratio.upper
    values = [[x.summary.value_ms for x in record.launches] for record in got]
    pairs = [b / a for a, b in zip(*values, strict=True)]
    assert min(pairs) <= rows[1].ratio.value <= max(pairs)


@pytest.mark.parametrize("launches", [3, 4, 7])
def test_a_session_cut_off_in_any_round_goes_on(models, tmp_path, launches):
    """Also between the two records of the first round: 3 are two warm-up launches and one more."""
    params = BenchParams(runs=3, warmup=1, launches=3)
    runner, real, made = open_runner("local", params), LocalRunner.launch, []

    def launch(*args, **kwargs):
        if len(made) == launches:
            raise KeyboardInterrupt
        made.append(real(runner, *args, **kwargs))
        return made[-1]

    runner.launch = launch
    with pytest.raises(KeyboardInterrupt):
        bench(models[:2], runner, params, tmp_path / "out")
    got = bench(models[:2], open_runner("local", params), params, tmp_path / "out", resume=True)
    assert len({record.evidence.session for record in got}) == 1
    assert len(list((tmp_path / "out").iterdir())) == 2
    kept = {x.started_at for record in got for x in record.launches}
    assert {x.started_at for x in made[2:]} <= kept
    assert [[x.round for x in record.launches] for record in got] == [[0, 1, 2]] * 2
