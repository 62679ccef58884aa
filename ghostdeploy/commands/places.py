"""Where a measurement runs: one or several devices, on one or several of their clusters."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from ghostdeploy.errors import GhostdeployError
from ghostdeploy.progress import Progress
from ghostdeploy.runners import Access, Runner, open_runner
from ghostdeploy.schema import BenchParams

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """A device, and the cores there (as BenchParams.cpus)."""

    device: str
    cpus: str = ""


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What came of one place: ``result``, or the error that it ended with."""

    place: Place
    result: T | None = None
    error: GhostdeployError | None = None


Work = Callable[[Runner, BenchParams, Progress], T]


def places(device: str, cpus: str, adb: str = "") -> list[Place]:
    """``adb:A,B`` and ``adb:all`` are several devices, ``--cpus big,little`` several clusters.

    Raises MeasurementError where ``adb:all`` finds none.
    """
    scheme, _, target = device.partition(":")
    if scheme != "adb":
        on_phone = scheme == "fake"
        return [Place(device, part) for part in (_parts(cpus) if on_phone else [cpus])]
    from ghostdeploy.runners.adb import find_serials

    names = find_serials(target, adb)
    devices = [f"adb:{name}" if name else "adb" for name in names]
    return [Place(each, part) for each in devices for part in _parts(cpus)]


def _parts(cpus: str) -> list[str]:
    return [part.strip() for part in cpus.split(",") if part.strip()] or [""]


def check(found: Sequence[Place], params: BenchParams, access: Access) -> None:
    """Find out at once, before anything is exported, that the only place cannot be measured at.

    Raises what opening its runner raises. Of several devices each has its own say later.
    """
    if len(found) > 1 or found[0].device.startswith("fake"):
        return
    device, cpus = found[0].device, found[0].cpus
    scheme, _, target = device.partition(":")
    if scheme == "adb":
        from ghostdeploy.runners.adb import check_reachable

        return check_reachable(target, access)  # no more: a phone is not held during an export
    open_runner(device, replace(params, cpus=cpus), access).close()


def measure_at(
    found: Sequence[Place], params: BenchParams, access: Access, progress: Progress, work: Work[T]
) -> list[Outcome[T]]:
    """Do ``work`` at every place: the devices side by side, the clusters of one in turn.

    One device that fails does not stop the others. With a single place its error is raised.
    """
    if len(found) == 1:
        return [Outcome(found[0], _at(found[0], params, access, progress, work))]
    team = _Team(params, access, progress, work)
    devices = list(dict.fromkeys(place.device for place in found))
    team.run([[place for place in found if place.device == device] for device in devices])
    return [team.outcomes[place] for place in found]


def _at(place: Place, params: BenchParams, access: Access, progress: Progress, work: Work[T]) -> T:
    params = replace(params, cpus=place.cpus)
    runner = open_runner(place.device, params, access)
    try:
        return work(runner, params, progress)
    finally:
        runner.close()


class _Team(Generic[T]):
    """A thread a device. Ctrl-C is heard here, and ends each at its next word."""

    def __init__(
        self, params: BenchParams, access: Access, progress: Progress, work: Work[T]
    ) -> None:
        self.params, self.access, self.progress, self.work = params, access, progress, work
        self.outcomes: dict[Place, Outcome[T]] = {}
        self.stop = threading.Event()
        self.speaking = threading.Lock()

    def run(self, groups: Sequence[Sequence[Place]]) -> None:
        with ThreadPoolExecutor(len(groups)) as pool:
            visits = [pool.submit(self._visit, group) for group in groups]
            try:
                for visit in visits:
                    visit.result()
            except BaseException:  # Ctrl-C here, or a bug there: the others end at their next word
                self.stop.set()
                raise

    def _visit(self, group: Sequence[Place]) -> None:
        for place in group:
            self.outcomes[place] = self._outcome(place)

    def _outcome(self, place: Place) -> Outcome[T]:
        access = replace(self.access, tell=lambda text: self._tell(place, text))

        def progress(done: int, total: int, text: str) -> None:
            self._check()
            with self.speaking:
                self.progress(done, total, f"{place.device}: {text}")

        try:
            return Outcome(place, _at(place, self.params, access, progress, self.work))
        except GhostdeployError as error:
            return Outcome(place, error=error)
        except _Stopped:
            return Outcome(place)

    def _tell(self, place: Place, text: str) -> None:
        self._check()
        with self.speaking:
            self.access.tell(f"{place.device}: {text}" if text else "")

    def _check(self) -> None:
        if self.stop.is_set():
            raise _Stopped


class _Stopped(BaseException):
    """Another thread was interrupted: clean up, and end."""
