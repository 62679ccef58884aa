"""Heat, as the kernel and Android's thermal service tell it; limits of what is believed."""

from __future__ import annotations

import pytest

from android_bench.device.thermal import (
    STATUS_NAMES,
    Temperature,
    convert_zone,
    find_hottest_c,
    name_status,
    parse_thermalservice,
    parse_zones,
)


@pytest.mark.parametrize(
    ("text", "celsius"),
    [
        # whole degrees up to 149, tenths from 150, m°C from 1000
        ("130", 130.0), ("131", None), ("149", None), ("150", 15.0), ("151", 15.1),
        ("999", 99.9), ("1000", 1.0), ("1001", 1.001),
        ("-30", -30.0), ("-31", None), ("-149", None), ("-150", -15.0), ("-299", -29.9),
        ("-301", None), ("-999", None), ("-1000", -1.0), ("-30000", -30.0), ("-30001", None),
        ("130000", 130.0), ("130001", None), ("1", 1.0), ("-1", -1.0), ("0.0", None),
    ],
)  # fmt: skip
def test_units_and_limits_of_a_zone(text: str, celsius: float | None) -> None:
    """A phone stands -30 to 130 °C; beyond that it is no temperature."""
    assert convert_zone(text) == (None if celsius is None else pytest.approx(celsius))


@pytest.mark.parametrize(
    ("number", "kind"),
    # android.os.Temperature: TYPE_CPU 0, GPU 1, BATTERY 2, SKIN 3, USB_PORT 4, POWER_AMPLIFIER 5,
    # BCL_VOLTAGE 6, BCL_CURRENT 7, BCL_PERCENTAGE 8, NPU 9, UNKNOWN -1
    [(0, "cpu"), (1, "gpu"), (2, "battery"), (3, "skin"), (4, "other"), (5, "other"), (9, "other")],
)
def test_kinds_of_the_hal(number: int, kind: str) -> None:
    assert [t.kind for t in hal(f"mValue=40.0, mType={number}")] == [kind]


@pytest.mark.parametrize(
    "fields",
    [
        *(f"mValue=40.0, mType={number}" for number in (6, 7, 8, -1, 10)),
        "mValue=0.0, mType=0",  # not fitted
        "mValue=-30.5, mType=0",
        "mValue=130.5, mType=0",
        "mValue=NaN, mType=0",
    ],
)
def test_what_is_no_temperature_of_the_hal(fields: str) -> None:
    assert hal(fields) == ()


def hal(fields: str) -> tuple[Temperature, ...]:
    text = f"Current temperatures from HAL:\n\tTemperature{{{fields}, mName=x, mStatus=0}}\n"
    return parse_thermalservice(text.encode()).temperatures


def test_entries_without_a_title_above_them_are_of_no_source() -> None:
    entry = "Temperature{mValue=40.0, mType=0, mName=CPU, mStatus=0}\n"
    assert parse_thermalservice(entry.encode()).temperatures == ()
    assert parse_thermalservice(f"Temperature thresholds:\n{entry}".encode()).temperatures == ()


def test_the_hals_limits_are_believed_themselves() -> None:
    assert [t.temp_c for t in hal("mValue=-30.0, mType=0")] == [-30.0]
    assert [t.temp_c for t in hal("mValue=130.0, mType=0")] == [130.0]


def test_what_the_hal_says_now_outweighs_what_was_cached() -> None:
    entry = "\tTemperature{{mValue={}, mType=0, mName=CPU, mStatus=0}}\n"
    text = (
        "IsStatusOverride: false\nThermal Status: 3\nCached temperatures:\n"
        + entry.format(70.0)
        + "HAL Ready: true\nCurrent temperatures from HAL:\n"
        + entry.format(50.0)
        + "Current cooling devices from HAL:\n"
        + entry.format(90.0)
    )
    found = parse_thermalservice(text.encode())
    assert (found.status, [t.temp_c for t in found.temperatures]) == (3, [50.0])


@pytest.mark.parametrize("status", range(7))
def test_every_status_of_android_has_its_name(status: int) -> None:
    """PowerManager.THERMAL_STATUS_NONE 0 … SHUTDOWN 6."""
    text = f"IsStatusOverride: false\nThermal Status: {status}\n"
    assert parse_thermalservice(text.encode()).status == status
    assert name_status(status) == f"{status} ({STATUS_NAMES[status]})"
    assert (STATUS_NAMES[0], STATUS_NAMES[3], STATUS_NAMES[6]) == ("none", "severe", "shutdown")


def test_a_status_that_android_lacks() -> None:
    for status in (-1, 7):
        assert name_status(status) == str(status)
        text = f"IsStatusOverride: false\nThermal Status: {status}\n"
        assert parse_thermalservice(text.encode()).status is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("battery", "battery"), ("cpu-0-0-usr", "cpu"), ("gpuss-0-usr", "gpu"),
        ("skin-therm", "skin"), ("mtktscpu", "cpu"), ("soc_thermal", "cpu"), ("modem", "other"),
        ("quiet-therm", "skin"), ("BIG", "cpu"), ("G3D", "gpu"),
    ],
)  # fmt: skip
def test_zones_are_of_a_kind_by_their_name(name: str, kind: str) -> None:
    assert zones((name, "40000")) == (Temperature(name, kind, 40.0),)


@pytest.mark.parametrize("name", ["soc", "pm8998_vbat", "ibat-high", "bcl-lvl0", "", "vph-lvl2"])
def test_zones_of_other_quantities_are_left_out(name: str) -> None:
    assert zones((name, "40000")) == ()


def zones(*named: tuple[str, str]) -> tuple[Temperature, ...]:
    paths = {}
    for number, (name, value) in enumerate(named):
        paths[f"thermal_zone{number}/type"], paths[f"thermal_zone{number}/temp"] = name, value
    return parse_zones(paths)


def test_the_hottest_cpu_of_the_most_trusted_source_that_has_one() -> None:
    cool, hot = Temperature("a", "cpu", 40.0), Temperature("b", "cpu", 50.0)
    skin = Temperature("s", "skin", 60.0)
    assert find_hottest_c([(cool, hot, skin), (Temperature("c", "cpu", 90.0),)], 30.0) == 50.0
    assert find_hottest_c([(skin,), (cool,)], 30.0) == 40.0
    assert find_hottest_c([(skin,), (Temperature("g", "gpu", 45.0),)], 30.0) == 60.0
    assert find_hottest_c([(), ()], 30.0) == 30.0
    assert find_hottest_c([], None) is None


def test_a_status_without_the_services_head_is_of_something_else() -> None:
    assert parse_thermalservice(b"Thermal Status: 3\n").status is None
    overridden = parse_thermalservice(b"IsStatusOverride: true\nThermal Status: 3\n")
    assert (overridden.status, overridden.overridden) == (None, True)
