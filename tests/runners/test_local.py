"""Launches on this machine: real processes, real runtimes, real models."""

from __future__ import annotations

import json
import math
import os
import signal
import statistics
import sys
import threading
import time
from pathlib import Path

import onnx
import pytest

from ghostdeploy.errors import (
    InputFileError,
    MeasurementError,
    MissingExtraError,
    UsageError,
)
from ghostdeploy.runners import local, open_runner
from ghostdeploy.runners.host import measuring_child
from ghostdeploy.runners.host.child_process import FinishedProcess, build_python_environment
from ghostdeploy.schema import BenchParams, Launch
from tests import small_models
from tests.lowering.rewrites.graphs import table

numpy = pytest.importorskip("numpy")
FEW = {"runs": 4, "warmup": 2}


def measured(path: Path, **changes: object) -> Launch:
    params = BenchParams(**{**FEW, **changes})
    return open_runner("local", params).launch(path, params)


def processes_naming(text: str, *, loaded: str = "") -> list[int]:
    """The processes with ``text`` in their command line and the library ``loaded``."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            named = entry.name.isdigit() and text.encode() in (entry / "cmdline").read_bytes()
            if named and loaded in (entry / "maps").read_text():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def signal_when_running(path: Path, number: int, pid: int | None = None) -> threading.Thread:
    """Signals ``pid``, or the child itself, once that has loaded its runtime."""

    def wait() -> None:
        while not (found := processes_naming(str(path), loaded="litert")):
            time.sleep(0.01)
        os.kill(pid or found[0], number)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.parametrize("runtime", ["litert", "tflite-runtime", "onnxruntime"])
@pytest.mark.parametrize("name", ["tiny", "mixed"])
def test_every_runtime_runs_and_every_sample_is_kept(tmp_path, runtime, name):
    make = small_models.onnx if runtime == "onnxruntime" else small_models.tflite
    path = tmp_path / f"m.{make.__name__}"
    path.write_bytes(make(name))
    got = measured(path, runtime=runtime, runs=7)
    assert got.valid, got.why_not
    assert len(got.samples_ms) == got.summary.count == 7
    assert all(x > 0 for x in got.samples_ms)
    assert got.summary.median_ms == statistics.median(got.samples_ms)
    assert got.summary.mean_ms == pytest.approx(numpy.mean(got.samples_ms))
    assert got.summary.p5_ms == pytest.approx(numpy.percentile(got.samples_ms, 5))
    assert got.summary.p95_ms == pytest.approx(numpy.percentile(got.samples_ms, 95))
    assert got.summary.std_ms == pytest.approx(numpy.std(got.samples_ms))
    assert (got.summary.min_ms, got.summary.max_ms) == (min(got.samples_ms), max(got.samples_ms))
    assert got.init_ms > 0
    assert got.first_ms > 0
    assert got.warmup_ms > 0
    assert got.returncode == 0
    assert got.state_after.uptime_s >= got.state_before.uptime_s
    assert json.loads(got.argv[-1])["runs"] == 7


def test_without_a_warm_up_the_first_run_is_a_sample(model):
    got = measured(model, warmup=0, runs=3)
    assert len(got.samples_ms) == 3
    assert got.first_ms == got.samples_ms[0]
    assert got.warmup_ms is None


def test_one_run_is_enough_for_a_summary(model):
    got = measured(model, runs=1)
    (sample,) = got.samples_ms
    middle = (got.summary.p5_ms, got.summary.median_ms, got.summary.p95_ms)
    assert middle == pytest.approx((sample,) * 3)
    assert got.summary.std_ms == 0


@pytest.mark.parametrize("runtime", ["litert", "tflite-runtime"])
def test_xnnpack_is_really_on_or_off(model, runtime, capfd):
    on = measured(model, runtime=runtime, xnnpack=True)
    off = measured(model, runtime=runtime, xnnpack=False)
    assert (on.partitions, off.partitions) == (1, 0)
    assert "XNNPACK delegate" in on.stderr
    assert "XNNPACK delegate" not in off.stderr
    assert capfd.readouterr() == ("", "")  # none of it reaches the terminal


def test_onnxruntime_has_no_xnnpack_to_switch(onnx_model):
    for xnnpack in (True, False):
        got = measured(onnx_model, runtime="onnxruntime", xnnpack=xnnpack)
        assert got.valid
        assert got.partitions is None


@pytest.mark.parametrize("runtime", ["litert", "onnxruntime"])
def test_affinity_is_applied_to_all_threads(model, onnx_model, runtime):
    path = onnx_model if runtime == "onnxruntime" else model
    allowed = sorted(os.sched_getaffinity(0))
    for cpu in {allowed[0], allowed[-1]}:
        got = measured(path, runtime=runtime, cpus=str(cpu), threads=2)
        assert got.cpus == (cpu,)
    assert measured(path, runtime=runtime).cpus == (allowed[-1],)
    assert measured(path, runtime=runtime, threads=2).cpus == tuple(allowed[-2:])
    assert sorted(os.sched_getaffinity(0)) == allowed  # ours is untouched


def test_a_mask_that_does_not_hold_makes_the_launch_invalid(model, monkeypatch):
    # the child is told one core, the judge another: as if the system had moved it
    cpus = sorted(os.sched_getaffinity(0))
    watch = local.LaunchWatch
    monkeypatch.setattr(local, "LaunchWatch", lambda _, *rest: watch((4094,), *rest))
    got = measured(model, cpus=str(cpus[0]))
    assert not got.valid
    assert got.why_not == f"pinned to the cores 4094 but could run on {cpus[0]}"
    assert len(got.samples_ms) == 4  # kept all the same


def test_peak_memory_is_the_childs_and_not_ours(model):
    ours = b"\1" * 500_000_000  # Linux would hand our peak down through exec
    got = measured(model)
    assert len(ours) == 500_000_000
    assert 5 < got.peak_mem_mb < 400


def test_a_module_in_the_users_folder_is_not_taken_for_numpy(model, tmp_path, monkeypatch):
    if sys.version_info < (3, 11):
        pytest.skip("Python 3.10 always looks there")
    (tmp_path / "numpy.py").write_text("raise SystemExit('not numpy')")
    monkeypatch.chdir(tmp_path)
    assert measured(Path(model.name)).valid


@pytest.mark.parametrize("name", ["a b'\"$;é", "x" * 200, "-rf"])
def test_odd_file_names(model, name):
    path = model.with_name(f"{name}.tflite")
    model.rename(path)
    assert measured(path).valid


DAMAGE = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "nearly whole": lambda data: data[:-40],
    "random": lambda data: bytes(numpy.random.default_rng(1).bytes(3000)),
    "text": lambda data: b"not a model at all\n" * 50,
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("runtime", ["litert", "tflite-runtime", "onnxruntime"])
def test_a_damaged_file_is_refused_in_one_line(tmp_path, runtime, damage):
    make = small_models.onnx if runtime == "onnxruntime" else small_models.tflite
    path = tmp_path / f"m.{make.__name__}"
    path.write_bytes(DAMAGE[damage](make()))
    with pytest.raises(InputFileError, match=r"^[^\n]+$") as caught:
        measured(path, runtime=runtime)
    assert str(caught.value).startswith(f"{path}: ")
    assert caught.value.exit_code == 2


def test_files_that_are_not_there_or_of_another_runtime(model, onnx_model, tmp_path):
    with pytest.raises(InputFileError, match="no such file"):
        measured(tmp_path / "absent.tflite")
    (tmp_path / "folder.tflite").mkdir()
    with pytest.raises(InputFileError, match="is a folder"):
        measured(tmp_path / "folder.tflite")
    with pytest.raises(UsageError, match="use --runtime onnxruntime"):
        measured(onnx_model, runtime="litert")
    with pytest.raises(UsageError, match="use --runtime litert"):
        measured(model, runtime="onnxruntime")


def test_a_model_with_an_operator_the_runtime_lacks_is_refused(model):
    model.write_bytes(small_models.tflite("custom"))
    with pytest.raises(InputFileError, match=r"^[^\n]*litert cannot run it: [^\n]*Bincount[^\n]*$"):
        measured(model)


def test_bytes_changed_at_random_give_a_number_or_one_line(model):
    whole = model.read_bytes()
    rng = numpy.random.default_rng(7)
    for _ in range(12):
        data = bytearray(whole)
        for at in rng.integers(8, len(data), 3):
            data[at] = rng.integers(256)
        model.write_bytes(data)
        said = outcome(model)
        assert "\n" not in said
        assert said == "" or str(model) in said or "killed by SIG" in said or "finish" in said


def outcome(path: Path) -> str:
    """What a launch has to say against itself; any exception but these two fails the test."""
    try:
        return measured(path, timeout_s=20.0).why_not
    except (InputFileError, MeasurementError) as error:
        return str(error)


def test_a_timeout_kills_the_child_and_invalidates_the_launch(heavy):
    got = measured(heavy, runs=1_000_000, timeout_s=2.0)
    assert not got.valid
    assert got.summary is None
    assert got.why_not == "did not finish in 2 s"
    assert processes_naming(str(heavy)) == []


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_a_child_that_dies_of_a_signal_is_an_invalid_launch(heavy, number):
    killer = signal_when_running(heavy, number)
    got = measured(heavy, runs=1_000_000)
    killer.join()
    assert not got.valid
    assert number.name in got.why_not
    assert got.returncode == -number


def test_ctrl_c_kills_the_child_before_it_goes_on(heavy):
    killer = signal_when_running(heavy, signal.SIGINT, os.getpid())
    with pytest.raises(KeyboardInterrupt):
        measured(heavy, runs=1_000_000)
    killer.join()
    assert processes_naming(str(heavy)) == []


def finished(line: str, stderr: str = "", code: int = 1) -> FinishedProcess:
    return FinishedProcess(code, line, stderr, timed_out=False)


def test_the_childs_error_lines_become_exceptions():
    def report(kind: str, message: str) -> None:
        line = json.dumps({"error": kind, "message": message})
        local._read_report(finished(line), Path("m.tflite"), "litert")

    with pytest.raises(MissingExtraError, match=r"numpy is not installed.*ghostdeploy\[local\]"):
        report("missing", "numpy")
    with pytest.raises(InputFileError, match=r"^m\.tflite: litert cannot run it: a b$"):
        report("model", "a\n  b")
    for kind in ("run", "runtime"):
        with pytest.raises(MeasurementError, match="litert failed: x"):
            report(kind, "x")
    with pytest.raises(MeasurementError, match="ended with code 1: last"):
        local._read_report(finished("", "first\nlast\n"), Path("m.tflite"), "litert")
    with pytest.raises(MeasurementError, match="it said nothing"):
        local._read_report(finished("{", code=0), Path("m.tflite"), "litert")


def test_the_child_does_not_outlive_a_parent_that_is_already_gone(model):
    import subprocess

    job = measuring_child.LaunchJob(str(model), "litert", 1, 1, 1, True, [], parent=os.getppid())
    argv = [
        sys.executable,
        "-m",
        "ghostdeploy.runners.host.measuring_child",
        json.dumps(job.__dict__),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, env=build_python_environment())
    assert (done.returncode, done.stdout) == (1, "")


def test_a_table_of_words_gets_numbers_that_it_has(tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(table(rows=20))  # fewer than the 100 that are tried first
    assert measured(path, runs=3).valid
    assert measured(path, runs=3, input_range=(0.0, 19.0)).valid
    with pytest.raises(InputFileError, match=r"m\.tflite: litert cannot run it: gather index out"):
        measured(path, runs=3, input_range=(20.0, 30.0))
    with pytest.raises(InputFileError, match=r"no int32 lies between 0\.2 and 0\.8"):
        measured(path, runs=3, input_range=(0.2, 0.8))


def test_a_runtimes_reason_keeps_its_last_words(tmp_path):
    path = tmp_path / "m.onnx"
    model = onnx.load_from_string(small_models.onnx())
    model.ir_version = 99
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputFileError, match=r"Unsupported model IR version: 99, max.*: \d+$"):
        measured(path, runtime="onnxruntime")


@pytest.mark.parametrize("ends", [(1.0,), (2.0, 1.0), (0.0, math.inf), (math.nan, 1.0), (0, 1, 2)])
def test_a_range_has_two_ends_in_their_order(ends):
    with pytest.raises(UsageError, match="--input-range takes the smallest and the largest value"):
        BenchParams(input_range=ends)
