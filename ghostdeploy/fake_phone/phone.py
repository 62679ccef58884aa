"""A phone that the adb program connects to over TCP, with a file system, processes and faults."""

from __future__ import annotations

import signal
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType

from ghostdeploy.fake_phone.adbd import Adbd
from ghostdeploy.fake_phone.contents import describe_battery, describe_thermal, policy_folder
from ghostdeploy.fake_phone.faults import Faults, Trigger, fires
from ghostdeploy.fake_phone.phones import PhoneSpec
from ghostdeploy.fake_phone.protocol import Service, Stream
from ghostdeploy.fake_phone.sandbox import Sandbox
from ghostdeploy.fake_phone.shell_service import serve_shell
from ghostdeploy.fake_phone.storage import Storage
from ghostdeploy.fake_phone.sync_service import serve_sync

SHELL_STARTS = ("shell:", "shell,", "exec:")
ALWAYS_READ_ONLY = ("/system", "/vendor", "/sys", "/proc")
CLOCK_TICK_S = 0.1
FREE_KB = 30_000_000
UPTIME_S = 4000.0
UPTIME_AFTER_REBOOT_S = 20.0


class Phone:
    """One phone; a context manager. Everything public may be used while it runs.

    ``auth`` is Adbd's, ``port`` 0 takes a free one, ``isolated`` is Sandbox's. ``free_bytes``:
    what is free on /data, None for plenty. ``commands``: all it was asked to run.
    """

    storage: Storage
    sandbox: Sandbox

    def __init__(
        self,
        spec: PhoneSpec,
        *,
        port: int = 0,
        auth: str = "open",
        isolated: bool | None = None,
    ) -> None:
        self.spec = spec
        self.adbd = Adbd(spec, self._find_service, port, auth)
        self.faults = Faults()
        self.free_bytes: int | None = None
        self.commands: list[str] = []
        self.boot_id = ""
        self._isolated = isolated
        self._reactions: list[tuple[Trigger, Callable[[], None]]] = []
        self._push_reactions: list[tuple[Trigger, Callable[[], None]]] = []
        self._stopping = threading.Event()
        self._clock = threading.Thread(
            target=self._tick, daemon=True, name=f"phone {self.spec.name}"
        )
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
        """Switch the phone on and let adb connect.

        Raises OSError where its port is taken, and SandboxError; nothing is left behind then.
        """
        with ExitStack() as undo:
            self.storage = Storage(self.spec)
            undo.callback(self.storage.erase)
            self.storage.fill()
            self._boot(UPTIME_S)
            undo.callback(self.sandbox.stop)
            self.adbd.start()
            self._clock.start()
            undo.pop_all()
        return self

    def stop(self) -> None:
        """Switch the phone off: its processes are killed, its files removed."""
        self._stopping.set()
        self.adbd.stop()
        self._clock.join()
        self.sandbox.stop()
        self.storage.erase()

    @property
    def serial(self) -> str:
        """What adb calls it, ``127.0.0.1:PORT``."""
        return f"127.0.0.1:{self.adbd.port}"

    def factory_reset(self) -> None:
        """Make it what it was at the start, faults too, but without a reboot; for the next test."""
        self.adbd.reset()
        if self.faults.read_only:
            self.set_read_only(False)
        self.faults = Faults()
        self.free_bytes = None
        for kept in (self.commands, self._reactions, self._push_reactions):
            kept.clear()
        self.storage.empty()
        self.set_affinity_ignored(False)
        self._uptime_origin_s = time.monotonic() - UPTIME_S
        self.storage.fill()
        self._settle()

    def _boot(self, uptime_s: float) -> None:
        self.boot_id = str(uuid.uuid4())
        self._uptime_origin_s = time.monotonic() - uptime_s
        self._write_state()
        self.sandbox = Sandbox(self.storage.root, isolated=self._isolated)
        self._settle()

    def _settle(self) -> None:
        self._write_state()
        if not self.sandbox.isolated:
            self.storage.prepare_translation()
        self.storage.deny()

    def _tick(self) -> None:
        while not self._stopping.wait(CLOCK_TICK_S):
            self._write_clock()

    # ---- what a test does to it

    def unplug(self) -> None:
        """Cut the cable, and refuse every new connection until ``plug``."""
        self.adbd.unplug()

    def plug(self) -> None:
        """Plug the cable in again."""
        self.adbd.plug()

    def drop(self) -> None:
        """Cut the connections; adb may come back at once."""
        self.adbd.drop()

    def tap(self) -> None:
        """Accept the prompt on the phone: every key that was offered is trusted from now on."""
        self.adbd.tap()

    def reboot(self, *, plugged: bool = True) -> None:
        """Kill all processes and start anew; ``plugged`` False stays unreachable until ``plug``."""
        self.unplug()
        self.sandbox.stop()
        self.storage.forget_affinity()
        self._boot(UPTIME_AFTER_REBOOT_S)
        self.adbd.plug(plugged)

    def kill(self, pattern: str, signo: int = signal.SIGKILL) -> int:
        """Signal each process whose command line matches a regular expression; return how many.

        The shell that ran a command has it in its own line: anchor the pattern to spare it.
        """
        return self.sandbox.kill_matching(pattern, signo)

    def processes(self) -> list[tuple[int, str]]:
        """Return (pid, command line) of all that runs on the phone."""
        return self.sandbox.list_processes()

    def when(self, match: str, action: Callable[[], None], times: int = 1) -> None:
        """Do something at the moment a command that contains ``match`` starts."""
        self._reactions.append((Trigger(match, times), action))

    def on_push(self, match: str, after_bytes: int, action: Callable[[], None]) -> None:
        """Do something once a pushed file whose path contains ``match`` has got that far."""
        self._push_reactions.append((Trigger(match, after_bytes=after_bytes), action))

    def set_read_only(self, read_only: bool = True) -> None:
        """Make /data read-only: for pushes, and for commands too where there are namespaces.

        So does Android after an error of the file system.
        """
        self.faults.read_only = read_only
        if self.sandbox.isolated and (error := self.sandbox.remount_data(read_only)):
            raise OSError(error)

    def set_thermal_status(self, status: int, *, override: bool = False) -> None:
        """Let ``dumpsys thermalservice`` tell Android's thermal status, 0 (none) to 6 (shutdown).

        ``override``: as after ``cmd thermalservice override-status``.
        """
        self.set_dumpsys("thermalservice", describe_thermal(self.spec, status, override))

    def set_battery(self, level: int, decidegc: int) -> None:
        """Let ``dumpsys battery`` tell a level in % and a temperature in tenths of °C."""
        self.set_dumpsys("battery", describe_battery(level, decidegc))

    def set_dumpsys(self, service: str, text: str) -> None:
        """Let ``dumpsys SERVICE`` print ``text``."""
        self.set_file(f"/system/phone/dumpsys/{service}", text)

    def throttle(self, cluster: int, max_khz: int) -> None:
        """Cap the clock of the cluster with this index, as the kernel's thermal governor does."""
        folder = policy_folder(self.spec.clusters[cluster])
        self.set_file(f"/{folder}/scaling_max_freq", f"{max_khz}\n")

    def set_affinity_ignored(self, ignored: bool = True) -> None:
        """Let taskset go on to run commands without its mask ever taking effect."""
        path = self.host_path("/system/phone/affinity-ignored")
        path.touch() if ignored else path.unlink(missing_ok=True)

    def set_file(self, path: str, text: str) -> None:
        """Write a file of the phone."""
        self.storage.write(path, text)

    def advance(self, seconds: float) -> None:
        """Let the phone's uptime jump ahead."""
        self._uptime_origin_s -= seconds
        self._write_clock()

    def host_path(self, path: str) -> Path:
        """Return where a path of the phone is on this machine."""
        return self.storage.host_path(path)

    def files(self, folder: str = "/data/local/tmp") -> list[str]:
        """Return every file and folder below ``folder``, relative to it."""
        return self.storage.list_files(folder)

    def _write_state(self) -> None:
        self.set_file("/proc/sys/kernel/random/boot_id", self.boot_id + "\n")
        self._write_clock()
        free = FREE_KB if self.free_bytes is None else self.free_bytes // 1024
        self.set_file("/system/phone/free-kb", f"{free}\n")

    def _write_clock(self) -> None:
        uptime_s = time.monotonic() - self._uptime_origin_s
        self.set_file("/proc/uptime", f"{uptime_s:.2f} {uptime_s * 6:.2f}\n")

    # ---- what its services ask (shell_service.ShellHost, sync_service.SyncHost)

    def note_command(self, command: str) -> None:
        """Remember a command that starts, and do what ``when`` was told to."""
        self.commands.append(command)
        self._write_state()
        for trigger, action in list(self._reactions):
            if trigger.fires(command):
                action()

    def note_push(self, path: str, received: int) -> None:
        """Do what ``on_push`` was told to, ``received`` bytes into the file ``path``."""
        for trigger, action in self._push_reactions:
            if received > trigger.after_bytes and trigger.fires(path):
                action()

    def is_read_only(self, path: str) -> bool:
        """Return whether ``path`` cannot be written now."""
        return path.startswith(ALWAYS_READ_ONLY) or self.faults.read_only

    # ---- its services

    def _find_service(self, name: str) -> Service | None:
        if fires(self.faults.refuse, name):
            return None
        if name.startswith("sync:"):
            return partial(serve_sync, self)
        if name.startswith(SHELL_STARTS):
            return partial(serve_shell, self)
        if name.startswith("reboot:"):
            return self._serve_reboot
        return None

    def _serve_reboot(self, stream: Stream, _: str) -> None:
        threading.Thread(target=self.reboot, daemon=True).start()
