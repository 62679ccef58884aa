"""What the machine tells of itself, from a made-up file system and from the real one."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time

import pytest

from ghostdeploy.runners.host import machine
from ghostdeploy.schema import DeviceState

TICK = os.sysconf("SC_CLK_TCK")
STAT = f"""cpu  1 2 3 4 5 6 7 {5 * TICK} 0 0
cpu0 1 2 3 4 5 6 7 {2 * TICK} 0 0
cpu1 1 2 3 4 5 6 7 {3 * TICK} 0 0
intr 9 8 7 6 5 4 3 2 1
"""


def write(root, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_state_of_a_phone_like_machine(tmp_path):
    cpu = "sys/devices/system/cpu"
    write(
        tmp_path,
        {
            "proc/loadavg": "1.25 0.50 0.10 1/200 999\n",
            "proc/uptime": "100.5 90.0\n",
            "proc/stat": STAT,
            "proc/meminfo": "MemTotal: 9 kB\nMemAvailable:    1000000 kB\n",
            f"{cpu}/cpu0/cpufreq/scaling_cur_freq": "600000\n",
            f"{cpu}/cpu0/cpufreq/scaling_max_freq": "1800000\n",
            f"{cpu}/cpu0/cpufreq/scaling_governor": "schedutil\n",
            f"{cpu}/cpu2/cpufreq/scaling_cur_freq": "700000\n",
            f"{cpu}/cpu10/cpufreq/scaling_cur_freq": "2600000\n",
            f"{cpu}/cpu10/cpufreq/scaling_governor": "performance\n",
            "sys/class/thermal/thermal_zone0/temp": "41500\n",
            "sys/class/thermal/thermal_zone1/temp": "-5000\n",
            "sys/class/thermal/thermal_zone2/temp": "broken\n",
        },
    )
    assert machine.read_machine_state(tmp_path) == DeviceState(
        load_1min=1.25,
        mem_available_mb=1024.0,
        max_temp_c=41.5,
        cur_freq_khz=(600000, 700000, 2600000),
        max_freq_khz=(1800000,),
        governor="performance, schedutil",
        cpu_steal_s=5.0,
        cpu_busy_s=19 / TICK,
        uptime_s=100.5,
    )


def test_a_machine_that_tells_nothing_is_no_error(tmp_path):
    assert machine.read_machine_state(tmp_path) == DeviceState()
    identity = machine.read_machine_identity(tmp_path)
    assert identity.scheme == "local"
    assert identity.soc
    assert identity.cores == os.cpu_count()
    write(tmp_path, {"proc/loadavg": "", "proc/stat": "cpu x\n", "proc/meminfo": "MemAvailable:"})
    assert machine.read_machine_state(tmp_path) == DeviceState()


@pytest.mark.parametrize(
    ("files", "model", "soc", "name"),
    [
        (
            {
                "proc/cpuinfo": "processor : 0\nmodel name\t: Fast CPU @ 3 GHz\n",
                "sys/class/dmi/id/product_name": "Box 9\n",
                "etc/os-release": 'ID=x\nPRETTY_NAME="Some Linux 12"\n',
            },
            "Box 9",
            "Fast CPU @ 3 GHz",
            "Some Linux 12",
        ),
        (
            {
                "proc/cpuinfo": "processor : 0\nmodel name : ARMv7\nHardware : BCM2835\n",
                "proc/device-tree/model": "Board 4\x00",
                "etc/os-release": "PRETTY_NAME=Plain\n",
            },
            "Board 4",
            "BCM2835",
            "Plain",
        ),
        ({"proc/cpuinfo": "model name : Only\n"}, "Only", "Only", None),
    ],
)
def test_identity(tmp_path, files, model, soc, name):
    write(tmp_path, files)
    got = machine.read_machine_identity(tmp_path)
    assert (got.model, got.soc) == (model, soc)
    assert got.os == (name or platform.platform(aliased=True, terse=True))
    assert got.arch == platform.machine()


def test_identity_does_not_change_and_state_does():
    assert machine.read_machine_identity() == machine.read_machine_identity()
    first = machine.read_machine_state()
    time.sleep(0.02)
    assert machine.read_machine_state().uptime_s > first.uptime_s
    assert first.load_1min is not None
    assert first.mem_available_mb > 1


def test_steal_of_all_and_of_some_cores():
    assert machine.parse_steal_s(STAT) == 5.0
    assert machine.parse_steal_s(STAT, (1,)) == 3.0
    assert machine.parse_steal_s(STAT, (0, 1)) == 5.0
    assert machine.parse_steal_s(STAT, (0, 7)) is None
    assert machine.parse_steal_s("") is None
    assert machine.parse_steal_s("cpu 1 2 3 4\n") is None  # a kernel before 2.6.11


def test_busy_time_is_all_but_idling_waiting_and_stolen_time():
    assert machine.parse_busy_s(STAT) == (1 + 2 + 3 + 6 + 7) / TICK
    assert machine.parse_busy_s(STAT, (1,)) == 19 / TICK
    assert machine.parse_busy_s(STAT, (0, 1)) == 38 / TICK
    assert machine.parse_busy_s(STAT, (0, 2)) is None  # a core that is offline
    assert machine.parse_busy_s("cpu 1 2 3 4\n") is None
    assert machine.parse_busy_s("cpu 1 2 3 4 5 6 x 8\n") is None


def test_the_cpu_time_of_children_counts_once_they_are_waited_for():
    before = machine.read_children_cpu_s()
    subprocess.run([sys.executable, "-c", "sum(range(3_000_000))"], check=True)
    assert 0.01 < machine.read_children_cpu_s() - before < 30


def test_allowed_cpus_are_the_kernels():
    assert machine.list_allowed_cpus() == tuple(sorted(os.sched_getaffinity(0)))
