"""The devices that a user may name, for the completion of a shell: what answers at once."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import suppress

QUICKLY_S = 0.3
MAX_ANSWER = 0xFFFF  # bytes, as the four hexadecimal digits before it tell
_ATTACHED = re.compile(r"^([!-~]+)\tdevice$", re.M)


def list_device_names() -> Iterator[tuple[str, str]]:
    """Yield names for ``--device``, each with what it is."""
    from ghostdeploy.fake_phone.phones import PHONES
    from ghostdeploy.runners.arm.core_models import CORES

    yield "local", "this machine"
    yield "adb", "the only phone"
    yield "adb:all", "every phone, side by side"
    yield from ((f"adb:{serial}", "an attached phone") for serial in ask_for_serials())
    yield from ((f"fake:{name}", "a simulated phone") for name in PHONES)
    yield from ((f"qemu:{name}", "an emulated core: instructions") for name in CORES)


def ask_for_serials() -> list[str]:
    """Return the phones that a running adb server knows; none where it does not answer at once.

    The adb program is not asked: it would start a server, for seconds, and leave it behind.
    """
    place = os.environ.get("ADB_SERVER_SOCKET", "").removeprefix("tcp:")
    host, _, port = place.rpartition(":")
    port = port or os.environ.get("ANDROID_ADB_SERVER_PORT") or "5037"
    with suppress(OSError, ValueError, OverflowError):
        address = (host or "127.0.0.1", int(port))
        with socket.create_connection(address, timeout=QUICKLY_S) as server:
            server.sendall(b"000chost:devices")
            if _read(server, 4) == b"OKAY":
                length = min(int(_read(server, 4), 16), MAX_ANSWER)
                return _ATTACHED.findall(_read(server, length).decode("utf-8", "replace"))
    return []


def _read(server: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = server.recv(length - len(data))
        if not piece:
            raise OSError("the adb server hung up")
        data += piece
    return data
