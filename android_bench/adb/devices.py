"""List the phones that are attached, as the adb server knows them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from android_bench.adb.client import QUERY_TIMEOUT_S, AdbClient
from android_bench.adb.failures import find_command_error


@dataclass(frozen=True)
class DeviceEntry:
    """A phone stands in one line of ``adb devices``.

    ``state`` is ``device`` for a phone that takes commands, else ``offline``, ``unauthorized``,
    ``no permissions``, ``recovery``, …
    """

    serial: str
    state: str


def list_devices(client: AdbClient | None = None) -> tuple[DeviceEntry, ...]:
    """Return all that is attached, whatever its state.

    Raises AdbProgramError and AdbServerError.
    """
    result = (client or AdbClient()).run(["devices"], QUERY_TIMEOUT_S)
    if result.returncode:
        raise find_command_error(result, None)
    lines = result.stdout.decode("utf-8", "replace").splitlines()
    return tuple(_entry(line) for line in lines if re.match(r"\S+\s+\w", line) and not _head(line))


def _head(line: str) -> bool:
    return line.startswith(("List of devices", "* "))


def _entry(line: str) -> DeviceEntry:
    serial, rest = line.split(maxsplit=1)
    return DeviceEntry(serial, re.split(r"[;(]", rest)[0].strip())
