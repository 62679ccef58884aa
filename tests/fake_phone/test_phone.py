"""The test phones are what they claim: their files, programs, faults, and a clean end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from android_bench.adb.phone import connect
from ghostdeploy.fake_phone import PHONES, Phone, Trigger, can_isolate
from ghostdeploy.fake_phone.sandbox import Sandbox, SandboxError, _device_paths, script_translation
from tests.command_line import eventually
from tests.fake_phone.fixtures import attach, process_on, sleeping

REPOSITORY = Path(__file__).parent.parent.parent
CPUFREQ = "/sys/devices/system/cpu/cpufreq"
NEEDS_NAMESPACES = pytest.mark.skipif(not can_isolate(), reason="no namespaces here")


@pytest.fixture(params=[pytest.param(True, marks=NEEDS_NAMESPACES), False], ids=["own", "shared"])
def isolated(request) -> bool:
    return request.param


@pytest.fixture(
    params=[
        *(pytest.param((name, True), marks=NEEDS_NAMESPACES, id=f"{name}-own") for name in PHONES),
        pytest.param(("bare", False), id="bare-shared"),
    ]
)
def each_phone(request, make_phone) -> Phone:
    name, isolated = request.param
    return make_phone(name, isolated=isolated)


class TestContents:
    def test_properties(self, each_phone):
        adb = attach(each_phone)
        lines = adb.check(["getprop"]).splitlines()
        assert lines == [f"[{key}]: [{value}]" for key, value in each_phone.spec.properties]
        key, value = each_phone.spec.properties[3]
        assert adb.check(["getprop", key]) == f"{value}\n"
        assert adb.check(["getprop", "no.such", "default"]) == "default\n"

    def test_kernel(self, each_phone):
        adb = attach(each_phone)
        assert adb.check(["cat", "/proc/sys/kernel/random/boot_id"]).strip() == each_phone.boot_id
        cores = sum(len(cluster.cpus) for cluster in each_phone.spec.clusters)
        assert adb.check("grep -c ^processor /proc/cpuinfo") == f"{cores}\n"
        before = float(adb.check(["cat", "/proc/uptime"]).split()[0])
        each_phone.advance(100)
        assert float(adb.check(["cat", "/proc/uptime"]).split()[0]) >= before + 100

    def test_clusters(self, make_phone, isolated):
        adb = attach(make_phone("kirin980", isolated=isolated))
        related = f"for p in 0 4 6; do cat {CPUFREQ}/policy$p/related_cpus; done"
        assert adb.check(related) == "0 1 2 3\n4 5\n6 7\n"
        top = f"for p in 4 6; do cat {CPUFREQ}/policy$p/cpuinfo_max_freq; done"
        assert adb.check(top) == "1920000\n2600000\n"

    def test_half_of_the_bare_one_is_denied(self, make_phone, isolated):
        adb = attach(make_phone("bare", isolated=isolated))
        for path in (f"{CPUFREQ}/policy0/scaling_cur_freq", "/proc/meminfo", "/proc/loadavg"):
            result = adb.shell(["cat", path])
            assert result.returncode == 1
            assert b"Permission denied" in result.stdout
        assert b"Can't find service" in adb.shell(["dumpsys", "thermalservice"]).stdout
        assert adb.shell(["sha256sum", "/proc/uptime"]).returncode == 127

    def test_dumpsys(self, make_phone, isolated):
        adb = attach(make_phone("prime", isolated=isolated))
        assert "  level: 67\n" in adb.check(["dumpsys", "battery"])
        assert "Thermal Status: 0\n" in adb.check(["dumpsys", "thermalservice"])
        assert "mWakefulness=Awake" in adb.check(["dumpsys", "power"])

    def test_adb_lists_and_stats_files(self, each_phone, adb_server):
        adb = attach(each_phone)
        adb.check(["touch", "/data/local/tmp/ä b"])
        listed = adb.client.run(["ls", "/data/local/tmp"], 60, serial=adb.serial)
        assert "ä b" in listed.stdout.decode()


class TestPrograms:
    def test_taskset_sets_and_reads_back(self, each_phone):
        adb = attach(each_phone)
        readback = "taskset -p $$; sh -c 'taskset -p $$'; true"
        said = adb.check(["taskset", "3", "sh", "-c", readback])
        assert re.findall(r"mask: (\w+)", said) == ["3", "3"]
        assert adb.shell(["taskset", "0x3", "true"]).returncode == 1
        assert adb.shell(["taskset", "100", "true"]).returncode == 1
        each_phone.set_affinity_ignored()
        full = f"{(1 << sum(len(c.cpus) for c in each_phone.spec.clusters)) - 1:x}"
        assert f"mask: {full}" in adb.check(["taskset", "3", "sh", "-c", "taskset -p $$"])

    def test_fixed_performance_mode(self, make_phone, isolated):
        adb = attach(make_phone("prime", isolated=isolated))
        command = ["cmd", "power", "set-fixed-performance-mode-enabled"]
        limit = ["cat", f"{CPUFREQ}/policy7/scaling_max_freq"]
        adb.check([*command, "true"])
        assert adb.check(limit) == "1804800\n"
        adb.check([*command, "false"])
        assert adb.check(limit) == "2995200\n"
        old = attach(make_phone("kirin980", isolated=isolated))
        assert old.shell([*command, "true"]).returncode == 255

    def test_settings_and_screen(self, make_phone, isolated):
        adb = attach(make_phone("kirin980", isolated=isolated))
        key = ["global", "stay_on_while_plugged_in"]
        assert adb.check(["settings", "get", *key]) == "null\n"
        adb.check(["svc", "power", "stayon", "usb"])
        assert adb.check(["settings", "get", *key]) == "2\n"
        adb.check(["input", "keyevent", "KEYCODE_SLEEP"])
        assert "mWakefulness=Asleep" in adb.check(["dumpsys", "power"])

    def test_thermal_override(self, make_phone, isolated):
        adb = attach(make_phone("prime", isolated=isolated))
        adb.check(["cmd", "thermalservice", "override-status", "2"])
        said = adb.check(["dumpsys", "thermalservice"])
        assert "IsStatusOverride: true" in said
        assert "Thermal Status: 2" in said


class TestEvents:
    def test_throttling_at_a_moment(self, make_phone, isolated):
        phone = make_phone(isolated=isolated)
        adb = attach(phone)
        phone.when("benchmark", lambda: phone.throttle(2, 1_000_000))
        phone.when("benchmark", lambda: phone.set_thermal_status(3))
        limit = ["cat", f"{CPUFREQ}/policy6/scaling_max_freq"]
        assert adb.check(limit) == "2600000\n"
        adb.check(["echo", "benchmark"])
        assert adb.check(limit) == "1000000\n"
        assert "Thermal Status: 3" in adb.check(["dumpsys", "thermalservice"])

    def test_a_drained_battery(self, make_phone, isolated):
        phone = make_phone(isolated=isolated)
        phone.set_battery(12, 451)
        said = attach(phone).check(["dumpsys", "battery"])
        assert "  level: 12\n" in said
        assert "  temperature: 451\n" in said

    def test_a_reboot_kills_and_renews(self, each_phone):
        adb = attach(each_phone)
        adb.shell("setsid sleep 600 </dev/null >/dev/null 2>&1 &")
        process_on(each_phone, sleeping(600))
        adb.check(["touch", "/data/local/tmp/kept"])
        before = each_phone.boot_id
        each_phone.reboot()
        assert each_phone.processes() == []
        said = adb.check(["cat", "/proc/sys/kernel/random/boot_id"]).strip()
        assert said == each_phone.boot_id != before
        assert each_phone.files() == ["kept"]

    def test_a_lost_session_hangs_up_the_shell_alone(self, each_phone):
        adb = attach(each_phone)
        each_phone.faults.drop_after_output = Trigger("yes", after_bytes=100)
        client = adb.client
        client.run(["shell", "env sleep 600 & yes"], 60, serial=adb.serial)
        process_on(each_phone, sleeping(600))
        while len(each_phone.processes()) > 1:
            time.sleep(0.05)
        assert each_phone.kill(sleeping(600)) == 1

    def test_two_phones_are_apart(self, make_phone, isolated):
        adbs = [attach(make_phone(name, isolated=isolated)) for name in PHONES]
        for adb in adbs:
            adb.check(f"echo {adb.serial} >/data/local/tmp/name")
        for adb in adbs:
            assert adb.check(["cat", "/data/local/tmp/name"]) == f"{adb.serial}\n"


class TestSandbox:
    @NEEDS_NAMESPACES
    def test_this_machine_cannot_be_changed(self, make_phone, tmp_path):
        adb = attach(make_phone(isolated=True))
        result = adb.shell(["touch", str(tmp_path / "x")])
        assert result.returncode != 0
        assert list(tmp_path.iterdir()) == []

    @NEEDS_NAMESPACES
    def test_only_its_own_processes(self, make_phone):
        said = attach(make_phone(isolated=True)).check("ls -d /proc/[0-9]*")
        assert f"/proc/{os.getpid()}" not in said.split()

    def test_an_ended_sandbox_says_so(self, isolated):
        phone = Phone(PHONES["bare"], isolated=isolated).start()
        phone.stop()
        with pytest.raises(SandboxError, match="off"):
            phone.sandbox.list_processes()
        assert not phone.storage.root.exists()

    def test_a_port_that_is_taken_leaves_nothing(self, isolated, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            phone = Phone(PHONES["bare"], port=taken.getsockname()[1], isolated=isolated)
            with pytest.raises(OSError, match="in use"):
                phone.start()
        with pytest.raises(SandboxError, match="off"):
            phone.sandbox.list_processes()
        assert list(tmp_path.iterdir()) == []

    def test_no_place_for_it(self, tmp_path):
        with pytest.raises(SandboxError, match="no sandbox"):
            Sandbox(tmp_path / "nowhere", isolated=True)

    @pytest.mark.parametrize(
        ("text", "translated"),
        [
            ("cat /data/x", "cat R/data/x"),
            ("--graph=/data/x", "--graph=R/data/x"),
            ("/data/a /data/b", "R/data/a R/data/b"),
            ("</proc/uptime", "<R/proc/uptime"),
            ("/proc/self/stat /proc/12/status", "/proc/self/stat /proc/12/status"),
            ("/database /x/data ./data a/data", "/database /x/data ./data a/data"),
            ("'/sys'", "'R/sys'"),
        ],
    )
    def test_translation_of_commands_and_of_scripts(self, text, translated):
        assert _device_paths().sub(r"R\g<0>", text) == translated
        said = subprocess.run(
            ["sed", script_translation(Path("R"))], input=text, capture_output=True, text=True
        )
        assert said.stdout.rstrip("\n") == translated


class TestProgram:
    @pytest.fixture
    def daemon(self, adb_server, tmp_path):
        process = subprocess.Popen(
            [sys.executable, "-m", "ghostdeploy.fake_phone", "--phone", "prime"],
            cwd=REPOSITORY,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        address = process.stdout.readline().removeprefix("adb connect ").strip()
        yield process, address
        process.kill()
        process.wait()
        process.stdout.close()
        adb_server.run("disconnect", address)

    def test_serves_and_ends_on_a_signal(self, daemon):
        process, address = daemon
        adb = connect(address)
        assert adb.check(["getprop", "ro.soc.model"]) == "SM8450\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0

    def test_killed_it_takes_its_processes_and_files_along(self, daemon, tmp_path):
        process, address = daemon
        marker = f"98{os.getpid()}"
        adb = connect(address)
        adb.shell(f"setsid sleep {marker} </dev/null >/dev/null 2>&1 &")
        while not running(f"sleep {marker}"):
            time.sleep(0.05)
        process.kill()
        process.wait()
        assert eventually(lambda: not running(f"sleep {marker}"))
        assert eventually(lambda: not list(tmp_path.iterdir()))

    def test_a_port_that_is_taken_is_one_line(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            done = subprocess.run(
                [sys.executable, "-m", "ghostdeploy.fake_phone", "--port", port],
                cwd=REPOSITORY,
                capture_output=True,
                text=True,
            )
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr.startswith("error: no phone: ")
        assert done.stderr.count("\n") == 1


def running(line: str) -> bool:
    found = subprocess.run(["pgrep", "-fx", line], capture_output=True, check=False)
    return found.returncode == 0
