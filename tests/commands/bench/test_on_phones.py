"""``ghostdeploy bench``, ``compare`` and ``devices`` on phones: real adb, real processes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess

import pytest

from ghostdeploy.records import read_record
from tests import small_models
from tests.command_line import PROGRAM, complaint, eventually, ghostdeploy
from tests.fake_phone.fixtures import remains, replace_in_program

QUICK = ("--launches", "2", "--runs", "5", "--warmup", "1")


@pytest.fixture
def files(tmp_path):
    """Two models of the same content and different names."""
    made = []
    for name in ("a", "b"):
        made.append(tmp_path / f"{name}.tflite")
        made[-1].write_bytes(small_models.tflite())
    return made


@pytest.fixture
def program(standin_program):
    return ("--benchmark-model", standin_program)


def records_in(folder):
    return [read_record(path) for path in sorted(folder.glob("2*.json"))]


def test_a_session_on_a_phone(phone, files, program, tmp_path):
    out = tmp_path / "r"
    done = ghostdeploy(
        "bench", *files, "--device", f"adb:{phone.serial}", *QUICK, *program, "--profile",
        "--records", out,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "HUAWEI ELE-L29, kirin980, arm64-v8a, Android 10, 8 cores" in done.stdout
    assert "Cores: 6-7 (big Cortex-A76 2.60 GHz)" in done.stdout
    assert "all operators" in done.stdout
    found = records_in(out)
    assert [len(record.valid_launches) for record in found] == [2, 2]
    assert [[x.position for x in record.launches] for record in found] == [[0, 1], [1, 0]]
    for record in found:
        assert record.evidence.output.rel_l2 < 1e-6
        assert record.profiled.profile
        assert {launch.cpus for launch in record.launches} == {(6, 7)}


def test_the_only_phone_and_its_clusters(phone, adb, files, program, tmp_path):
    done = ghostdeploy(
        "bench", files[0], "--device", "adb", "--cpus", "little,mid", *QUICK, *program,
        "--records", tmp_path / "r", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["errors"] == []
    found = records_in(tmp_path / "r")
    assert {x.cpus for record in found for x in record.launches} == {(0, 1, 2, 3), (4, 5)}


def test_one_failing_phone_does_not_stop_the_others(make_phone, files, program, tmp_path):
    good, bad = make_phone("kirin980"), make_phone("prime")
    bad.set_battery(5, 300)
    done = ghostdeploy(
        "bench", files[0], "--device", f"adb:{good.serial},{bad.serial}", *QUICK, *program,
        "--records", tmp_path / "r", "--cool-down", 0,
    )  # fmt: skip
    assert done.returncode == 3
    assert f"Latency: adb:{good.serial}" in done.stdout
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert error.startswith(f"error: 1 of 2 could not be measured: adb:{bad.serial}: ")
    assert "the battery is at 5 %, below 25 %" in error
    assert [record.device.serial for record in records_in(tmp_path / "r")] == [good.serial]


def test_a_number_from_a_wrong_result_is_not_reported(phone, files, standin_program, tmp_path):
    """A program that is right about the self-test's model and wrong about others."""
    wrong = "data = (lambda d: d if len(d) == 262144 else d[::-1])("
    replace_in_program(
        standin_program,
        ('data = b"".join(', wrong + 'b"".join('),
        ("for detail in details)\n    try", "for detail in details))\n    try"),
    )
    done = ghostdeploy(
        "bench", files[0], "--device", f"adb:{phone.serial}", *QUICK, "--benchmark-model",
        standin_program, "--records", tmp_path / "r",
    )  # fmt: skip
    assert done.returncode == 3
    assert "the device computes something else than litert" in complaint(done)
    assert records_in(tmp_path / "r") == []


class TestResume:
    def test_after_a_kill(self, phone, files, program, tmp_path):
        """Killed in mid-session by SIGKILL; the next process goes on, and nothing is lost."""
        out = tmp_path / "r"
        argv = [
            *PROGRAM, "bench", *files, "--device", f"adb:{phone.serial}", *program,
            "--launches", "4", "--runs", "5", "--warmup", "1", "--records", out,
        ]  # fmt: skip
        argv = [str(word) for word in argv]
        first = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert eventually(lambda: sum(len(r.launches) for r in records_in(out)) >= 3)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        before = {x.started_at for record in records_in(out) for x in record.launches}
        done = subprocess.run([*argv, "--resume"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found = records_in(out)
        assert len({record.evidence.session for record in found}) == 1
        assert [len(record.valid_launches) for record in found] == [4, 4]
        assert [[x.round for x in record.launches] for record in found] == [[0, 1, 2, 3]] * 2
        assert before <= {x.started_at for record in found for x in record.launches}

    def test_nothing_to_resume(self, phone, files, program, tmp_path):
        done = ghostdeploy(
            "bench", files[0], "--device", f"adb:{phone.serial}", *QUICK, *program,
            "--records", tmp_path / "r", "--resume",
        )  # fmt: skip
        assert done.returncode == 0
        assert "nothing to resume: a new session begins" in done.stderr


def test_interrupted(phone, files, program, tmp_path):
    argv = [
        *PROGRAM, "bench", *files, "--device", f"adb:{phone.serial}", *program,
        "--records", tmp_path / "r",
    ]  # fmt: skip
    child = subprocess.Popen([str(x) for x in argv], stderr=subprocess.PIPE, text=True)
    assert eventually(lambda: any("benchmark_model-" in line for _, line in phone.processes()))
    child.send_signal(signal.SIGINT)
    _, stderr = child.communicate()
    assert child.returncode == 130
    assert stderr.splitlines()[-1] == "interrupted"
    assert remains(phone) == ([], [])


def test_a_dry_run_is_marked(files, tmp_path):
    done = ghostdeploy(
        "bench", files[0], "--device", "fake:kirin980", *QUICK, "--records", tmp_path / "r"
    )
    assert done.returncode == 0, done.stderr
    assert "HUAWEI ELE-L29 (simulated, no phone)" in done.stdout
    assert "A simulated phone: its latencies are this machine's, not a phone's." in done.stdout


class TestDevices:
    def test_what_there_is(self, make_phone, standin_program):
        kirin, unknown = make_phone("kirin980"), make_phone("prime", auth="never")
        done = ghostdeploy("devices", kirin.serial, unknown.serial)
        assert done.returncode == 0
        assert f"adb:{kirin.serial}  HUAWEI ELE-L29, kirin980" in done.stdout
        assert re.search(r"big +Cortex-A76 ×2 +CPUs 6-7 +mask c0 +2\.60 GHz", done.stdout)
        assert "thermal status 0, 41.0 °C, battery 84 %" in done.stdout
        assert "benchmark_model: none yet; run: ghostdeploy doctor" in done.stdout
        assert re.search(rf"adb:{unknown.serial}  not ready: .*accept", done.stdout)

    def test_an_address_at_which_nobody_answers_is_told_once_and_forgotten(self, phone, adb):
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            dead = f"127.0.0.1:{deaf.getsockname()[1]}"
            done = ghostdeploy("devices", dead, "127.0.0.1:1")
            assert done.returncode == 3
            assert done.stdout.count(f"adb:{dead}") == 1
            assert re.search(rf"adb:{dead}  not there: nobody answers at {dead}", done.stdout)
            assert "plug" not in done.stdout
            assert f"error: cannot be reached: adb:{dead}, adb:127.0.0.1:1" in done.stderr
            assert f"adb:{phone.serial}  HUAWEI" in done.stdout
            (left,) = json.loads(ghostdeploy("devices", "--json").stdout)
        assert left["address"] == f"adb:{phone.serial}"

    def test_for_machines(self, phone, adb):
        (found,) = json.loads(ghostdeploy("devices", "--json").stdout)
        assert found["identity"]["model"] == "HUAWEI ELE-L29"
        assert found["problem"] == ""

    @pytest.mark.usefixtures("adb_server")
    def test_none(self):
        done = ghostdeploy("devices")
        assert (done.returncode, done.stdout[:9]) == (0, "no phone:")


@pytest.mark.usefixtures("adb_server")
class TestComplaints:
    """One line each, before anything is exported."""

    @pytest.mark.parametrize(
        ("args", "code", "said"),
        [
            (("--device", "adb"), 3, "USB debugging"),
            (("--device", "adb:127.0.0.1:1"), 3, "nobody answers at 127.0.0.1:1"),
            (("--device", "adb:all"), 3, "no phone is attached and ready"),
            (("--device", "adb:-x"), 2, "'-x' is no serial"),
            (("--device", "fake:pixel"), 2, "no test phone is called 'pixel'"),
            (("--device", "abd:x"), 2, "did you mean adb?"),
            (("--device", "adb", "--xnnpack", "maybe"), 2, "'maybe' is not one of 'on', 'off'"),
            (("--device", "adb", "--max-thermal", "9"), 2, "--max-thermal must be 0 to 6"),
            (("--device", "adb", "--cool-down", "-1"), 2, "--cool-down must be 0 or more"),
            (("--delegate", "gpu"), 2, "--delegate needs TFLite's own program"),
            (("--profile",), 2, "--profile needs TFLite's own program"),
            (("--xnnpack", "fp16"), 2, "--xnnpack fp16 needs TFLite's own program"),
            (("--cpus", "big"), 2, "--cpus takes core numbers such as 2,3 here, not 'big'"),
        ],
    )
    def test_it_cannot_be(self, files, args, code, said):
        done = ghostdeploy("bench", files[0], *args)
        assert done.returncode == code, done.stderr
        assert said in complaint(done)

    def test_plus_flags_that_would_be_ignored(self, files, phone, program):
        device = ("--device", f"adb:{phone.serial}")
        done = ghostdeploy("bench", files[0], *device, *program, "--plus-flags", "verbose")
        assert (done.returncode, "must be --name=value" in complaint(done)) == (2, True)
        done = ghostdeploy("bench", files[0], *device, *program, "--plus-flags", "--odd=1", *QUICK)
        assert done.returncode == 2
        assert "--odd=1" in complaint(done)
