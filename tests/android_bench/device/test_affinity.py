"""Masks and CPU lists; a mask is set on a real process and read back."""

from __future__ import annotations

import os
import subprocess

import pytest

from android_bench.device.affinity import (
    Affinity,
    build_read_back,
    build_taskset,
    explain_affinity,
    from_mask,
    parse_cpu_list,
    parse_cpus_allowed,
    parse_read_back,
    to_mask,
)
from android_bench.errors import OptionError
from tests.android_bench.device_phones import LocalShell


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("0 1 2 3", (0, 1, 2, 3)), ("0-2,7", (0, 1, 2, 7)), ("5", (5,)), ("", ()), ("3-1", ()),
        ("a", ()), ("1-x", ()), ("0-1024", ()), ("0-9999999999", ()), ("1,,2", ()), ("٣", ()),
    ],
)  # fmt: skip
def test_cpu_lists(text, cpus):
    assert parse_cpu_list(text) == cpus


def test_masks():
    assert to_mask((4, 5, 6, 7)) == "f0"
    assert to_mask((0,)) == "01"
    assert from_mask("0xc0") == (6, 7)
    assert build_taskset("f0") == ("taskset", "f0")
    assert build_taskset("0xF0") == ("taskset", "f0")  # toybox takes no 0x
    assert build_taskset("") == ()
    with pytest.raises(OptionError, match="hex such as f0"):
        build_taskset("f0; reboot")


@pytest.mark.parametrize(
    ("line", "cpus"),
    [
        (b"Cpus_allowed:\tf0\n", (4, 5, 6, 7)), (b"Cpus_allowed:\t00000001,00000003\n", (0, 1, 32)),
        (b"Cpus_allowed:\t0\n", None), (b"Cpus_allowed:\tf0", None), (b"", None),
        (b"Cpus_allowed_list:\t0-7\n", None), (b"Cpus_allowed:\t1,3\n", None),
    ],
)  # fmt: skip
def test_the_mask_is_read_back(line, cpus):
    assert parse_cpus_allowed(line) == (None if cpus is None else Affinity(cpus))


def test_a_mask_of_a_running_process_is_read_back_here():
    cpu = min(os.sched_getaffinity(0))
    argv = [*build_taskset(to_mask([cpu])), "sleep", "20"]
    with subprocess.Popen(argv) as process:
        try:
            wait_for(process.pid, b"sleep")
            found = read_back(process.pid)
        finally:
            process.kill()
    assert found == Affinity((cpu,))
    assert explain_affinity([cpu], found) == ""
    assert "did not take effect: it ran on" in explain_affinity([cpu, cpu + 1], found)
    assert read_back(process.pid) is None
    assert "could not be read back" in explain_affinity([cpu], None)
    assert explain_affinity([], None) == ""


def read_back(pid):
    return parse_read_back(LocalShell().shell(build_read_back(str(pid))).stdout)


def wait_for(pid, name):
    while True:
        with open(f"/proc/{pid}/comm", "rb") as file:
            if file.read().strip() == name:
                return


def test_the_last_cpu_that_a_device_can_have():
    assert parse_cpu_list("1023") == (1023,)
    assert parse_cpu_list("1024") == ()
    assert parse_cpu_list("3-3") == (3,)
    assert from_mask("8" + "0" * 255) == (1023,)
    with pytest.raises(OptionError):
        from_mask("1" + "0" * 256)
    zeros = ",00000000" * 31
    assert parse_cpus_allowed(f"Cpus_allowed:\t80000000{zeros}\n".encode()) == Affinity((1023,))
    assert parse_cpus_allowed(f"Cpus_allowed:\t1,00000000{zeros}\n".encode()) is None
    padded = "00000000," * 255 + "000000f0"  # a kernel made for 8192 CPUs
    assert parse_cpus_allowed(f"Cpus_allowed:\t{padded}\n".encode()) == Affinity((4, 5, 6, 7))
    assert from_mask("1") == (0,)
    assert to_mask((1, 1, 3)) == "0a"


@pytest.mark.parametrize(
    ("asked", "found", "said"),
    [
        ((), None, ""),
        ((4, 5), (4, 5), ""),
        ((5, 4, 4), (4, 5), ""),
        ((4, 5), (4,), "the CPU mask 30 did not take effect: it ran on 10"),
        ((4, 5), (4, 5, 6), "the CPU mask 30 did not take effect: it ran on 70"),
        ((4,), None, "the CPU mask 10 did not take effect: its mask could not be read back"),
    ],
)
def test_a_mask_that_did_not_take_effect_is_told(asked, found, said):
    assert explain_affinity(asked, None if found is None else Affinity(found)) == said
