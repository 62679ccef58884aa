"""Launch a program on a phone: detached, watched, fetched, with what speaks against it.

The run is a folder on the phone (adb/runs.py), named by the caller: a launch whose folder is there
already, as after a host that crashed, is waited for and fetched instead of started anew.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from android_bench.adb.patience import VANISHED, Patience, repeat_patiently
from android_bench.adb.phone import Adb
from android_bench.adb.runs import (
    RunStatus,
    fetch_detached,
    kill_detached,
    poll_detached,
    remove_detached,
    run_folder,
    start_detached,
)
from android_bench.adb.text import join_words, quote_word
from android_bench.device.affinity import (
    Affinity,
    build_read_back,
    build_taskset,
    explain_affinity,
    parse_read_back,
)
from android_bench.device.evidence import find_evidence
from android_bench.device.shell import run_sections
from android_bench.device.state import LIGHT_PARTS, State, parse_state, read_state
from android_bench.errors import (
    AdbError,
)

POLL_S = 0.5
SAMPLE_S = 2.0  # between looks at clocks and temperatures, which cost the phone some work
MAX_SAMPLES = 500
KILLED = 137
_WHO = "who"  # the file in the run's folder with its process and its mask
_PEAK = re.compile(rb"VmHWM:\s*(\d{1,12}) kB")

_T = TypeVar("_T")


@dataclass(frozen=True)
class LaunchPlan:
    """A plan says what to launch under which name; ``cpus`` () leaves the mask to the system."""

    name: str
    argv: tuple[str, ...]
    cpus: tuple[int, ...] = ()
    timeout_s: float = 300.0
    max_thermal_status: int = 0
    min_battery_percent: int = 0
    fixed_performance: bool = False


@dataclass(frozen=True)
class PhoneLaunch:
    """This came of a launch; ``why_not`` is () where nothing speaks against it.

    ``cpus`` was read back from the process; ``returncode`` is None where it never ended by itself.
    ``peak_mem_mb`` (10⁶ bytes) is the largest resident set up to the last look at the process.
    ``rebooted``: the phone restarted meanwhile.
    """

    stdout: bytes
    stderr: bytes
    returncode: int | None
    cpus: tuple[int, ...]
    before: State
    after: State
    during: tuple[State, ...] = ()
    peak_mem_mb: float | None = None
    rebooted: bool = False
    why_not: tuple[str, ...] = ()


def launch(
    adb: Adb, plan: LaunchPlan, ready: Callable[[], State], patience: Patience
) -> PhoneLaunch:
    """Run ``plan`` to its end and judge it by the phone's state before and after.

    ``ready`` waits until the phone is fit to measure and gives its state; a run that is there
    already is not kept waiting, and nothing is known of the state before it. ``patience`` says what
    is done when the phone vanishes: the run goes on without us. However this call ends, Ctrl-C
    included, the run is off the phone if the phone can be reached. Raises the AdbErrors.
    """
    folder = run_folder(plan.name)
    watch = _Watch(adb, plan, folder, patience)
    try:
        before = watch.adopt() or watch.start(ready)
        status, timed_out = watch.wait()
        return watch.result(status, before, timed_out)
    finally:
        watch.remove()


class _Watch:
    """A watch follows the run of one plan from this machine."""

    def __init__(self, adb: Adb, plan: LaunchPlan, folder: str, patience: Patience) -> None:
        self.adb, self.plan, self.folder = adb, plan, folder
        self.patience = patience
        self.started = time.monotonic()
        self.looked = self.started - SAMPLE_S  # the first look comes with the first poll
        self.samples: list[State] = []
        self.peak_mem_mb: float | None = None
        self.masks: list[Affinity] = []
        self.pid = ""

    def adopt(self) -> State | None:
        """Take over the run of a host that is gone; None if there is none that is of use."""
        status = self._patiently(lambda: poll_detached(self.adb, self.folder))
        if status.state in ("running", "done"):
            return State()
        if status.state != "absent":
            self._patiently(lambda: remove_detached(self.adb, self.folder))
        return None

    def start(self, ready: Callable[[], State]) -> State:
        before = ready()
        self.started = time.monotonic()
        self._patiently(lambda: start_detached(self.adb, self._script(), self.folder))
        return before

    def wait(self) -> tuple[RunStatus, bool]:
        """Wait until it has ended, or has taken too long: then it is killed."""
        status = self._patiently(lambda: poll_detached(self.adb, self.folder))
        while status.state == "running":
            if time.monotonic() - self.started > self.plan.timeout_s:
                self._patiently(lambda: kill_detached(self.adb, self.folder))
                return status, True
            time.sleep(POLL_S)
            self.patience.tell("")
            self._look()
            status = self._patiently(lambda: poll_detached(self.adb, self.folder))
        return status, False

    def result(self, status: RunStatus, before: State, timed_out: bool) -> PhoneLaunch:
        self._read_who()
        output = self._patiently(lambda: fetch_detached(self.adb, self.folder))
        after = self._patiently(lambda: read_state(self.adb))
        killed = status.state == "lost"
        returncode = KILLED if killed else status.returncode
        return PhoneLaunch(
            stdout=output.stdout,
            stderr=output.stderr,
            returncode=returncode,
            cpus=self.masks[0].cpus if self.masks else (),
            before=before,
            after=after,
            during=tuple(self.samples),
            peak_mem_mb=self.peak_mem_mb,
            rebooted=status.state == "rebooted",
            why_not=self._against(before, after, returncode, timed_out),
        )

    def remove(self) -> None:
        with suppress(AdbError):  # the next holder of the lock finds it
            remove_detached(self.adb, self.folder)

    # ---- steps

    def _script(self) -> str:
        inner = f'{{ echo "pid $$"; {build_read_back("$$")}; }} >{_WHO} 2>/dev/null; exec "$@"'
        mask = Affinity(self.plan.cpus).mask if self.plan.cpus else ""
        return (
            f"exec {join_words([*build_taskset(mask), 'sh', '-c', inner, 'sh', *self.plan.argv])}"
        )

    def _look(self) -> None:
        """Sample the phone, not too often; what cannot be had just now is left out."""
        now = time.monotonic()
        if now - self.looked < SAMPLE_S or len(self.samples) >= MAX_SAMPLES:
            return
        self.looked = now
        if not self.pid:
            self._read_who()
        parts = dict(LIGHT_PARTS)
        if self.pid:
            status = f"grep VmHWM: /proc/{self.pid}/status"
            parts["process"] = f"{status}; {build_read_back(self.pid)}"
        try:
            sections = run_sections(self.adb, parts, self.plan.timeout_s)
        except VANISHED:
            return
        self.samples.append(parse_state(sections))
        self._note(sections.get("process", b""))

    def _note(self, text: bytes) -> None:
        if found := _PEAK.search(text):
            self.peak_mem_mb = max(self.peak_mem_mb or 0.0, int(found[1]) * 1024 / 1e6)
        if mask := parse_read_back(text):
            self.masks.append(mask)

    def _read_who(self) -> None:
        path = quote_word(f"{self.folder}/{_WHO}")
        text = self._patiently(lambda: self.adb.shell(f"head -c 2000 {path}")).stdout
        if found := re.match(rb"pid (\d{1,9})\b", text):
            self.pid = found[1].decode()
            mask = parse_read_back(text)
            self.masks[:0] = [mask] if mask else []

    def _against(
        self, before: State, after: State, returncode: int | None, timed_out: bool
    ) -> tuple[str, ...]:
        plan = self.plan
        reasons = [f"did not finish in {plan.timeout_s:g} s"] if timed_out else []
        reasons += find_evidence(
            before,
            after,
            cpus=plan.cpus,
            returncode=None if timed_out else returncode,
            max_thermal_status=plan.max_thermal_status,
            min_battery_percent=plan.min_battery_percent,
            fixed_performance=plan.fixed_performance,
        )
        reasons += self._caps_between(before, after)
        masks: Sequence[Affinity | None] = self.masks or [None]
        wrong = {explain_affinity(plan.cpus, mask) for mask in masks}
        return (*dict.fromkeys(reasons), *sorted(wrong - {""}))

    def _caps_between(self, before: State, after: State) -> Sequence[str]:
        """Find the clocks that were capped for a while only, and at neither end."""
        if self.plan.fixed_performance:
            return []
        seen = {
            reason.removesuffix(" before the launch").removesuffix(" after the launch")
            for state in self.samples
            for reason in find_evidence(state, state, cpus=self.plan.cpus)
        }
        ends = " ".join(find_evidence(before, after, cpus=self.plan.cpus))
        return [f"{reason} during the launch" for reason in sorted(seen) if reason not in ends]

    def _patiently(self, action: Callable[[], _T]) -> _T:
        return repeat_patiently(self.adb, action, self.patience)
