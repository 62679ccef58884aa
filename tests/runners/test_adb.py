"""A phone as a device: the whole path, from the pushed file to the launch's record."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import InputFileError, MeasurementError, UsageError
from ghostdeploy.fake_phone import PHONES
from ghostdeploy.runners import Access, open_runner
from ghostdeploy.runners.adb import find_serials
from ghostdeploy.runners.agreement import measure_agreement
from ghostdeploy.runners.host.reference import compute_reference
from ghostdeploy.schema import BenchParams, PhoneParams
from tests import small_models
from tests.android_bench.program.test_abi import elf
from tests.command_line import MARK, ROOT, eventually, marked_processes

CALM = PhoneParams(cool_down_s=0.0)


@pytest.fixture(autouse=True)
def _never_throttled(monkeypatch):
    """Phones that tell no thermal status are judged by a timed loop: this machine is busy."""
    monkeypatch.setattr("android_bench.device.workload.TARGET_S", 0.05)
    monkeypatch.setattr("android_bench.device.cooldown.THROTTLED", 1000.0)


@pytest.fixture
def params(standin_program) -> BenchParams:
    return BenchParams(
        runtime="benchmark_model",
        benchmark_model=str(standin_program),
        runs=5,
        warmup=2,
        phone=CALM,
    )


@pytest.fixture
def open_phone(params, make_phone):  # closed before the phones are looked at
    """Opens phones as runners; each is closed at the end."""
    opened = []

    def open_(phone, access=Access(), **changes):
        runner = open_runner(f"adb:{phone.serial}", replace(params, **changes), access)
        opened.append(runner)
        return runner

    yield open_
    for runner in opened:
        runner.close()
        runner.close()  # twice is harmless


def test_a_launch(phone, open_phone, params, model):
    runner = open_phone(phone)
    got = runner.launch(model, params, "20261121-120000-abcdef-r0-0")
    assert got.valid, got.why_not
    assert got.summary.count == 5
    assert got.summary.value_ms > 0
    assert got.cpus == (6, 7)
    assert got.partitions == 1
    assert got.argv[0].startswith("/data/local/tmp/ghostdeploy/bin/benchmark_model-")
    assert "Inference timings in us" in got.stdout
    assert got.state_before.thermal_status == got.state_after.thermal_status == 0
    assert got.state_before.battery_percent == 84
    assert got.wall_s > 0


def test_what_a_phone_is(open_phone, make_phone):
    seen = open_phone(make_phone("kirin980")).identity()
    assert (seen.scheme, seen.model, seen.soc) == ("adb", "HUAWEI ELE-L29", "kirin980")
    assert (seen.arch, seen.os, seen.cores) == ("arm64-v8a", "Android 10", 8)
    assert [(c.role, c.core, c.cpus) for c in seen.clusters] == [
        ("little", "Cortex-A55", (0, 1, 2, 3)),
        ("mid", "Cortex-A76", (4, 5)),
        ("big", "Cortex-A76", (6, 7)),
    ]
    bare = open_phone(make_phone("bare"))
    assert bare.identity().cores == 4
    assert bare.state().thermal_status is None


def test_the_program_is_in_the_evidence(phone, open_phone, params, standin_program):
    found = open_phone(phone).runtime(params)
    assert found.sha256 == file_sha256(standin_program)
    assert found.origin == str(standin_program)


def test_outputs_are_those_of_this_machine(phone, open_phone, params, model):
    here = compute_reference(model)
    raw = open_phone(phone).output(model, params, here.inputs)
    assert measure_agreement(raw, here.outputs).rel_l2 < 1e-6
    other = (np.frombuffer(raw, np.float32) * 1.5).tobytes()
    assert measure_agreement(other, here.outputs).rel_l2 == pytest.approx(0.5, rel=1e-4)
    with pytest.raises(MeasurementError, match="outputs have 28 bytes, this machine's 32"):
        measure_agreement(raw[:-4], here.outputs)
    with pytest.raises(MeasurementError, match="not a number"):
        measure_agreement(raw[:-4] + b"\xff" * 4, here.outputs)


def test_an_operator_profile(phone, open_phone, params, model):
    got = open_phone(phone).launch(model, replace(params, profile=True))
    assert "--enable_op_profiling=true" in got.argv
    assert [row.calls for row in got.profile] == [1]
    assert got.profile[0].ms == pytest.approx(got.summary.mean_ms, abs=2e-3)


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({"xnnpack": False}, {"--use_xnnpack=false"}),
        ({"fp16": True}, {"--use_xnnpack=true", "--xnnpack_force_fp16=true"}),
        ({"plus_flags": ("--verbose=true",)}, {"--verbose=true"}),
        ({"threads": 2}, {"--num_threads=2"}),
    ],
)
def test_options_reach_the_program(phone, open_phone, params, model, changes, flags):
    got = open_phone(phone).launch(model, replace(params, **changes))
    assert flags <= set(got.argv)
    assert got.valid


def test_a_delegate_that_is_not_built_in(phone, open_phone, params, model):
    """The program only warns, and measures the CPU: that must not pass for the GPU's time."""
    with pytest.raises(UsageError, match="--use_gpu"):
        open_phone(phone).launch(model, replace(params, delegate="gpu"))


def test_a_model_that_it_cannot_run(phone, open_phone, params, tmp_path):
    path = tmp_path / "custom.tflite"
    path.write_bytes(small_models.tflite("custom"))
    with pytest.raises(InputFileError, match="benchmark_model cannot run it"):
        open_phone(phone).launch(path, params)


def test_an_onnx_file(phone, open_phone, params, onnx_model):
    with pytest.raises(UsageError, match=r"benchmark_model runs \.tflite files"):
        open_phone(phone).launch(onnx_model, params)


class TestAccess:
    def test_accepted_after_a_while(self, make_phone, open_phone):
        phone = make_phone(auth="tap")
        heard = []

        def tell(text: str) -> None:
            heard.append(text)
            threading.Timer(0.3, phone.tap).start()

        open_phone(phone, Access(tell=tell))
        assert "accept" in heard[0]

    def test_in_use(self, phone, open_phone):
        open_phone(phone)
        with pytest.raises(MeasurementError, match="is in use by process"):
            open_phone(phone)

    @pytest.mark.usefixtures("adb_server")
    def test_no_phone(self, params):
        with pytest.raises(MeasurementError, match="USB debugging"):
            open_runner("adb", params)
        with pytest.raises(MeasurementError, match="no phone is attached and ready"):
            find_serials("all")

    def test_no_adb(self, params, tmp_path):
        with pytest.raises(UsageError, match="cannot be run"):
            open_runner("adb", params, Access(adb=str(tmp_path / "adb")))

    def test_no_adb_on_this_machine_is_not_the_requests_fault(self, params, monkeypatch):
        for name in ("GHOSTDEPLOY_ADB", "ANDROID_HOME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PATH", "/nonexistent")
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)  # no adbutils
        with pytest.raises(MeasurementError, match="there is no adb program; install"):
            open_runner("adb", params)

    @pytest.mark.parametrize(
        ("cpus", "said"),
        [("prime", None), ("gold", "names no CPUs"), ("f00", "lacks CPUs 8, 9, 10, 11")],
    )
    def test_cpus(self, phone, open_phone, cpus, said):
        if said is None:
            assert open_phone(phone, cpus=cpus)
            return
        with pytest.raises(UsageError, match=said):
            open_phone(phone, cpus=cpus)

    def test_a_program_for_another_processor(self, phone, open_phone, tmp_path):
        program = tmp_path / "x86"
        program.write_bytes(elf(2, 62))
        with pytest.raises(UsageError, match="is for x86_64, the device runs arm64-v8a"):
            open_phone(phone, benchmark_model=str(program))

    def test_names_of_several_phones(self, make_phone, open_phone):
        phones = [make_phone(name) for name in ("kirin980", "prime")]
        for each in phones:
            open_phone(each)
        assert set(find_serials("all")) == {each.serial for each in phones}
        assert find_serials("A, B,A") == ("A", "B")
        assert find_serials("") == ("",)


def test_a_phone_that_is_offline_at_first_is_waited_for(open_phone, phone, adb, monkeypatch):
    """As one that was just plugged in, or whose adbd restarts."""
    phone.adbd.answering.clear()
    phone.drop()
    assert eventually(lambda: adb.get_state() == "offline")
    heard = []

    def tell(text: str) -> None:
        heard.append(text)
        phone.adbd.answering.set()

    assert open_phone(phone, Access(tell=tell)).identity().model == "HUAWEI ELE-L29"
    assert "waiting" in heard[0]


def test_a_phone_that_stays_offline_is_given_up(open_phone, phone, adb, monkeypatch):
    monkeypatch.setattr("ghostdeploy.runners.adb.SESSION_WAIT_S", 0.5)
    phone.adbd.answering.clear()
    phone.drop()
    assert eventually(lambda: adb.get_state() == "offline")
    with pytest.raises(MeasurementError, match="nobody answers at"):
        open_phone(phone)
    phone.adbd.answering.set()


@pytest.mark.parametrize("name", sorted(PHONES))
def test_the_simulated_phones(name, model):
    params = BenchParams(runtime="benchmark_model", runs=3, warmup=1, phone=CALM)
    heard = []
    runner = open_runner(f"fake:{name}", params, Access(tell=heard.append))
    try:
        assert runner.identity().scheme == "fake"
        assert "simulated, no phone" in runner.identity().model
        assert "simulated phone" in runner.warnings()[0]
        assert "simulated phone" in heard[0]
        assert runner.launch(model, params).summary.count == 3
    finally:
        runner.close()
    with pytest.raises(UsageError, match="no test phone is called 'none'; there is kirin980"):
        open_runner("fake:none", params)


HOLDS = """
import signal
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup` has it ignored in all that it starts
from ghostdeploy.runners import open_runner
from ghostdeploy.schema import BenchParams, PhoneParams

params = BenchParams(runtime="benchmark_model", phone=PhoneParams(cool_down_s=0))
runner = open_runner("fake:prime", params)
print("ready", flush=True)
signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_a_killed_dry_run_leaves_no_server_and_no_files(tmp_path, number):
    mark = f"fake-{os.getpid()}-{number}"
    env = {**os.environ, "TMPDIR": str(tmp_path), MARK: mark}
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    with holder:
        assert holder.stdout.readline() == "ready\n"
        assert any("adb" in command for _, command in marked_processes(mark))
        holder.send_signal(number)
    assert eventually(lambda: not list(marked_processes(mark)), 20)
    assert eventually(lambda: not list(tmp_path.iterdir()), 20)
