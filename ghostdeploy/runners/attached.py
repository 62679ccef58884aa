"""List every phone that adb knows, as it is just now: for ``ghostdeploy devices``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from android_bench.adb.client import AdbClient, find_adb
from android_bench.adb.devices import list_devices
from android_bench.adb.phone import Adb, connect, find_serial
from android_bench.device.identity import read_identity
from android_bench.device.state import read_state
from android_bench.errors import (
    AdbError,
    AdbProgramError,
    AndroidBenchError,
    UnauthorizedError,
)
from android_bench.program.abi import list_abis
from android_bench.program.cache import locate_program
from android_bench.program.install import ON_DEVICE
from ghostdeploy.runners.android import convert_identity, convert_state, translate_errors
from ghostdeploy.schema import DeviceIdentity, DeviceState


@dataclass(frozen=True)
class AttachedDevice:
    """A device is attached; ``problem`` says why it cannot be measured on, "" where it can.

    ``program`` is where its benchmark_model would come from, "" for nowhere yet. ``missing``: its
    address was asked for, and it could not be connected to.
    """

    address: str
    identity: DeviceIdentity | None = None
    state: DeviceState | None = None
    program: str = ""
    problem: str = ""
    missing: bool = False


def find_adb_program() -> str:
    """Return the path of the adb program. Raises MeasurementError where there is none."""
    with translate_errors():
        return find_adb()


def list_states(adb: str = "") -> tuple[tuple[str, str], ...]:
    """Return the address and adb's word for the state of all that is attached, asking no more.

    Raises as ``list_attached``.
    """
    with translate_errors():
        return tuple((f"adb:{e.serial}", e.state) for e in list_devices(AdbClient(adb)))


def list_attached(adb: str = "", addresses: tuple[str, ...] = ()) -> list[AttachedDevice]:
    """Return all that adb lists, after connecting to ``addresses`` (``host:port``).

    Raises UsageError for what is no address or no adb program, and MeasurementError without any
    adb program, or its server.
    """
    client = AdbClient(adb)
    missing = list(_unreachable(client, addresses))
    told = {device.address for device in missing}
    return [*missing, *(device for device in _listed(client) if device.address not in told)]


def _unreachable(client: AdbClient, addresses: tuple[str, ...]) -> Iterator[AttachedDevice]:
    for address in addresses:
        with translate_errors():
            try:
                connect(address, client)
            except AdbProgramError:
                raise
            except UnauthorizedError:
                continue  # it is attached, and listed with what it lacks
            except AdbError as error:
                serial = find_serial(address)
                yield AttachedDevice(f"adb:{serial}", problem=str(error), missing=True)


def _listed(client: AdbClient) -> Iterator[AttachedDevice]:
    with translate_errors():
        entries = list_devices(client)
    for entry in entries:
        address = f"adb:{entry.serial}"
        adb = Adb(entry.serial, client)
        if entry.state != "device":
            yield AttachedDevice(address, problem=str(adb.explain_state(entry.state)))
            continue
        try:
            seen = read_identity(adb)
            now = convert_state(read_state(adb))
            identity = convert_identity(entry.serial, seen)
            yield AttachedDevice(address, identity, now, _program(adb, list_abis(seen)))
        except AndroidBenchError as error:
            yield AttachedDevice(address, problem=str(error))


def _program(adb: Adb, abis: tuple[str, ...]) -> str:
    with suppress(AdbError):
        if not adb.shell(["test", "-x", ON_DEVICE]).returncode:
            return f"{ON_DEVICE} on the device"
    return next((str(locate_program(abi)) for abi in abis if locate_program(abi).is_file()), "")
