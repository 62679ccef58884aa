"""Real processes: scripts, sleepers, and the stand-in on a real model."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from android_bench.errors import (
    BinaryNotExecutableError,
    BinaryNotFoundError,
    CpuMaskError,
    LaunchTimeoutError,
    OptionError,
    OutputTooLongError,
    ProgramFailedError,
    UnconsumedFlagsError,
    WrongArchitectureError,
)
from android_bench.log.parse import parse_log
from android_bench.program import local_run
from android_bench.program.command_line import BenchmarkOptions, build_command_line
from android_bench.program.local_run import run_local

ROOT = Path(local_run.__file__).parent.parent.parent
ENOUGH_S = 120.0  # for what must not time out, on however slow a machine
ONE_CPU = min(os.sched_getaffinity(0))


def test_both_streams_and_the_exit_code():
    run = run_local(["sh", "-c", "echo out; echo err >&2; cat; exit 7"], ENOUGH_S)
    assert (run.stdout, run.stderr, run.returncode) == (b"out\n", b"err\n", 7)
    assert set(run.cpus) == os.sched_getaffinity(0)
    assert run.wall_s > 0


def test_arguments_reach_no_shell():
    odd = "$(exit 3); 'a b' *"
    script = "import sys; sys.stdout.write(sys.argv[1])"
    assert run_local([sys.executable, "-c", script, odd], ENOUGH_S).stdout == odd.encode()


def test_a_signal_is_a_negative_code():
    assert run_local(["sh", "-c", "kill -SEGV $$"], ENOUGH_S).returncode == -signal.SIGSEGV


def test_the_process_runs_where_it_should_and_this_thread_stays():
    before = os.sched_getaffinity(0)
    script = "import os; print(sorted(os.sched_getaffinity(0)))"
    run = run_local([sys.executable, "-c", script], ENOUGH_S, [ONE_CPU])
    assert run.cpus == (ONE_CPU,)
    assert run.stdout.decode().strip() == f"[{ONE_CPU}]"
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize("cpus", [[100_000], [-1], [ONE_CPU, 4000]])
def test_cpus_that_are_not_there(cpus):
    before = os.sched_getaffinity(0)
    with pytest.raises(CpuMaskError):
        run_local(["true"], ENOUGH_S, cpus)
    assert os.sched_getaffinity(0) == before


def test_much_output_on_both_streams_does_not_block():
    script = "import sys; [(sys.stdout.write('o' * 50), sys.stderr.write('e' * 50))" + (
        " for _ in range(20_000)]"
    )
    run = run_local([sys.executable, "-c", script], ENOUGH_S)
    assert (len(run.stdout), len(run.stderr)) == (1_000_000, 1_000_000)


def test_endless_output_is_cut(monkeypatch):
    monkeypatch.setattr(local_run, "MAX_BYTES", 100_000)
    with pytest.raises(OutputTooLongError):
        run_local(["yes"], ENOUGH_S)


def test_timeout_kills_children_too_and_keeps_the_output(tmp_path):
    pids = tmp_path / "pids"
    script = f"sleep 1000 & echo $! $$ > {pids}; echo so far; echo x >&2; wait"
    for timeout_s in (0.5, 5.0, ENOUGH_S):  # a slow machine gets another chance to begin
        with pytest.raises(LaunchTimeoutError, match="was killed") as caught:
            run_local(["sh", "-c", script], timeout_s)
        if caught.value.stdout and caught.value.stderr:
            break
    assert (caught.value.stdout, caught.value.stderr) == (b"so far\n", b"x\n")
    for pid in pids.read_text().split():
        wait_until_gone(int(pid))


def test_timeout_after_the_output_has_ended():
    with pytest.raises(LaunchTimeoutError):
        run_local(["sh", "-c", "exec >&- 2>&-; sleep 1000"], 0.3)


def test_nothing_is_left_running_after_a_normal_end(tmp_path):
    pid_file = tmp_path / "pid"
    run = run_local(["sh", "-c", f"sleep 1000 >&- 2>&- & echo $! > {pid_file}"], ENOUGH_S)
    assert run.returncode == 0
    wait_until_gone(int(pid_file.read_text()))


def wait_until_gone(pid):
    deadline = time.monotonic() + ENOUGH_S
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state in "ZX":
            return
        time.sleep(0.01)
    pytest.fail(f"process {pid} still runs")


def test_ctrl_c_kills_the_program(tmp_path):
    """A real interpreter gets a real SIGINT while its launch is under way."""
    pid_file = tmp_path / "pid"
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from android_bench.program.local_run import run_local\n"
        "run_local(['sh', '-c', 'echo $$ > ' + sys.argv[2] + '.new; mv ' + sys.argv[2]"
        " + '.new ' + sys.argv[2] + '; sleep 1000'], 1000)\n"
    )
    argv = [sys.executable, "-c", script, str(ROOT), str(pid_file)]
    with subprocess.Popen(argv, stderr=subprocess.PIPE) as python:
        while not pid_file.exists():
            assert python.poll() is None
            time.sleep(0.01)
        python.send_signal(signal.SIGINT)
        assert b"KeyboardInterrupt" in python.stderr.read()
    wait_until_gone(int(pid_file.read_text()))


def test_launches_from_several_threads():
    outputs = {}

    def launch(number):
        outputs[number] = run_local(["sh", "-c", f"echo {number}"], ENOUGH_S, [ONE_CPU])

    threads = [threading.Thread(target=launch, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {n: run.stdout for n, run in outputs.items()} == {n: b"%d\n" % n for n in range(6)}
    assert {run.cpus for run in outputs.values()} == {(ONE_CPU,)}


def test_no_zombie_no_open_file_and_no_use_of_our_stdin():
    """In an interpreter of its own, as this one may have other children."""
    script = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from android_bench.program.local_run import run_local\n"
        "before = len(os.listdir('/proc/self/fd'))\n"
        "print(run_local(['cat'], 100).stdout)\n"
        "print(len(os.listdir('/proc/self/fd')) - before)\n"
        "try: print(os.waitpid(-1, os.WNOHANG))\n"
        "except ChildProcessError: print('no child')\n"
    )
    argv = [sys.executable, "-W", "always::ResourceWarning", "-c", script, str(ROOT)]
    ended = subprocess.run(argv, input=b"ours", capture_output=True)
    assert (ended.stdout, ended.stderr) == (b"b''\n0\nno child\n", b"")


def test_peak_memory_is_known_only_above_our_own():
    script = (
        "import resource; x = b'x' * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024"
        " + 50_000_000)"
    )
    run = run_local([sys.executable, "-c", script], ENOUGH_S)
    assert run.peak_mem_mb > 50
    assert run_local(["true"], ENOUGH_S).peak_mem_mb is None


def make(path, content, mode=0o755):
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def elf(machine):
    """Give the header of a program for a processor that this machine is not."""
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    return ident + bytes(ctypes.c_uint16(2)) + bytes(ctypes.c_uint16(machine)) + bytes(44)


def test_missing_binary(tmp_path):
    with pytest.raises(BinaryNotFoundError, match="does not exist"):
        run_local([str(tmp_path / "nope")], ENOUGH_S)


def test_binary_without_the_right_to_run(tmp_path):
    with pytest.raises(BinaryNotExecutableError, match="chmod 755"):
        run_local([make(tmp_path / "b", b"#!/bin/sh\n", 0o644)], ENOUGH_S)


def test_a_folder_is_no_binary(tmp_path):
    with pytest.raises(BinaryNotExecutableError):
        run_local([str(tmp_path)], ENOUGH_S)


def test_binary_for_another_processor(tmp_path):
    with pytest.raises(WrongArchitectureError, match="take a build"):
        run_local([make(tmp_path / "b", elf(0x0F00))], ENOUGH_S)


def test_binary_for_another_system(tmp_path):
    with pytest.raises(WrongArchitectureError, match="loader"):
        run_local([make(tmp_path / "b", b"#!/system/bin/linker64\n")], ENOUGH_S)


@pytest.mark.parametrize(("argv", "timeout_s"), [([], 1), (["true"], 0), (["a\0b"], 1)])
def test_launches_that_make_no_sense(argv, timeout_s):
    with pytest.raises(OptionError):
        run_local(argv, timeout_s)


def launch(standin, model, **options):
    pytest.importorskip("ai_edge_litert")
    argv = build_command_line(str(standin), str(model), BenchmarkOptions(**options))
    run = run_local([sys.executable, *argv], ENOUGH_S, [ONE_CPU])
    return parse_log(run.stdout, run.stderr, run.returncode)


def test_a_whole_measurement(standin, tiny_model):
    log = launch(standin, tiny_model, runs=20, warmup_runs=3, op_profiling=True, report_memory=True)
    assert (log.summary.count, log.warmup.count) == (20, 3)
    assert log.warmup.first_ms == log.first_ms
    assert log.model_size_mb == tiny_model.stat().st_size / 1e6
    assert (log.delegate, log.fully_delegated, log.partitions) == ("XNNPACK", True, 1)
    assert log.peak_mem_mb > log.overall_mem_mb > 0
    assert [row.node_type for row in log.op_profile] == ["TfLiteXNNPackDelegate"]
    assert log.warnings == ()


def test_a_measurement_without_xnnpack(standin, tiny_model):
    log = launch(standin, tiny_model, runs=1, warmup_runs=0, use_xnnpack=False)
    assert (log.summary.count, log.warmup, log.first_ms) == (1, None, None)
    assert log.delegate is None


def test_a_dry_run(standin, tiny_model):
    assert launch(standin, tiny_model, plus_flags=("--dry_run=true",)).summary is None


def test_flags_that_the_program_does_not_know(standin, tiny_model):
    with pytest.raises(UnconsumedFlagsError, match="--no_such=1"):
        launch(standin, tiny_model, runs=1, plus_flags=("--no_such=1",))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "Could not open"),
        (b"", "Mmap of"),
        (b"\x00" * 5000, "not a valid Flatbuffer"),
        ("half", "not a valid Flatbuffer"),
    ],
)
def test_models_that_are_none(standin, tiny_model, tmp_path, content, words):
    model = tmp_path / "m.tflite"
    if content == "half":
        content = tiny_model.read_bytes()[:1000]
    if content is not None:
        model.write_bytes(content)
    with pytest.raises(ProgramFailedError, match=words) as caught:
        launch(standin, model)
    assert caught.value.returncode == 1


def test_the_standin_prints_the_lines_of_the_real_program(standin, tiny_model, log_cases):
    """Same lines in the same order, numbers and paths aside."""
    pytest.importorskip("ai_edge_litert")
    real = log_cases["litert_2.1.0/num_runs_10_warm_3"]
    flags = real.command.split()[2:]
    run = run_local([sys.executable, str(standin), f"--graph={tiny_model}", *flags], ENOUGH_S)
    assert shape(run.stdout) == shape(real.stdout)
    assert shape(run.stderr) == shape(real.stderr)


def shape(output):
    lines = []
    for line in output.decode().splitlines():
        words = line.replace("/", " ").split()
        if "count=" in line:  # equal samples are printed otherwise
            words = words[:1]
        if "tflite" in line:
            words = words[:2]
        lines.append("".join("0" if c in "0123456789.e+-" else c for c in " ".join(words)))
    return [squeeze(line) for line in lines]


def squeeze(line):
    while "00" in line:
        line = line.replace("00", "0")
    return line
