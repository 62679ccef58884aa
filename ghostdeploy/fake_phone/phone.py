"""A phone that the adb program connects to over TCP, with a file system, processes and faults."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType

from ghostdeploy.fake_phone import contents, shell_service, sync_service
from ghostdeploy.fake_phone.faults import Faults, Trigger, fires
from ghostdeploy.fake_phone.phones import PhoneSpec
from ghostdeploy.fake_phone.protocol import Closed, Connection, Service, Stream, signature_fits
from ghostdeploy.fake_phone.sandbox import Sandbox, make_folders, script_translation

PROGRAMS = Path(__file__).with_name("programs")
SHELL_STARTS = ("shell:", "shell,", "exec:")
ALWAYS_READ_ONLY = ("/system", "/vendor", "/sys", "/proc")
CLOCK_TICK_S = 0.1
FREE_KB = 30_000_000
UPTIME_S = 4000.0


class Phone:
    """One phone; a context manager. Everything public may be used while it runs.

    ``auth``: "open" takes any adb, "tap" waits for ``tap()``, "never" stays unauthorized.
    ``answering``: cleared, the phone takes a connection but stays offline.
    ``free_bytes``: what is free on /data, None for plenty. ``commands``: all it was asked to run.
    """

    def __init__(
        self,
        spec: PhoneSpec,
        *,
        port: int = 0,
        auth: str = "open",
        isolated: bool | None = None,
    ) -> None:
        self.spec, self.auth = spec, auth
        self.faults = Faults()
        self.free_bytes: int | None = None
        self.answering = threading.Event()
        self.answering.set()
        self.commands: list[str] = []
        self.boot_id = ""
        self.sandbox: Sandbox
        self._port, self._isolated = port, isolated
        self._plugged = True
        self._keys: list[bytes] = []
        self._waiting: list[tuple[Connection, bytes]] = []
        self._connections: set[Connection] = set()
        self._reactions: list[tuple[Trigger, Callable[[], None]]] = []
        self._push_reactions: list[tuple[Trigger, Callable[[], None]]] = []
        self._stopping = threading.Event()
        self._uptime_origin_s = 0.0

    # ---- life

    def __enter__(self) -> Phone:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> Phone:
        self.root = Path(tempfile.mkdtemp(prefix="phone-")).resolve()
        try:
            make_folders(self.root)
            self._fill()
            self._boot(UPTIME_S)
        except BaseException:
            shutil.rmtree(self.root)
            raise
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listener.getsockname()[1]
        self._threads = [
            threading.Thread(target=target, daemon=True, name=f"phone {self.spec.name}")
            for target in (self._accept, self._tick)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        self._stopping.set()
        self.answering.set()
        # close() alone does not wake a blocked accept()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._drop_all()
        for thread in self._threads:
            thread.join()
        self.sandbox.stop()
        _make_removable(self.root)
        shutil.rmtree(self.root)

    @property
    def port(self) -> int:
        return self._port

    @property
    def serial(self) -> str:
        return f"127.0.0.1:{self._port}"

    def factory_reset(self) -> None:
        """As it was at the start, faults too, but without a reboot; for the next test."""
        self.plug()
        self.answering.set()
        if self.faults.read_only:
            self.set_read_only(False)
        self.faults = Faults()
        self.free_bytes = None
        self.auth = "open"
        for kept in (
            self._keys,
            self._waiting,
            self.commands,
            self._reactions,
            self._push_reactions,
        ):
            kept.clear()
        for folder in ("data/local/tmp", "system/bin", "system/phone/state"):
            _empty(self.root / folder)
        self.set_affinity_ignored(False)
        self._uptime_origin_s = time.monotonic() - UPTIME_S
        self._fill()
        self._settle()

    def _fill(self) -> None:
        for name, text in contents.files(self.spec).items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            self.set_file(name.replace("proc.phone", "proc"), text)
            path.chmod(0o644)
        for folder in ("bin", "phone/state/affinity"):
            (self.root / "system" / folder).mkdir(parents=True, exist_ok=True)
        for program in PROGRAMS.iterdir():
            if program.name not in ("missing", "sh.translated"):
                shutil.copy(program, self.root / "system/bin" / program.name)
        for name in self.spec.missing:
            shutil.copy(PROGRAMS / "missing", self.root / "system/bin" / name)

    def _boot(self, uptime_s: float) -> None:
        self.boot_id = str(uuid.uuid4())
        self._uptime_origin_s = time.monotonic() - uptime_s
        self._write_state()
        self.sandbox = Sandbox(self.root, isolated=self._isolated)
        self._settle()

    def _settle(self) -> None:
        self._write_state()
        if not self.sandbox.isolated:
            self._prepare_translation()
        for pattern in self.spec.denied:
            for path in self._denied_paths(pattern):
                path.chmod(0)

    def _prepare_translation(self) -> None:
        translation = self.root / "system/phone/translation.sed"
        translation.write_text(script_translation(self.root))
        shutil.copy(PROGRAMS / "sh.translated", self.root / "system/bin/sh")
        proc = self.root / "proc"
        if not proc.is_symlink():
            proc.rmdir()
            proc.symlink_to("proc.phone")

    def _denied_paths(self, pattern: str) -> list[Path]:
        path = self.host_path(pattern.removesuffix("/*"))
        if not pattern.endswith("/*"):
            return [path]
        return [entry for entry in path.rglob("*") if entry.is_file()]

    def _tick(self) -> None:
        while not self._stopping.wait(CLOCK_TICK_S):
            self._write_clock()

    # ---- what a test does to it

    def unplug(self) -> None:
        """Cut the cable, and refuse every new connection until ``plug``."""
        self._plugged = False
        self._drop_all()

    def plug(self) -> None:
        self._plugged = True

    def drop(self) -> None:
        """Cut the connections; adb may come back at once."""
        self._drop_all()

    def tap(self) -> None:
        """Accept the prompt on the phone: every key that was offered is trusted from now on."""
        self.auth = "open-to-known"
        waiting, self._waiting = self._waiting, []
        for connection, key in waiting:
            self._keys.append(key)
            with suppress(OSError):
                connection.go_online()

    def reboot(self, *, plugged: bool = True) -> None:
        """Kill all processes and start anew; ``plugged`` False stays unreachable until ``plug``."""
        self.unplug()
        self.sandbox.stop()
        for note in (self.root / "system/phone/state/affinity").iterdir():
            note.unlink()
        self._boot(uptime_s=20.0)
        self._plugged = plugged

    def kill(self, pattern: str, signo: int = signal.SIGKILL) -> int:
        """Signal each process whose command line matches a regular expression; how many.

        The shell that ran a command has it in its own line: anchor the pattern to spare it.
        """
        return int(self.sandbox.do("kill", pattern=pattern, signo=int(signo)))

    def processes(self) -> list[tuple[int, str]]:
        """(pid, command line) of all that runs on the phone."""
        return [(pid, line) for pid, line in self.sandbox.do("list")]

    def when(self, match: str, action: Callable[[], None], times: int = 1) -> None:
        """Do something at the moment a command that contains ``match`` starts."""
        self._reactions.append((Trigger(match, times), action))

    def on_push(self, match: str, after_bytes: int, action: Callable[[], None]) -> None:
        """Do something once a pushed file whose path contains ``match`` has got that far."""
        self._push_reactions.append((Trigger(match, after_bytes=after_bytes), action))

    def set_read_only(self, read_only: bool = True) -> None:
        """Make /data read-only: for pushes, and for commands too where there are namespaces."""
        self.faults.read_only = read_only
        if self.sandbox.isolated and (error := self.sandbox.do("remount", read_only=read_only)):
            raise OSError(error)

    def set_thermal_status(self, status: int, *, override: bool = False) -> None:
        self.set_dumpsys("thermalservice", contents.thermal(self.spec, status, override))

    def set_battery(self, level: int, decidegc: int) -> None:
        self.set_dumpsys("battery", contents.battery(self.spec, level, decidegc))

    def set_dumpsys(self, service: str, text: str) -> None:
        self.set_file(f"/system/phone/dumpsys/{service}", text)

    def throttle(self, cluster: int, max_khz: int) -> None:
        """Cap the clock of the cluster with this index."""
        folder = contents.policy_folder(self.spec.clusters[cluster])
        self.set_file(f"/{folder}/scaling_max_freq", f"{max_khz}\n")

    def set_affinity_ignored(self, ignored: bool = True) -> None:
        """taskset goes on to run commands, but its mask never takes effect."""
        path = self.host_path("/system/phone/affinity-ignored")
        path.touch() if ignored else path.unlink(missing_ok=True)

    def set_file(self, path: str, text: str) -> None:
        """Write in place: the file may be mounted somewhere."""
        file = self.host_path(path)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT, 0o644)
        with os.fdopen(descriptor, "wb", buffering=0) as opened:
            opened.write(text.encode())
            opened.truncate()

    def advance(self, seconds: float) -> None:
        """Let the phone's uptime jump ahead."""
        self._uptime_origin_s -= seconds
        self._write_clock()

    def host_path(self, path: str) -> Path:
        """Where a path of the phone is on this machine."""
        normal = os.path.normpath("/" + path).lstrip("/")
        first, _, rest = normal.partition("/")
        return self.root / ("proc.phone" if first == "proc" else first) / rest

    def files(self, folder: str = "/data/local/tmp") -> list[str]:
        """Every file and folder below ``folder``, relative to it."""
        root = self.host_path(folder)
        return sorted(str(path.relative_to(root)) for path in root.rglob("*"))

    def _write_state(self) -> None:
        self.set_file("/proc/sys/kernel/random/boot_id", self.boot_id + "\n")
        self._write_clock()
        free = FREE_KB if self.free_bytes is None else self.free_bytes // 1024
        self.set_file("/system/phone/free-kb", f"{free}\n")

    def _write_clock(self) -> None:
        uptime_s = time.monotonic() - self._uptime_origin_s
        self.set_file("/proc/uptime", f"{uptime_s:.2f} {uptime_s * 6:.2f}\n")

    # ---- what a connection asks (protocol.Host)

    def banner(self) -> bytes:
        properties = dict(self.spec.properties)
        keys = ("ro.product.name", "ro.product.model", "ro.product.device")
        named = "".join(f"{key}={properties.get(key, '')};" for key in keys)
        features = f"features={self.spec.features}" if self.spec.features else ""
        return f"device::{named}{features}".encode()

    def wait_until_answering(self, connection: Connection) -> None:
        while not self.answering.wait(CLOCK_TICK_S):
            if connection.dropped.is_set():
                raise Closed

    def needs_key(self) -> bool:
        return self.auth != "open"

    def knows(self, token: bytes, signature: bytes) -> bool:
        return any(signature_fits(key, token, signature) for key in self._keys)

    def offer_key(self, connection: Connection, key: bytes) -> None:
        if self.auth != "never":
            self._waiting.append((connection, key))

    def service(self, name: str) -> Service | None:
        if fires(self.faults.refuse, name):
            return None
        if name.startswith("sync:"):
            return partial(sync_service.serve, self)
        if name.startswith(SHELL_STARTS):
            return partial(shell_service.serve, self)
        if name.startswith("reboot:"):
            return self._reboot_service
        return None

    def _reboot_service(self, stream: Stream, _: str) -> None:
        threading.Thread(target=self.reboot, daemon=True).start()

    def closed(self, connection: Connection) -> None:
        self._connections.discard(connection)

    def command_starts(self, command: str) -> None:
        self.commands.append(command)
        self._write_state()
        for trigger, action in list(self._reactions):
            if trigger.fires(command):
                action()

    def push_proceeds(self, path: str, received: int) -> None:
        for trigger, action in self._push_reactions:
            if received > trigger.after_bytes and trigger.fires(path):
                action()

    def is_read_only(self, path: str) -> bool:
        return path.startswith(ALWAYS_READ_ONLY) or self.faults.read_only

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
            connection = Connection(self, sock)
            self._connections.add(connection)
            connection.start()

    def _drop_all(self) -> None:
        for connection in list(self._connections):
            connection.drop()


def _empty(folder: Path) -> None:
    _make_removable(folder)
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _make_removable(root: Path) -> None:
    for path in root.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(stat.S_IRWXU)
