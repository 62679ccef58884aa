"""Translate android_bench's errors and values into the toolchain's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from android_bench.device.evidence import read_battery_percent
from android_bench.device.identity import Identity
from android_bench.device.state import State
from android_bench.errors import (
    AdbProgramError,
    AndroidBenchError,
    BinaryNotFoundError,
    NoAdbProgramError,
    OptionError,
    SeveralDevicesError,
    WrongArchitectureError,
)
from android_bench.program.abi import list_abis
from ghostdeploy.errors import MeasurementError, UsageError
from ghostdeploy.schema import CoreCluster, DeviceIdentity, DeviceState

_OURS = (  # what the caller can put right, rather than the device
    OptionError,
    AdbProgramError,
    SeveralDevicesError,
    BinaryNotFoundError,
    WrongArchitectureError,
)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise android_bench's errors as ours: exit code 2 for what the caller can mend, else 3."""
    try:
        yield
    except NoAdbProgramError as error:  # a package that is missing, like any other
        raise MeasurementError(str(error)) from error
    except _OURS as error:
        raise UsageError(str(error)) from error
    except AndroidBenchError as error:
        raise MeasurementError(str(error)) from error


def convert_identity(serial: str, seen: Identity) -> DeviceIdentity:
    """Name a device as records do."""
    maker = seen.manufacturer or ""
    model = seen.model or "unknown device"
    named = model if model.lower().startswith(maker.lower()) else f"{maker} {model}"
    android = f"Android {seen.android}" if seen.android else ""
    kernel = f"Linux {seen.kernel}" if seen.kernel and not android else ""
    return DeviceIdentity(
        scheme="adb",
        serial=serial,
        model=named,
        soc=seen.soc or "",
        arch=(list_abis(seen) or (seen.machine or "",))[0],
        os=android or kernel,
        cores=max(len(seen.cores), sum(len(c.cpus) for c in seen.clusters)),
        fingerprint=seen.fingerprint or "",
        clusters=tuple(
            CoreCluster(c.role, c.name or "unknown core", c.cpus, c.max_khz) for c in seen.clusters
        ),
    )


def convert_state(seen: State) -> DeviceState:
    """Write a device's state as records keep it."""
    governors = sorted({freq.governor for freq in seen.freqs if freq.governor})
    return DeviceState(
        load_1min=seen.load_1min,
        mem_available_mb=seen.mem_available_mb,
        max_temp_c=seen.max_temp_c,
        cur_freq_khz=tuple(f.cur_khz for f in seen.freqs if f.cur_khz),
        max_freq_khz=tuple(f.cap_khz for f in seen.freqs if f.cap_khz),
        governor=", ".join(governors) or None,
        battery_percent=read_battery_percent(seen),
        thermal_status=seen.thermal_status,
        uptime_s=seen.uptime_s,
    )
