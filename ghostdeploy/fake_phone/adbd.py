"""adb's daemon on the phone: the port that it listens on, the keys it trusts, the cable."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from ghostdeploy.fake_phone.phones import PhoneSpec
from ghostdeploy.fake_phone.protocol import Closed, Service, WireConnection, signature_fits

POLL_S = 0.1


class Adbd:
    """The daemon of the phone that ``spec`` describes; what protocol.Host asks for.

    ``find_service`` gives the service of a name, None where there is none. ``auth``: "open" takes
    any adb, "tap" waits for ``tap()``, "never" stays unauthorized, as a phone does whose prompt
    is declined. ``answering``: cleared, the phone takes a connection but stays offline, as one
    does whose adbd hangs.
    """

    def __init__(
        self, spec: PhoneSpec, find_service: Callable[[str], Service | None], port: int, auth: str
    ) -> None:
        self.spec, self.port, self.auth = spec, port, auth
        self.answering = threading.Event()
        self.answering.set()
        self._find_service = find_service
        self._plugged = True
        self._keys: list[bytes] = []
        self._waiting: list[tuple[WireConnection, bytes]] = []
        self._connections: set[WireConnection] = set()
        self._stopping = threading.Event()

    def start(self) -> None:
        """Listen; port 0 takes a free one."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        name = f"phone {self.spec.name}"
        self._acceptor = threading.Thread(target=self._accept, daemon=True, name=name)
        self._acceptor.start()

    def stop(self) -> None:
        """Cut all connections and take no more."""
        self._stopping.set()
        self.answering.set()
        # close() alone does not wake a blocked accept()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()
        self._acceptor.join()

    def unplug(self) -> None:
        """Cut the cable, and refuse every new connection until ``plug``."""
        self._plugged = False
        self.drop()

    def plug(self, plugged: bool = True) -> None:
        """Take connections again."""
        self._plugged = plugged

    def drop(self) -> None:
        """Cut the connections; adb may come back at once."""
        for connection in list(self._connections):
            connection.drop()

    def tap(self) -> None:
        """Accept the prompt on the phone: every key that was offered is trusted from now on."""
        self.auth = "open-to-known"
        waiting, self._waiting = self._waiting, []
        for connection, key in waiting:
            self._keys.append(key)
            with suppress(OSError):
                connection.go_online()

    def reset(self) -> None:
        """Forget every key and take any adb again."""
        self.plug()
        self.answering.set()
        self.auth = "open"
        self._keys.clear()
        self._waiting.clear()

    # ---- what a connection asks (protocol.Host)

    def make_banner(self) -> bytes:
        """Return the phone's properties and features, as a CNXN packet tells them."""
        properties = dict(self.spec.properties)
        keys = ("ro.product.name", "ro.product.model", "ro.product.device")
        named = "".join(f"{key}={properties.get(key, '')};" for key in keys)
        features = f"features={self.spec.features}" if self.spec.features else ""
        return f"device::{named}{features}".encode()

    def wait_until_answering(self, connection: WireConnection) -> None:
        """Hold ``connection`` back while the phone does not answer."""
        while not self.answering.wait(POLL_S):
            if connection.dropped.is_set():
                raise Closed

    def needs_key(self) -> bool:
        """Return whether only trusted keys get in."""
        return self.auth != "open"

    def trusts(self, token: bytes, signature: bytes) -> bool:
        """Return whether a trusted key has signed ``token``."""
        return any(signature_fits(key, token, signature) for key in self._keys)

    def offer_key(self, connection: WireConnection, key: bytes) -> None:
        """Show the prompt "Allow USB debugging?" for ``key``."""
        if self.auth != "never":
            self._waiting.append((connection, key))

    def find_service(self, name: str) -> Service | None:
        """Return the service that an OPEN packet asks for, None where there is none."""
        return self._find_service(name)

    def forget_connection(self, connection: WireConnection) -> None:
        """Note that ``connection`` has ended."""
        self._connections.discard(connection)

    # ---- connections

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if not self._plugged or self._stopping.is_set():
                sock.close()
                continue
            connection = WireConnection(self, sock)
            self._connections.add(connection)
            connection.start()
