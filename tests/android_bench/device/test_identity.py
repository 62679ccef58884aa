"""What a device is and what state it is in: on three phones' files, and on this machine."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from android_bench.device.identity import (
    IDENTITY_PARTS,
    Identity,
    parse_identity,
    read_identity,
)
from android_bench.device.shell import join_sections, run_sections, split_sections
from android_bench.device.state import LIGHT_PARTS, STATE_PARTS, State, parse_state, read_state
from tests.android_bench.device_phones import NAMES, LocalShell, Phone, Result, make_phone


@pytest.fixture
def phone(request, tmp_path) -> Phone:
    return make_phone(request.param, tmp_path / "phone")


def on(name):
    return pytest.mark.parametrize("phone", [name], indirect=True)


@on("kirin980")
def test_a_kirin_980_tells_who_it_is(phone):
    found = read_identity(phone)
    assert (found.manufacturer, found.model, found.soc) == ("HUAWEI", "ELE-L29", "kirin980")
    assert (found.android, found.sdk) == ("10", 29)
    assert found.fingerprint.startswith("HUAWEI/ELE-L29EEA/HWELE:10/")
    assert found.abis == ("arm64-v8a", "armeabi-v7a", "armeabi")
    assert (found.kernel, found.machine) == ("Linux 4.14.116", "aarch64")
    assert [core.name for core in found.cores] == ["Cortex-A55"] * 4 + ["Cortex-A76"] * 4
    assert [(c.role, c.name, c.mask, f"{c.max_khz / 1e6:.2f}") for c in found.clusters] == [
        ("little", "Cortex-A55", "0f", "1.80"),
        ("mid", "Cortex-A76", "30", "1.92"),
        ("big", "Cortex-A76", "c0", "2.60"),
    ]


@on("kirin980")
def test_a_kirin_980_tells_its_state(phone):
    state = read_state(phone)
    assert (state.thermal_status, state.thermal_overridden) == (0, False)
    assert state.battery.level_percent == 84
    assert state.battery.temp_c == pytest.approx(32.6)
    assert state.battery.plugged == ("USB",)
    assert state.wakefulness == "Awake"
    assert state.load_1min == 3.52
    assert state.mem_available_mb == pytest.approx(2811904 * 1024 / 1e6)
    assert state.boot_id == "5d4e1c52-6a1f-4b1e-9d0c-2f6a7f0a9b11"
    assert state.uptime_s == 93211.47
    assert [freq.cur_khz for freq in state.freqs] == [1709000, 1197000, 826000]
    assert {freq.governor for freq in state.freqs} == {"schedutil"}
    assert state.max_temp_c == pytest.approx(39.512)  # cluster1; the HAL gives no temperature
    assert "modem" not in {sensor.name for sensor in state.temperatures}  # 0: off


@on("snapdragon8gen2")
def test_a_snapdragon_8_gen_2_has_two_designs_under_one_policy(phone):
    found = read_identity(phone)
    assert (found.soc, found.sdk) == ("SM8550", 33)
    assert [str(c.name) for c in found.clusters] == [
        "Cortex-A510", "Cortex-A710", "Cortex-A715", "Cortex-X3",
    ]  # fmt: skip
    assert [c.role for c in found.clusters] == ["little", "mid", "big", "prime"]
    assert [c.mask for c in found.clusters] == ["07", "60", "18", "80"]


@on("snapdragon8gen2")
def test_a_hot_snapdragon_tells_so(phone):
    state = read_state(phone)
    assert state.thermal_status == 2
    assert state.max_temp_c == pytest.approx(51.5)  # what is cached, 99 °C, is old
    named = {sensor.name: sensor.kind for sensor in state.temperatures}
    assert named == {
        "cpu-0-0": "cpu", "cpu-1-0": "cpu", "cpu-1-6": "cpu", "gpuss-0": "gpu",
        "battery": "battery", "skin": "skin", "nsp": "other",
    }  # fmt: skip
    assert state.battery.updates_stopped
    assert state.battery.plugged == ()
    assert state.wakefulness == "Dozing"


@on("snapdragon8gen2")
def test_zones_that_are_no_temperatures_are_left_out(phone):
    light = parse_state(run_sections(phone, LIGHT_PARTS, 30.0))  # the kernel's zones alone
    assert {sensor.name for sensor in light.temperatures} == {
        "aoss-0", "cpu-1-6", "battery", "skin-therm",
    }  # fmt: skip
    assert not any("dumpsys" in call for call in phone.calls)


@on("bare")
def test_a_phone_that_denies_half_of_it_still_tells_the_rest(phone):
    found = read_identity(phone)
    assert (found.model, found.soc, found.sdk) == ("Z1 Lite", "mt6739", 27)
    assert (found.manufacturer, found.fingerprint, found.android) == (None, None, None)
    assert found.abis == ("armeabi-v7a",)
    # the kernel names one part for all CPUs: which CPU's that is, is not known
    (cluster,) = found.clusters
    assert (cluster.role, cluster.name, cluster.mask) == ("big", None, "0f")
    assert f"{cluster.max_khz / 1e6:.2f}" == "1.50"
    state = read_state(phone)
    assert (state.thermal_status, state.wakefulness, state.boot_id) == (None, None, None)
    assert (state.load_1min, state.mem_available_mb) == (None, None)
    assert state.battery.plugged == ("AC",)
    assert state.max_temp_c == pytest.approx(29.0)  # the battery's, for want of another
    assert state.freqs[0].max_khz == 1495000
    assert state.freqs[0].cap_khz is None


@pytest.mark.parametrize("phone", NAMES, indirect=True)
def test_no_part_is_needed_for_another(phone):
    for parts, parse in ((IDENTITY_PARTS, parse_identity), (STATE_PARTS, parse_state)):
        told = split_sections(phone.shell(join_sections(parts, "n0")).stdout, "n0")
        whole = asdict(parse(told))
        for denied in told:
            rest = asdict(parse({**told, denied: b""}))
            assert parse({k: v for k, v in told.items() if k != denied}) is not None
            lost = {key for key in whole if rest[key] != whole[key]}
            assert lost <= FIELDS_OF[denied]


FIELDS_OF = {
    "getprop": {"manufacturer", "model", "soc", "fingerprint", "android", "sdk", "abis"},
    "uname": {"kernel", "machine"},
    "cpuinfo": {"cores", "clusters", "soc"},
    "cpufreq": {"clusters", "freqs"},
    "capacity": {"clusters"},
    "thermal": {"thermal_status", "thermal_overridden", "temperatures", "max_temp_c"},
    "battery": {"battery", "max_temp_c"},
    "power": {"wakefulness"},
    "zones": {"temperatures", "max_temp_c"},
    "load": {"load_1min"},
    "memory": {"mem_available_mb"},
    "boot": {"boot_id"},
    "uptime": {"uptime_s"},
}


def test_a_part_that_fails_leaves_the_others(tmp_path):
    phone = make_phone("kirin980", tmp_path / "phone")
    for tool in ("dumpsys", "getprop"):
        phone.script(tool, "echo denied >&2; kill -9 $$\n")
    assert read_identity(phone).machine == "aarch64"
    assert read_state(phone).max_temp_c == pytest.approx(39.512)


def test_nothing_told_is_nothing_known():
    class Mute(LocalShell):
        def shell(self, command, timeout_s=30.0):
            return Result(b"", b"sh: permission denied\n", 126)

    assert read_identity(Mute()) == Identity()
    assert read_state(Mute()) == State()


def test_this_machine_answers_what_it_can():
    identity, state = read_identity(LocalShell()), read_state(LocalShell())
    assert identity.kernel.startswith("Linux ")
    assert identity.machine
    assert identity.cores
    assert identity.sdk is None
    assert {cpu for c in identity.clusters for cpu in c.cpus} >= {c.cpu for c in identity.cores}
    assert state.uptime_s > 0
    assert state.mem_available_mb > 1
    assert state.boot_id
    assert state.thermal_status is None
