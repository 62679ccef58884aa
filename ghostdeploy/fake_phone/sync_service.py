"""adbd's service ``sync:``: stat, list, push and pull, versions 1 and 2.

The messages are those of AOSP's packages/modules/adb/file_sync_protocol.h.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from ghostdeploy.fake_phone.faults import Faults, fires
from ghostdeploy.fake_phone.protocol import Closed, Stream

DATA_MAX = 64 * 1024
NAME_MAX = 1024
SND2_DRY_RUN = 0x80000000
SHELL_ID = 2000
HEAD = struct.Struct("<4sI")
STAT1 = struct.Struct("<4sIII")
STAT2 = struct.Struct("<4sIQQIIIIQqqq")
DENT1 = struct.Struct("<4sIIII")
DENT2 = struct.Struct("<4sIQQIIIIQqqqI")
DENT2_DONE = DENT2.pack(b"DONE", *[0] * 12)
DENT1_DONE = DENT1.pack(b"DONE", 0, 0, 0, 0)


class SyncHost(Protocol):
    """What the service asks of the phone behind it."""

    free_bytes: int | None

    @property
    def faults(self) -> Faults:
        """What goes wrong now."""

    def host_path(self, path: str) -> Path:
        """Return where a path of the phone is on this machine."""

    def is_read_only(self, path: str) -> bool:
        """Return whether ``path`` cannot be written now."""

    def note_push(self, path: str, received: int) -> None:
        """Take notice that ``received`` bytes of a push to ``path`` are there."""


class SessionEnded(Exception):
    """The session is over, as adbd ends it after a failed push."""


def serve_sync(phone: SyncHost, stream: Stream, _: str) -> None:
    """Answer requests over ``stream`` until the host quits."""
    session = _SyncSession(phone, stream)
    with suppress(SessionEnded):
        while True:
            session.answer()


@dataclass
class _SyncSession:
    phone: SyncHost
    stream: Stream

    def answer(self) -> None:
        kind, size = HEAD.unpack(self.stream.read(HEAD.size))
        if kind == b"QUIT":
            raise SessionEnded
        if size > NAME_MAX:
            self.fail("path too long")
            raise SessionEnded
        name = self.stream.read(size).decode("utf-8", "surrogateescape")
        if kind in (b"STAT", b"STA2", b"LST2"):
            self.stream.send(_stat(kind, self.phone.host_path(name)))
        elif kind in (b"LIST", b"LIS2"):
            self.list(self.phone.host_path(name), kind == b"LIS2")
        elif kind == b"SEND":
            name, _, mode = name.rpartition(",")
            self.receive(name, int(mode, 0))
        elif kind == b"SND2":
            _, mode, flags = struct.unpack("<4sII", self.stream.read(12))
            self.receive(name, mode, dry_run=bool(flags & SND2_DRY_RUN))
        elif kind in (b"RECV", b"RCV2"):
            if kind == b"RCV2":
                self.stream.read(8)
            self.transmit(self.phone.host_path(name))
        else:
            self.fail(f"unknown command {kind!r}")
            raise SessionEnded

    def fail(self, message: str) -> None:
        self.stream.send(HEAD.pack(b"FAIL", len(message)) + message.encode())

    def list(self, path: Path, version_2: bool) -> None:
        with suppress(OSError):
            for name in sorted([".", "..", *os.listdir(path)]):
                self.stream.send(_entry(path / name, os.fsencode(name), version_2))
        self.stream.send(DENT2_DONE if version_2 else DENT1_DONE)

    def transmit(self, path: Path) -> None:
        try:
            # this process may be root, the phone's adbd is not
            if path.exists() and not path.stat().st_mode & stat.S_IRUSR:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            file = path.open("rb")
        except OSError as error:
            self.fail(f"open failed: {error.strerror}")
            return
        with file:
            while data := file.read(DATA_MAX):
                self.stream.send(HEAD.pack(b"DATA", len(data)) + data)
                self._drop_in_mid_pull(path)
        self.stream.send(HEAD.pack(b"DONE", 0))

    def _drop_in_mid_pull(self, path: Path) -> None:
        if fires(self.phone.faults.drop_after_output, f"pull {path}"):
            self.stream.connection.drop()
            raise Closed

    def receive(self, name: str, mode: int, dry_run: bool = False) -> None:
        incoming = _IncomingFile(self.phone, name, mode, dry_run)
        error = incoming.open()
        if error:
            self.fail(error)
        while True:
            kind, size = HEAD.unpack(self.stream.read(HEAD.size))
            if kind == b"DONE":
                break
            if kind != b"DATA" or size > DATA_MAX:
                incoming.discard()
                self.fail("invalid data message")
                raise SessionEnded
            data = self.stream.read(size)
            self._go_wrong(incoming, size)
            # draining goes on after an error, otherwise adb never gets to read the FAIL
            if not error and (error := incoming.write(data)):
                self.fail(error)
        if error:
            raise SessionEnded
        incoming.finish(mtime=size)
        self.stream.send(HEAD.pack(b"OKAY", 0))

    def _go_wrong(self, incoming: _IncomingFile, size: int) -> None:
        faults = self.phone.faults
        incoming.received += size
        self.phone.note_push(incoming.name, incoming.received)
        # what has arrived stays, as it does if adbd dies, too
        trigger = faults.drop_after_push
        if trigger and incoming.received > trigger.after_bytes and trigger.fires(incoming.name):
            incoming.close()
            self.stream.connection.drop()
            raise Closed
        trigger = faults.hang_push
        if trigger and incoming.received > trigger.after_bytes and trigger.fires(incoming.name):
            incoming.close()
            while True:
                self.stream.receive()


@dataclass
class _IncomingFile:
    """A file on its way in. adbd unlinks the target first, so a push is not atomic."""

    phone: SyncHost
    name: str
    mode: int
    dry_run: bool
    received: int = 0
    file: BinaryIO | None = None
    link_target: bytes = b""
    path: Path = field(init=False)

    def __post_init__(self) -> None:
        self.path = self.phone.host_path(self.name)

    def open(self) -> str:
        try:
            if self.phone.is_read_only(self.name):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))
            if self.name.endswith("/") or self.path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if not self.dry_run:
                self._create()
        except OSError as error:
            return f"couldn't create file: {error.strerror}"
        return ""

    def _create(self) -> None:
        self._check_folder()
        if os.path.lexists(self.path):
            self.path.unlink()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not stat.S_ISLNK(self.mode):
            self.file = self.path.open("wb")

    def _check_folder(self) -> None:
        folder = self.path.parent
        while not folder.exists():
            folder = folder.parent
        if not folder.stat().st_mode & stat.S_IWUSR:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def write(self, data: bytes) -> str:
        free = self.phone.free_bytes
        if free is not None and len(data) > free:
            self.discard()
            return "write failed: No space left on device"
        if free is not None:
            self.phone.free_bytes = free - len(data)
        if fires(self.phone.faults.corrupt_push, self.name):
            data = bytes([data[0] ^ 1]) + data[1:]
        if self.file:
            self.file.write(data)
        else:
            self.link_target += data
        return ""

    def close(self) -> None:
        if self.file:
            self.file.close()
            self.file = None

    def discard(self) -> None:
        if self.file:
            self.close()
            self.path.unlink()

    def finish(self, mtime: int) -> None:
        if self.dry_run:
            return
        if not self.file:
            os.symlink(self.link_target.rstrip(b"\0"), os.fsencode(self.path))
            return
        self.close()
        # adbd copies the owner's bits to group and others
        owner = self.mode & 0o700
        os.chmod(self.path, self.mode & 0o777 | owner >> 3 | owner >> 6)
        os.utime(self.path, (mtime, mtime))


def _fields2(status: os.stat_result) -> tuple[int, ...]:
    return (
        status.st_dev,
        status.st_ino,
        status.st_mode,
        status.st_nlink,
        SHELL_ID,
        SHELL_ID,
        status.st_size,
        int(status.st_atime),
        int(status.st_mtime),
        int(status.st_ctime),
    )


def _fields1(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mode, status.st_size & 0xFFFFFFFF, int(status.st_mtime)


def _stat(kind: bytes, path: Path) -> bytes:
    try:
        status = path.stat() if kind == b"STA2" else path.lstat()
    except OSError as error:
        # version 1 has no place for an error: zeros
        if kind == b"STAT":
            return STAT1.pack(kind, 0, 0, 0)
        return STAT2.pack(kind, error.errno or errno.EIO, *[0] * 10)
    if kind == b"STAT":
        return STAT1.pack(kind, *_fields1(status))
    return STAT2.pack(kind, 0, *_fields2(status))


def _entry(path: Path, name: bytes, version_2: bool) -> bytes:
    status = path.lstat()
    if version_2:
        return DENT2.pack(b"DNT2", 0, *_fields2(status), len(name)) + name
    return DENT1.pack(b"DENT", *_fields1(status), len(name)) + name
