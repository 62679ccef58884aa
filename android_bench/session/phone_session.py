"""Use one phone from one process, from the lock to the last command that puts things back.

with PhoneSession(adb, PhoneOptions(cpus="big"), tell) as phone:
    program = phone.install(None)
    model = phone.push(Path("model.tflite"))
    result = phone.launch("first", command_line(program.path, model, options), 300.0)
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from android_bench.adb.digest import file_sha256
from android_bench.adb.lock import LEASE_S, DeviceLock
from android_bench.adb.patience import SESSION_WAIT_S, Patience, Tell, repeat_patiently
from android_bench.adb.phone import Adb
from android_bench.adb.runs import list_runs, remove_detached, run_folder, sweep_leftovers
from android_bench.adb.text import DEVICE_ROOT
from android_bench.device.clusters import CpuChoice, choose_cpus
from android_bench.device.cooldown import CoolDown, wait_until_cool
from android_bench.device.evidence import MIN_BATTERY_PERCENT, find_oddities
from android_bench.device.identity import Identity, read_identity
from android_bench.device.settings import (
    Setting,
    fix_performance,
    keep_screen_on,
    restore_leftovers,
)
from android_bench.device.state import State
from android_bench.device.workload import Workload, calibrate
from android_bench.errors import AdbError, DeviceLockedError, DeviceNotReadyError
from android_bench.program.install import Program, install
from android_bench.session.phone_launch import LaunchPlan, PhoneLaunch, launch

LOCK_POLL_S = 5.0
COOL_POLL_S = 10.0
BOOT_S = 180.0
BEAT_S = LEASE_S / 10
LONGEST_LEFTOVER_S = 300.0
SETTINGS = f"{DEVICE_ROOT}/settings"
_T = TypeVar("_T")


@dataclass(frozen=True)
class PhoneOptions:
    """The options say in what state a phone shall be measured.

    ``cpus`` is a role, ``all`` or a mask (see device/clusters.py), None the fastest cluster that
    has a core a thread. ``cool_down_s`` bounds each wait until the phone is fit, ``patience_s`` the
    absence of a phone in mid-run, and ``wait_lock_s`` the wait for another process to be done.
    ``resume`` keeps the runs that an interrupted process left on the phone.
    """

    cpus: str | None = None
    threads: int = 1
    max_thermal_status: int = 0
    max_temp_c: float | None = None
    min_battery_percent: int = MIN_BATTERY_PERCENT
    cool_down_s: float = 600.0
    screen_on: bool = False
    fixed_performance: bool = False
    patience_s: float = SESSION_WAIT_S
    wait_lock_s: float = 0.0
    resume: bool = False


class PhoneSession:
    """A session holds the phone's lock; what our earlier processes left is gone or put back.

    Entering raises DeviceLockedError, OptionError for CPUs that the phone lacks, and AdbErrors.
    """

    def __init__(self, adb: Adb, options: PhoneOptions, tell: Tell) -> None:
        self.adb, self.options, self.tell = adb, options, tell
        self.settings: list[Setting] = []
        self._stack = ExitStack()
        self._lock = DeviceLock(adb, "ghostdeploy")
        self._beaten = 0.0
        self._workload: Workload | None = None
        self._calibrated = False
        self._pushed: set[str] = set()
        self._digests: dict[tuple[str, int, int], str] = {}

    def __enter__(self) -> PhoneSession:
        try:
            self._take_lock()
            self._stack.push(self._lock)
            self._clean()
            self.identity: Identity = read_identity(self.adb)
            self.cpus: CpuChoice = choose_cpus(
                self.identity.clusters, self.options.cpus, self.options.threads
            )
            self._apply_settings()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def install(self, explicit: Path | None) -> Program:
        """Have a benchmark_model on the phone; see program/install.py for where from."""
        return self._patiently(lambda: install(self.adb, self.identity, explicit))

    def push(self, path: Path) -> str:
        """Have a model on the phone, where it stays, and return its path; it is looked for once."""
        remote = self._remote(path, "models")
        if remote not in self._pushed:
            self._patiently(lambda: self.adb.push(path, remote))
            self._pushed.add(remote)
        return remote

    def push_input(self, path: Path) -> str:
        """Have a file on the phone that the caller removes again, and return its path."""
        remote = self._remote(path, "inputs")
        self._patiently(lambda: self.adb.push(path, remote))
        return remote

    def _remote(self, path: Path, folder: str) -> str:
        """Return where a file goes: under a name of its content."""
        name = re.sub(r"[^A-Za-z0-9._-]+", "_", path.name)[-60:]
        return f"{DEVICE_ROOT}/{folder}/{self._digest(path)[:16]}-{name}"

    def wait_until_fit(self) -> State:
        """Wait until the phone is fit to measure, and return its state.

        A phone that tells no thermal status is judged by a timed loop. Raises DeviceNotReadyError
        if it takes too long.
        """
        self._beat()
        if not self._calibrated:
            self._workload = self._patiently(self._calibrate)
            self._calibrated = True
        found = self._patiently(self._cool)
        if found.why_not:
            raise DeviceNotReadyError(
                f"{self.adb.serial} is not fit to measure: {found.why_not}",
                serial=self.adb.serial,
            )
        return found.state

    def launch(self, name: str, argv: Sequence[str], timeout_s: float) -> PhoneLaunch:
        """Launch one process on the phone, once it is fit, as the run ``name``."""
        plan = LaunchPlan(
            name=name,
            argv=tuple(argv),
            cpus=self.cpus.cpus,
            timeout_s=timeout_s,
            max_thermal_status=self.options.max_thermal_status,
            min_battery_percent=self.options.min_battery_percent,
            fixed_performance=any(
                s.name == "fixed-performance" and s.took_effect for s in self.settings
            ),
        )
        found = launch(
            self.adb, plan, self.wait_until_fit, self._patience(self._telling_and_beating)
        )
        if found.rebooted:
            self._after_reboot()
        return found

    def warnings(self, state: State) -> tuple[str, ...]:
        """Return what readers of the numbers should know of the phone, though it proves nothing."""
        unset = (f"{s.name}: {s.detail}" for s in self.settings if not s.took_effect)
        mixed = (
            [f"mask {self.cpus.mask} mixes {' and '.join(self.cpus.clusters)}"]
            if self.cpus.mixed
            else []
        )
        return (*find_oddities(state), *unset, *mixed)

    # ---- steps

    def _take_lock(self) -> None:
        deadline = time.monotonic() + self.options.wait_lock_s
        while True:
            try:
                return self._patiently(self._lock.acquire)
            except DeviceLockedError as error:
                if time.monotonic() >= deadline:
                    raise
                self.tell(str(error).partition(";")[0] + "; waiting")
                time.sleep(min(LOCK_POLL_S, max(0.1, deadline - time.monotonic())))

    def _clean(self) -> None:
        for name in restore_leftovers(self.adb, SETTINGS):
            self.tell(f"{name}: put back after an earlier run that was cut off")
        self._stack.callback(self._remove_runs)
        if self.options.resume:
            self._await_runs()
        else:
            for run in list_runs(self.adb):
                remove_detached(self.adb, run_folder(run.name))
        sweep_leftovers(self.adb)

    def _await_runs(self) -> None:
        """Let what an interrupted process started end by itself: nothing else may run beside it."""
        deadline = time.monotonic() + LONGEST_LEFTOVER_S
        while running := [run for run in list_runs(self.adb) if run.state == "running"]:
            if time.monotonic() > deadline:
                remove_detached(self.adb, run_folder(running[0].name))
            self._telling_and_beating(f"{self.adb.serial}: waiting for {running[0].name} to end")
            time.sleep(1.0)

    def _remove_runs(self) -> None:
        with suppress(AdbError):  # the next holder of the lock finds them
            for run in list_runs(self.adb):
                remove_detached(self.adb, run_folder(run.name))

    def _apply_settings(self) -> None:
        wanted = (
            (self.options.screen_on, keep_screen_on),
            (self.options.fixed_performance, fix_performance),
        )
        for on, setting in wanted:
            if on:
                self.settings.append(
                    self._stack.enter_context(setting(self.adb, SETTINGS, self.tell))
                )

    def _calibrate(self) -> Workload | None:
        told = self._cool().state.thermal_status is not None
        return None if told else calibrate(self.adb, self.cpus.mask)

    def _cool(self) -> CoolDown:
        return wait_until_cool(
            self.adb,
            max_thermal_status=self.options.max_thermal_status,
            max_temp_c=self.options.max_temp_c,
            min_battery=self.options.min_battery_percent,
            timeout_s=self.options.cool_down_s,
            poll_s=COOL_POLL_S,
            workload=self._workload,
            on_wait=lambda reason, waited_s: self._telling_and_beating(
                f"{self.adb.serial}: waiting, {reason} ({waited_s:.0f} s)"
            ),
        )

    def _after_reboot(self) -> None:
        """Lock and set again: the lock's clock and all settings ended with the system."""
        self.tell(f"{self.adb.serial} was rebooted; waiting until it is up")
        self._patiently(self._booted)
        self._lock.release()
        self._take_lock()
        self.settings.clear()
        self._apply_settings()

    def _booted(self) -> None:
        deadline = time.monotonic() + BOOT_S
        while self.adb.shell(["getprop", "sys.boot_completed"]).text.strip() == "0":
            if time.monotonic() > deadline:
                raise DeviceNotReadyError(
                    f"{self.adb.serial} does not finish its start", serial=self.adb.serial
                )
            time.sleep(1.0)

    def _telling_and_beating(self, text: str) -> None:
        self.tell(text)
        self._beat()

    def _beat(self) -> None:
        """Show the lock's other seekers that we live, long before its lease ends."""
        now = time.monotonic()
        if now - self._beaten >= BEAT_S:
            self._beaten = now
            self._patiently(self._lock.refresh)

    def _digest(self, path: Path) -> str:
        found = path.stat()
        key = (str(path), found.st_size, found.st_mtime_ns)
        if key not in self._digests:
            self._digests[key] = file_sha256(path)
        return self._digests[key]

    def _patiently(self, action: Callable[[], _T]) -> _T:
        return repeat_patiently(self.adb, action, self._patience(self.tell))

    def _patience(self, tell: Tell) -> Patience:
        return Patience(self.options.patience_s, tell=tell)
