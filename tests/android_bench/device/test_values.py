"""Single tools' output, the odd forms; and that damage to it never makes a number up."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from android_bench.device.affinity import parse_cpus_allowed
from android_bench.device.clusters import choose_cpus
from android_bench.device.identity import IDENTITY_PARTS, parse_identity
from android_bench.device.shell import join_sections, split_sections
from android_bench.device.state import STATE_PARTS, parse_state
from android_bench.device.thermal import convert_zone, parse_thermalservice
from android_bench.device.values import (
    parse_battery,
    parse_getprop,
    parse_loadavg,
    parse_meminfo,
    parse_wakefulness,
)
from tests.android_bench.device_phones import NAMES, make_phone

FEW = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("text", "celsius"),
    [
        ("45123", 45.123), ("38000", 38.0), ("-5000", -5.0), ("326", 32.6), ("45", 45.0),
        ("-2", -2.0), ("36.5", 36.5), ("0", None), ("-274000", None), ("-40000", None),
        ("131000", None), ("2147483647", None), ("140", None), ("", None), ("n/a", None),
        ("nan", None), ("1e99", None), ("٤٥", None),
    ],
)  # fmt: skip
def test_zones_come_in_three_units(text, celsius):
    assert convert_zone(text) == (None if celsius is None else pytest.approx(celsius))


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (b"  level: 84\n  scale: 100\n", 84), (b"  level: 84\n", 84),
        (b"  level: 100\n  scale: 200\n", 50), (b"  level: 101\n  scale: 100\n", None),
        (b"  level: -1\n  scale: 100\n", None), (b"  level: 84", None),
        (b"  level: 84\r\n", 84), (b"level=84\n", 84), (b"  level: x\n", None),
        (b"  level: 5\n  scale: 0\n", None),
    ],
)  # fmt: skip
def test_battery_levels(text, level):
    assert parse_battery(text).level_percent == level


MAINS = (  # of a box that has no battery
    b"Current Battery Service state:\n  AC powered: true\n  USB powered: false\n  status: 1\n"
    b"  health: 1\n  present: false\n  level: 0\n  scale: 100\n  voltage: 0\n  temperature: 310\n"
)


def test_a_box_without_a_battery_has_no_level_and_no_temperature():
    found = parse_battery(MAINS)
    assert (found.level_percent, found.temp_c, found.plugged) == (None, None, ("AC",))
    there = parse_battery(MAINS.replace(b"present: false", b"present: true"))
    assert (there.level_percent, there.temp_c) == (0, 31.0)


@pytest.mark.parametrize(
    ("text", "celsius"),
    [("310", 31.0), ("100", 10.0), ("-105", -10.5), ("1000", 100.0), ("26", None), ("99", None),
     ("-5", None), ("0", None), ("31000", None), ("", None), ("x", None)],
)  # fmt: skip
def test_a_batterys_tenths_of_a_degree_or_what_may_be_whole_ones(text, celsius):
    assert parse_battery(f"  temperature: {text}\n".encode()).temp_c == celsius


def test_an_overridden_thermal_status_is_no_status():
    text = b"IsStatusOverride: true\nThermal Status: 0\n"
    found = parse_thermalservice(text)
    assert found.status is None
    assert found.overridden
    assert parse_thermalservice(b"Thermal Status: 0\n").status is None  # no head: what is this?
    assert parse_thermalservice(text.replace(b"true", b"false")).status == 0
    assert parse_thermalservice(b"IsStatusOverride: false\nThermal Status: 7\n").status is None


def test_cached_temperatures_serve_where_the_hal_gives_none():
    text = (
        b"IsStatusOverride: false\nThermal Status: 1\nCached temperatures:\n"
        b"\tTemperature{mValue=41.5, mType=0, mName=CPU0, mStatus=0}\nHAL Ready: true\n"
    )
    assert [t.temp_c for t in parse_thermalservice(text).temperatures] == [41.5]


def test_other_odd_lines():
    assert parse_getprop(b"[a]: [x]\n[b]: [unknown]\n[c]: []\n[d]: [e]: [f]\n[g]: [cut") == {
        "a": "x", "d": "e]: [f",
    }  # fmt: skip
    assert parse_meminfo(b"MemTotal: 100 kB\nMemFree: 50 kB\n") is None
    assert parse_meminfo(b"MemAvailable:    1000 kB\n") == pytest.approx(1.024)
    assert parse_loadavg(b"-1 2 3 1/2 3\n") is None
    assert parse_wakefulness(b"  mWakefulness=Awake\n") == "Awake"
    assert parse_wakefulness(b"  mWakefulness=Flying\n") is None


@pytest.fixture(scope="module")
def phones(tmp_path_factory):
    """What each phone prints, whole, and as read."""
    found = {}
    for name in NAMES:
        phone = make_phone(name, tmp_path_factory.mktemp(name) / "phone")
        parts = {**IDENTITY_PARTS, **STATE_PARTS}
        outputs = [phone.shell(join_sections(p, "n0")).stdout for p in halves(parts)]
        found[name] = {k: v for out in outputs for k, v in split_sections(out, "n0").items()}
    return found


def halves(parts):  # the command line of all at once would be too long
    items = list(parts.items())
    return dict(items[: len(items) // 2]), dict(items[len(items) // 2 :])


def check(identity, state):
    """Nothing that is told is beyond what a device can have."""
    for value in numbers((identity, state)):
        assert math.isfinite(value)
    assert identity.sdk is None or 1 <= identity.sdk <= 1000
    assert state.thermal_status in (None, *range(7))
    assert state.battery.level_percent is None or 0 <= state.battery.level_percent <= 100
    for temp_c in (state.max_temp_c, *(t.temp_c for t in state.temperatures)):
        assert temp_c is None or -30 <= temp_c <= 130
    for freq in state.freqs:
        for khz in (freq.cur_khz, freq.cap_khz, freq.max_khz):
            assert khz is None or 10_000 <= khz <= 10_000_000
    cpus = [cpu for cluster in identity.clusters for cpu in cluster.cpus]
    assert len(cpus) == len(set(cpus))
    assert all(0 <= cpu < 1024 for cpu in cpus)
    choose_cpus(identity.clusters)


def numbers(thing):
    if dataclasses.is_dataclass(thing):
        thing = [getattr(thing, field.name) for field in dataclasses.fields(thing)]
    if isinstance(thing, (list, tuple)):
        for item in thing:
            yield from numbers(item)
    elif isinstance(thing, (int, float)):
        yield thing


def read(sections):
    identity, state = parse_identity(sections), parse_state(sections)
    check(identity, state)
    return identity, state


SCALARS = (
    "thermal_status", "wakefulness", "load_1min", "mem_available_mb", "boot_id", "uptime_s",
)  # fmt: skip


@FEW
@given(name=st.sampled_from(NAMES), data=st.data())
def test_a_cut_gives_the_value_or_none(phones, name, data):
    whole = phones[name]
    section = data.draw(st.sampled_from([key for key, text in whole.items() if text]))
    cut = data.draw(st.integers(0, len(whole[section])))
    (identity, state), (cut_identity, cut_state) = (
        read(whole), read({**whole, section: whole[section][:cut]}),
    )  # fmt: skip
    for key in ("manufacturer", "model", "fingerprint", "android", "sdk", "kernel", "machine"):
        assert getattr(cut_identity, key) in (None, getattr(identity, key))
    for key in SCALARS:
        assert getattr(cut_state, key) in (None, getattr(state, key))
    for key in ("level_percent", "temp_c"):
        assert getattr(cut_state.battery, key) in (None, getattr(state.battery, key))
    assert set(cut_state.temperatures) <= {*state.temperatures, *parse_state(
        {**whole, "thermal": b""}).temperatures, *_cached(whole)}  # fmt: skip
    assert {core.cpu for core in cut_identity.cores} <= {core.cpu for core in identity.cores}


def _cached(whole):
    text = whole.get("thermal", b"").split(b"Current temperatures")[0]
    return parse_thermalservice(text).temperatures


@FEW
@given(name=st.sampled_from(NAMES), data=st.data())
def test_damage_gives_values_that_a_device_can_have(phones, name, data):
    sections = dict(phones[name])
    for _ in range(data.draw(st.integers(1, 4))):
        section = data.draw(st.sampled_from([key for key, text in sections.items() if text]))
        text = sections[section]
        at = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(at, min(len(text), at + 40)))
        digits = st.binary(max_size=30) | st.sampled_from(
            [b"99999999999999999999", b"-1", b"nan", b"1e400", b"0x", b"0-99999999", b"\xff", b"\n"]
        )
        sections[section] = text[:at] + data.draw(digits) + text[end:]
    read(sections)


@FEW
@given(
    st.dictionaries(
        st.sampled_from([*IDENTITY_PARTS, *STATE_PARTS]),
        st.binary(max_size=200) | st.text(max_size=200).map(str.encode),
    )
)
def test_garbage_gives_nothing_absurd(sections):
    read(sections)


@FEW
@given(st.binary(max_size=300), st.binary(max_size=10))
def test_splitting_never_fails(stdout, nonce):
    split_sections(stdout, nonce.hex())
    parse_cpus_allowed(b"Cpus_allowed:\t" + stdout)


def test_monstrous_lines_cost_no_time():
    line = b" " * 2_000_000 + b":" + b" }" * 1_000_000 + b"\n"
    line += b"Temperature{mValue=1, mType=0, mName=a, mStatus=" + b"} " * 1900 + b"x\n"
    check(*read(dict.fromkeys([*IDENTITY_PARTS, *STATE_PARTS], line)))
