"""adbd's services ``shell:`` and ``exec:``: raw, as of old, or with the packets of shell_v2.

The packets are those of AOSP's packages/modules/adb/shell_protocol.h.
"""

from __future__ import annotations

import os
import select
import signal
import struct
import threading
from contextlib import suppress
from typing import Protocol

from ghostdeploy.fake_phone.faults import Faults, fires
from ghostdeploy.fake_phone.phones import PhoneSpec
from ghostdeploy.fake_phone.protocol import POLL_S, Closed, Stream
from ghostdeploy.fake_phone.sandbox import Process, Sandbox, SandboxError

STDIN, STDOUT, STDERR, EXIT, CLOSE_STDIN = range(5)
PACKET = struct.Struct("<BI")
CHUNK = 32768


class ShellHost(Protocol):
    """What the service asks of the phone behind it."""

    @property
    def spec(self) -> PhoneSpec:
        """What kind of phone it is: whether its adbd gives each command a terminal."""

    @property
    def faults(self) -> Faults:
        """What goes wrong now."""

    @property
    def sandbox(self) -> Sandbox:
        """Where the command runs."""

    def note_command(self, command: str) -> None:
        """Take notice of a command that starts."""


def serve_shell(phone: ShellHost, stream: Stream, name: str) -> None:
    """Run the command of the service ``name``, e.g. ``shell,v2,raw:ls``, over ``stream``."""
    head, _, command = name.partition(":")
    version_2 = "v2" in head.split(",")
    if fires(phone.faults.drop_at_command, command):
        stream.connection.drop()
        return
    if fires(phone.faults.hang_at_command, command):
        while True:
            stream.receive()
    phone.note_command(command)
    _CommandSession(phone, stream, command, version_2).run()


class _CommandSession:
    def __init__(self, phone: ShellHost, stream: Stream, command: str, version_2: bool) -> None:
        self.phone, self.stream, self.command = phone, stream, command
        self.version_2 = version_2
        self.sent = 0

    def run(self) -> None:
        pipes = [os.pipe() for _ in range(3 if self.version_2 else 2)]
        (stdin_read, stdin_write), (stdout_read, stdout_write) = pipes[:2]
        stderr_read, stderr_write = pipes[2] if self.version_2 else (-1, stdout_write)
        try:
            process = self.phone.sandbox.start(
                self.command, (stdin_read, stdout_write, stderr_write)
            )
        except SandboxError:  # the phone was switched off meanwhile
            for read, _ in pipes[1:]:
                os.close(read)
            os.close(stdin_write)
            raise Closed from None
        finally:
            for descriptor in {stdin_read, stdout_write, stderr_write}:
                os.close(descriptor)
        feeder = threading.Thread(
            target=self._feed, args=(process, stdin_write), daemon=True, name="adbd stdin"
        )
        feeder.start()
        sources = {stdout_read: STDOUT} | ({stderr_read: STDERR} if self.version_2 else {})
        try:
            self._pump(sources)
            self._finish(process)
        except (Closed, OSError):
            process.signal(signal.SIGHUP)
            raise
        finally:
            for descriptor in (stdout_read, *([stderr_read] if self.version_2 else [])):
                os.close(descriptor)

    def _pump(self, sources: dict[int, int]) -> None:
        open_sources = dict(sources)
        while open_sources:
            ready, _, _ = select.select(list(open_sources), [], [], POLL_S)
            if self.stream.dead:
                raise Closed
            for descriptor in ready:
                data = os.read(descriptor, CHUNK)
                if data:
                    self._send(open_sources[descriptor], data)
                else:
                    del open_sources[descriptor]

    def _send(self, kind: int, data: bytes) -> None:
        trigger = self.phone.faults.drop_after_output
        if trigger and kind == STDOUT and self.sent + len(data) > trigger.after_bytes:
            allowed = trigger.after_bytes - self.sent
            if trigger.fires(self.command):
                if allowed > 0:
                    self._packet(kind, data[:allowed])
                self.stream.connection.drop()
                raise Closed
        self.sent += len(data) if kind == STDOUT else 0
        self._packet(kind, data)

    def _packet(self, kind: int, data: bytes) -> None:
        if self.version_2:
            self.stream.send(PACKET.pack(kind, len(data)) + data)
        elif self.phone.spec.pty:
            self.stream.send(data.replace(b"\n", b"\r\n"))
        else:
            self.stream.send(data)

    def _finish(self, process: Process) -> None:
        while (status := process.wait(POLL_S)) is None:
            if self.stream.dead:
                raise Closed
        if self.version_2:
            code = 0x80 | -status if status < 0 else status
            self.stream.send(PACKET.pack(EXIT, 1) + bytes([code]))

    def _feed(self, process: Process, stdin: int) -> None:
        """Pass stdin on and go on reading after its end, to notice that the host is gone.

        adbd hangs up the shell it started, not the shell's children.
        """
        open_stdin = True
        try:
            while True:
                data = self._incoming()
                if open_stdin and not data:
                    os.close(stdin)
                    open_stdin = False
                elif open_stdin:
                    with suppress(BrokenPipeError):
                        os.write(stdin, data)
        except (Closed, OSError):
            if process.wait(0) is None:
                process.signal(signal.SIGHUP)
        finally:
            if open_stdin:
                os.close(stdin)

    def _incoming(self) -> bytes:
        """Return the next piece of stdin, b"" at its end."""
        if not self.version_2:
            return self.stream.receive()
        while True:
            kind, size = PACKET.unpack(self.stream.read(PACKET.size))
            data = self.stream.read(size)
            if kind == CLOSE_STDIN:
                return b""
            if kind == STDIN and data:
                return data
