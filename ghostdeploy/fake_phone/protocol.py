"""adb's wire protocol, the phone's side: packets, streams, the handshake with its key check.

AOSP documents it in packages/modules/adb/protocol.txt.
"""

from __future__ import annotations

import base64
import binascii
import os
import queue
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

CNXN, AUTH, OPEN, OKAY, WRTE, CLSE = (
    int.from_bytes(name, "little")
    for name in (b"CNXN", b"AUTH", b"OPEN", b"OKAY", b"WRTE", b"CLSE")
)
VERSION_MIN, VERSION_WITHOUT_CHECKSUM = 0x01000000, 0x01000001
MAX_PAYLOAD = 1 << 20
OLD_MAX_PAYLOAD = 4096
HEADER = struct.Struct("<6I")
AUTH_TOKEN, AUTH_SIGNATURE, AUTH_PUBLIC_KEY = 1, 2, 3
SHA1_PREFIX = bytes.fromhex("3021300906052b0e03021a05000414")
POLL_S = 0.2


class Closed(Exception):
    """The other side went away."""


class Host(Protocol):
    """What a connection asks of the phone behind it."""

    def make_banner(self) -> bytes:
        """Return what a CNXN packet tells of the phone."""

    def wait_until_answering(self, connection: WireConnection) -> None:
        """Hold ``connection`` back while the phone does not answer."""

    def needs_key(self) -> bool:
        """Return whether only trusted keys get in."""

    def trusts(self, token: bytes, signature: bytes) -> bool:
        """Return whether a trusted key has signed ``token``."""

    def offer_key(self, connection: WireConnection, key: bytes) -> None:
        """Ask whoever holds the phone to trust ``key``."""

    def find_service(self, name: str) -> Service | None:
        """Return the service of that name, None where there is none."""

    def forget_connection(self, connection: WireConnection) -> None:
        """Take notice that ``connection`` has ended."""


class Stream:
    """One adb stream. At most one of our writes is unacknowledged at a time."""

    def __init__(self, connection: WireConnection, local_id: int, remote_id: int) -> None:
        self.connection = connection
        self.local_id, self.remote_id = local_id, remote_id
        self.dead = False
        self._incoming: queue.Queue[bytes | None] = queue.Queue()
        self._buffer = b""
        self._credit = threading.Semaphore(0)
        self._write_lock = threading.Lock()

    def send(self, data: bytes) -> None:
        """Send ``data`` in pieces, each once the one before is acknowledged.

        Raises Closed where the host has closed the stream.
        """
        step = self.connection.max_payload
        for start in range(0, len(data), step):
            with self._write_lock:
                self.connection.send(
                    WRTE, self.local_id, self.remote_id, data[start : start + step]
                )
                while not self._credit.acquire(timeout=POLL_S):
                    if self.dead:
                        raise Closed
            if self.dead:
                raise Closed

    def receive(self) -> bytes:
        """Return the next piece, acknowledged only now, which is what slows a fast sender down.

        Raises Closed where the host has closed the stream.
        """
        if self.dead and self._incoming.empty():
            raise Closed
        data = self._incoming.get()
        if data is None:
            raise Closed
        self.connection.send(OKAY, self.local_id, self.remote_id)
        return data

    def read(self, size: int) -> bytes:
        """Return exactly ``size`` bytes of those that arrive."""
        while len(self._buffer) < size:
            self._buffer += self.receive()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def close(self) -> None:
        """Close the stream from this side."""
        if not self.dead:
            self.kill()
            self.connection.streams.pop(self.local_id, None)
            with suppress(OSError):
                self.connection.send(CLSE, self.local_id, self.remote_id)

    def kill(self) -> None:
        """Wake whoever waits for the stream: it is dead."""
        self.dead = True
        self._incoming.put(None)
        self._credit.release()

    def take_data(self, data: bytes) -> None:
        """Queue what a WRTE packet brought."""
        self._incoming.put(data)

    def take_acknowledgement(self) -> None:
        """Allow the next write: an OKAY packet came."""
        self._credit.release()


Service = Callable[[Stream, str], None]


class WireConnection(threading.Thread):
    """One TCP connection from an adb server."""

    def __init__(self, host: Host, sock: socket.socket) -> None:
        super().__init__(daemon=True, name="adbd-connection")
        self.host, self._socket = host, sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.streams: dict[int, Stream] = {}
        self.max_payload = OLD_MAX_PAYLOAD
        self.dropped = threading.Event()
        self._version = VERSION_MIN
        self._online = False
        self._token = b""
        self._next_id = 1
        self._write_lock = threading.Lock()

    def send(self, command: int, arg0: int, arg1: int, data: bytes = b"") -> None:
        """Send one packet, with a checksum where the agreed version has them."""
        checked = self._version < VERSION_WITHOUT_CHECKSUM or command in (CNXN, AUTH)
        checksum = sum(data) & 0xFFFFFFFF if checked else 0
        header = HEADER.pack(command, arg0, arg1, len(data), checksum, command ^ 0xFFFFFFFF)
        with self._write_lock:
            self._socket.sendall(header + data)

    def drop(self) -> None:
        """Cut the connection as a pulled cable would."""
        self.dropped.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def run(self) -> None:
        """Handle packets until either side ends the connection."""
        try:
            while True:
                command, arg0, arg1, size, _, magic = HEADER.unpack(self._read(HEADER.size))
                if magic != command ^ 0xFFFFFFFF or size > MAX_PAYLOAD:
                    raise Closed
                self._handle(command, arg0, arg1, self._read(size))
        except (Closed, OSError):
            pass
        finally:
            self.drop()
            for stream in list(self.streams.values()):
                stream.kill()
            self.host.forget_connection(self)
            self._socket.close()

    def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            chunk = self._socket.recv(size - len(data))
            if not chunk:
                raise Closed
            data += chunk
        return bytes(data)

    def _handle(self, command: int, arg0: int, arg1: int, data: bytes) -> None:
        if command == CNXN:
            self._greet(arg0, arg1)
        elif command == AUTH:
            self._authorize(arg0, data)
        elif not self._online:
            return
        elif command == OPEN:
            self._open(arg0, data)
        else:
            self._to_stream(command, arg0, arg1, data)

    def _greet(self, version: int, max_payload: int) -> None:
        self._version = min(version, VERSION_WITHOUT_CHECKSUM)
        self.max_payload = min(max_payload, MAX_PAYLOAD)
        self.host.wait_until_answering(self)
        if self.host.needs_key():
            self._ask_for_key()
        else:
            self.go_online()

    def _authorize(self, kind: int, data: bytes) -> None:
        if kind == AUTH_SIGNATURE and self.host.trusts(self._token, data):
            self.go_online()
        elif kind == AUTH_SIGNATURE:
            self._ask_for_key()
        elif kind == AUTH_PUBLIC_KEY:
            self.host.offer_key(self, data.rstrip(b"\0"))

    def _ask_for_key(self) -> None:
        self._token = os.urandom(20)
        self.send(AUTH, AUTH_TOKEN, 0, self._token)

    def go_online(self) -> None:
        """Tell adb that the phone is there, and serve it from now on."""
        self._online = True
        self.send(CNXN, VERSION_WITHOUT_CHECKSUM, MAX_PAYLOAD, self.host.make_banner())

    def _open(self, remote_id: int, data: bytes) -> None:
        name = data.rstrip(b"\0").decode("utf-8", "surrogateescape")
        service = self.host.find_service(name)
        if service is None:
            self.send(CLSE, 0, remote_id)
            return
        local_id, self._next_id = self._next_id, self._next_id + 1
        stream = self.streams[local_id] = Stream(self, local_id, remote_id)
        self.send(OKAY, local_id, remote_id)
        threading.Thread(
            target=_serve, args=(service, stream, name), daemon=True, name=f"adbd {name[:40]}"
        ).start()

    def _to_stream(self, command: int, arg0: int, arg1: int, data: bytes) -> None:
        stream = self.streams.get(arg1)
        if stream is None:
            return
        if command == WRTE:
            stream.take_data(data)
        elif command == OKAY:
            stream.take_acknowledgement()
        elif command == CLSE:
            self.streams.pop(arg1, None)
            stream.kill()
            # protocol.txt says otherwise, but the adb program answers a CLSE and expects one
            self.send(CLSE, 0, arg0)


def _serve(service: Service, stream: Stream, name: str) -> None:
    try:
        service(stream, name)
    except (Closed, OSError, struct.error):
        pass
    finally:
        stream.close()


def signature_fits(public_key: bytes, token: bytes, signature: bytes) -> bool:
    """Return whether a PKCS#1 v1.5 signature is right, the token in the SHA-1 digest's place.

    ``public_key`` is a line of adbkey.pub: base64 of (u32 words, u32 n0inv, n[256] little-endian,
    rr[256], u32 e), then the name of its owner.
    """
    try:
        raw = base64.b64decode(public_key.split()[0])
        modulus = int.from_bytes(raw[8:264], "little")
        (exponent,) = struct.unpack_from("<I", raw, 520)
        opened = pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(256, "big")
    except (IndexError, ValueError, OverflowError, struct.error, binascii.Error):
        return False
    return opened == b"\0\1" + b"\xff" * 218 + b"\0" + SHA1_PREFIX + token
