"""Launches of benchmark_model, by a stand-in that runs the model for real and logs alike."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import InputFileError, MeasurementError, UsageError
from ghostdeploy.fake_phone import write_standin
from ghostdeploy.runners import open_runner
from ghostdeploy.runners.host import program_launch
from ghostdeploy.schema import BenchParams
from tests.lowering.rewrites.graphs import table


def script(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "benchmark_model"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def program(tmp_path) -> Path:
    standin = write_standin(tmp_path / "standin")
    return script(tmp_path, f'exec "{sys.executable}" "{standin}" "$@"')


def measured(path: Path, program: Path, **changes: object):
    options = {"runs": 5, "warmup": 2, "runtime": "benchmark_model", **changes}
    params = BenchParams(benchmark_model=str(program), **options)
    return open_runner("local", params).launch(path, params)


def test_a_launch_of_the_program(model, program):
    got = measured(model, program)
    assert got.valid, got.why_not
    assert got.summary.count == 5
    assert got.summary.value_ms > 0
    assert got.samples_ms == ()  # it prints none
    assert got.init_ms > 0
    assert got.cpus == (max(os.sched_getaffinity(0)),)
    assert got.argv[:2] == (str(program), f"--graph={model}")
    assert {"--num_runs=5", "--warmup_runs=2", "--min_secs=0"} <= set(got.argv)
    assert "Inference timings in us" in got.stdout


def test_xnnpack_is_passed_on(model, program):
    assert "--use_xnnpack=true" in measured(model, program).argv
    off = measured(model, program, xnnpack=False)
    assert "--use_xnnpack=false" in off.argv
    assert not off.partitions


def test_evidence_is_of_the_program(program):
    params = BenchParams(runtime="benchmark_model", benchmark_model=str(program))
    got = open_runner("local", params).runtime(params)
    assert (got.name, got.sha256) == ("benchmark_model", file_sha256(program))


def test_the_program_that_litert_cli_downloaded_is_found(model, program, tmp_path, monkeypatch):
    """Where litert-cli 0.2.1 puts it; one that is named goes first."""
    monkeypatch.setenv("HOME", str(tmp_path))
    params = BenchParams(runtime="benchmark_model", runs=5, warmup=1)
    with pytest.raises(UsageError, match="needs the program: --benchmark-model FILE"):
        open_runner("local", params).launch(model, params)
    kind = {"aarch64": "linux_arm64", "x86_64": "linux_x86_64"}[os.uname().machine]
    kept = tmp_path / ".cache/litert-cli/binaries" / kind / "benchmark_model"
    kept.parent.mkdir(parents=True)
    shutil.copy(program, kept)
    runner = open_runner("local", params)
    assert runner.launch(model, params).argv[0] == str(kept)
    found = runner.runtime(params)
    assert (found.sha256, str(kept) in found.origin) == (file_sha256(kept), True)
    assert measured(model, program).argv[0] == str(program)


def test_a_model_that_the_program_refuses(tmp_path, model):
    failing = script(tmp_path, "echo 'ERROR: Benchmarking failed.' >&2; exit 1")
    with pytest.raises(InputFileError, match=r"^[^\n]*benchmark_model cannot run it[^\n]*$"):
        measured(model, failing)


def test_a_program_that_says_nothing_or_ignores_flags(tmp_path, model):
    with pytest.raises(MeasurementError, match=r"benchmark_model's log"):
        measured(model, script(tmp_path, "true"))
    ignoring = "echo 'WARN: Unconsumed cmdline flags: --use_xnnpack=true'"
    with pytest.raises(UsageError, match="is of another kind"):
        measured(model, script(tmp_path, ignoring))


def test_a_program_that_hangs_or_dies_gives_an_invalid_launch(tmp_path, model):
    got = measured(model, script(tmp_path, "echo begun; exec sleep 600"), timeout_s=1.0)
    assert (got.valid, got.why_not) == (False, "did not finish in 1 s")
    got = measured(model, script(tmp_path, "kill -SEGV $$"))
    assert (got.valid, got.why_not, got.returncode) == (False, "killed by SIGSEGV", -11)


def test_programs_that_cannot_be_run(tmp_path, model):
    plain = script(tmp_path, "true")
    plain.chmod(0o644)
    with pytest.raises(UsageError, match="run: chmod"):
        measured(model, plain)
    with pytest.raises(UsageError, match="no such program"):
        measured(model, tmp_path / "absent")
    plain.write_bytes(b"\x7fELF" + bytes(100))
    plain.chmod(0o755)
    with pytest.raises(UsageError, match=r"^[^\n]+$"):
        measured(model, plain)


@pytest.fixture(params=["with", "without"])
def setpriv(request, monkeypatch):
    """Both kinds of machine; yields whether setpriv may be used."""
    program_launch._dying_with_us.cache_clear()
    if request.param == "without":
        monkeypatch.setattr(program_launch.shutil, "which", lambda name: None)
    yield request.param == "with"
    program_launch._dying_with_us.cache_clear()


def test_setpriv_changes_nothing_that_is_seen(model, program, setpriv, tmp_path):
    assert setpriv or program_launch._dying_with_us() == ()
    got = measured(model, program)
    assert got.valid, got.why_not
    assert got.argv[0] == str(program)
    assert got.cpus == (max(os.sched_getaffinity(0)),)
    assert 0 < got.cpu_s < 60
    program.write_bytes(b"\x7fELF" + bytes(100))
    with pytest.raises(UsageError, match=r"is no program for this machine"):
        measured(model, program)


def test_a_setpriv_without_the_option_is_not_used(monkeypatch, tmp_path):
    busybox = script(tmp_path, "exit 1")
    monkeypatch.setattr(program_launch.shutil, "which", lambda name: str(busybox))
    assert program_launch._dying_with_us.__wrapped__() == ()


LAUNCH = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from ghostdeploy.runners import open_runner
from ghostdeploy.schema import BenchParams
params = BenchParams(runtime="benchmark_model", benchmark_model=sys.argv[2])
open_runner("local", params).launch(Path(sys.argv[3]), params)
"""


@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs util-linux's setpriv")
def test_the_program_does_not_outlive_a_bench_that_is_killed(tmp_path, model):
    note = tmp_path / "pid"
    hanging = script(tmp_path, f'[ "$1" = --help ] && exit; echo $$ > "{note}"; exec sleep 600')
    root = Path(__file__).resolve().parents[3]
    argv = [sys.executable, "-c", LAUNCH, str(root), str(hanging), str(model)]
    with subprocess.Popen(argv) as bench:
        assert until(lambda: note.exists() and note.read_text().endswith("\n"))
        bench.send_signal(signal.SIGKILL)
    pid = int(note.read_text())
    try:
        assert until(lambda: not alive(pid))
    finally:
        if alive(pid):
            os.kill(pid, signal.SIGKILL)


def until(condition) -> bool:
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(condition())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_the_program_is_given_values_of_the_range(tmp_path, program):
    path = tmp_path / "m.tflite"
    path.write_bytes(table(rows=20))
    with pytest.raises(InputFileError, match="gather index out of bounds"):
        measured(path, program, input_range=(20.0, 30.0))
    got = measured(path, program, input_range=(0.0, 19.0))
    assert got.valid, got.why_not
    (files,) = (word for word in got.argv if word.startswith("--input_layer_value_files="))
    assert files.count(":") == 2
    assert not any(Path(pair.split(":")[1]).exists() for pair in files.split("=")[1].split(","))
