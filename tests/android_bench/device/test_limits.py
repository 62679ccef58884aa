"""What a device can say, to the last value: beyond it nothing is believed."""

from __future__ import annotations

import pytest

from android_bench.device.values import (
    MAX_BYTES,
    MAX_LINE,
    MAX_UPTIME_S,
    parse_battery,
    parse_boot_id,
    parse_loadavg,
    parse_meminfo,
    parse_paths,
    parse_uname,
    parse_uptime,
    read_fields,
    split_lines,
    to_float,
    to_int,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5), ("5.0", 5), ("5.5", None), ("1", 1), ("9", 9), ("0", None), ("10", None),
        ("0.5e1", 5), (" 5 ", 5), ("5_0", None), ("+5", None), ("", None), ("0x5", None),
    ],
)  # fmt: skip
def test_whole_numbers_from_one_to_nine(text: str, value: int | None) -> None:
    assert to_int(text, 1, 9) == value


def test_real_numbers_and_their_limits() -> None:
    assert (to_float("-1.5", -1.5, 1.5), to_float("1.5", -1.5, 1.5)) == (-1.5, 1.5)
    assert (to_float("-1.51", -1.5, 1.5), to_float("1.51", -1.5, 1.5)) == (None, None)


@pytest.mark.parametrize(
    ("level", "scale", "percent"),
    [(0, 100, 0), (1, 3, 33), (2, 3, 67), (100_000, 100_000, 100), (1, 1, 100), (1, 100_001, None)],
)
def test_a_batterys_level_in_percent(level: int, scale: int, percent: int | None) -> None:
    text = f"  level: {level}\n  scale: {scale}\n"
    assert parse_battery(text.encode()).level_percent == percent


@pytest.mark.parametrize(
    ("tenths", "celsius"),
    [(326, 32.6), (1000, 100.0), (1001, None), (-300, -30.0), (-301, None), (0, None)],
)
def test_a_batterys_temperature(tenths: int, celsius: float | None) -> None:
    assert parse_battery(f"  temperature: {tenths}\n".encode()).temp_c == celsius


@pytest.mark.parametrize(
    ("text", "plugged"),
    [
        ("AC powered: true\nUSB powered: false\nlevel: 5\n", ("AC",)),
        ("AC powered: true\nUSB powered: true\n", ("AC", "USB")),
        ("AC powered: false\nUSB powered: false\nlevel: 5\n", ()),
        ("AC powered: false\nUSB powered: false\n", None),  # cut: there may be more
        ("AC powered: maybe\nlevel: 5\n", None),
        ("level: 5\n", None),
        ("Dock powered: true\nWireless powered: true\nlevel: 5\n", ("wireless", "dock")),
    ],
)
def test_a_batterys_plugs(text: str, plugged: tuple[str, ...] | None) -> None:
    found = parse_battery(text.encode())
    assert found.plugged == plugged
    assert not found.updates_stopped
    assert parse_battery(f"(UPDATES STOPPED -- use 'reset')\n{text}".encode()).updates_stopped


@pytest.mark.parametrize(
    ("text", "mb"),
    [("0 kB", 0.0), ("1000 kB", 1.024), (f"{2**40} kB", 2**50 / 1e6), (f"{2**40 + 1} kB", None),
     ("1000", None), ("1000 MB", None), ("-1 kB", None)],
)  # fmt: skip
def test_memory_in_kib(text: str, mb: float | None) -> None:
    assert parse_meminfo(f"MemAvailable: {text}\n".encode()) == mb


@pytest.mark.parametrize(
    ("text", "load"),
    [("1.24 1.31 1.40 2/1893 4711", 1.24), ("0 0 0", 0.0), ("1 2", None), ("", None),
     ("100000 1 1", 100_000.0), ("100001 1 1", None)],
)  # fmt: skip
def test_loads(text: str, load: float | None) -> None:
    assert parse_loadavg(f"{text}\n".encode()) == load


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("123.45 67.8", 123.45), ("0 0", 0.0), ("123.45", None), ("1 2 3", None), ("-1 0", None),
     (f"{MAX_UPTIME_S:.0f} 1", 3_153_600_000.0), (f"{MAX_UPTIME_S + 1:.0f} 1", None)],
)  # fmt: skip
def test_uptimes_up_to_a_century(text: str, seconds: float | None) -> None:
    assert parse_uptime(f"{text}\n".encode()) == seconds


def test_boot_ids_and_unames() -> None:
    boot = "12345678-1234-1234-1234-123456789abc"
    assert parse_boot_id(f"{boot}\n".encode()) == boot
    for wrong in (f"{boot} x", boot[:-1], boot.upper(), f"x {boot}"):
        assert parse_boot_id(f"{wrong}\n".encode()) is None
    assert parse_uname(b"Linux 4.14.116 aarch64\n") == ("Linux 4.14.116", "aarch64")
    for wrong in (b"Linux aarch64\n", b"Linux 4.14 aarch64 more\n", b"\n", b""):
        assert parse_uname(wrong) == (None, None)


def test_lines_end_have_a_length_and_no_carriage_return() -> None:
    assert list(split_lines(b"a\r\nb\nc")) == ["a", "b"]
    long = b"x" * MAX_LINE
    assert list(split_lines(long + b"\n" + long + b"y\nz\n")) == [long.decode(), "z"]
    assert MAX_LINE == 4096
    many = b"abc\n" * (MAX_BYTES // 4 + 10)
    assert sum(1 for _ in split_lines(many)) == MAX_BYTES // 4 == 2**20


def test_keys_and_paths() -> None:
    text = b"a: 1\nb=2\nc: d=3\ne=f: 4\na: 5\nnone\n"
    assert read_fields(text) == {"a": "1", "b": "2", "c": "d=3", "e": "f: 4"}
    assert parse_paths(b"x/temp:40\nx/temp:50\ny:\nz\n") == {"x/temp": "40", "y": ""}
