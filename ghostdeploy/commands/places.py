"""Where a measurement runs: one or several devices, on one or several of their clusters."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from ghostdeploy.errors import GhostdeployError
from ghostdeploy.progress import Progress, divide
from ghostdeploy.runners import Access, Device, Runner, open_runner
from ghostdeploy.schema import BenchParams

T = TypeVar("T")


@dataclass(frozen=True)
class MeasuringPlace:
    """A device, and the cores of it to run on (as BenchParams.cpus)."""

    device: Device
    cpus: str = ""

    @property
    def title(self) -> str:
        """The device's name, and the cores where they are chosen."""
        return "-".join(filter(None, (str(self.device), self.cpus)))


@dataclass(frozen=True)
class PlaceOutcome(Generic[T]):
    """What came of one place: the work's ``result``, or the ``error`` that it ended with."""

    place: MeasuringPlace
    result: T | None = None
    error: GhostdeployError | None = None


Work = Callable[[Runner, BenchParams, Progress], T]


def find_places(device: Device, cpus: str, adb: str = "") -> list[MeasuringPlace]:
    """Spread ``adb:A,B`` and ``adb:all`` over their devices, ``big,little`` over the clusters.

    Raises MeasurementError where ``adb:all`` finds no device.
    """
    if device.scheme != "adb":
        parts = _split_cpus(cpus) if device.is_phone else [cpus]
        return [MeasuringPlace(device, part) for part in parts]
    from ghostdeploy.runners.adb import find_serials

    devices = [Device("adb", serial) for serial in find_serials(device.target, adb)]
    return [MeasuringPlace(each, part) for each in devices for part in _split_cpus(cpus)]


def _split_cpus(cpus: str) -> list[str]:
    return [part.strip() for part in cpus.split(",") if part.strip()] or [""]


def check_reachable(places: Sequence[MeasuringPlace], params: BenchParams, access: Access) -> None:
    """Find out at once, before anything is exported, that the only place cannot be measured at.

    Raises what opening its runner raises. Of several devices each has its own say later.
    """
    device, cpus = places[0].device, places[0].cpus
    if len(places) > 1 or device.scheme == "fake":
        return
    if device.scheme == "adb":
        from ghostdeploy.runners import adb

        adb.check_reachable(device.target, access)  # no more: no phone is held during an export
        return
    open_runner(device, replace(params, cpus=cpus), access).close()


def measure_at_places(
    places: Sequence[MeasuringPlace],
    params: BenchParams,
    access: Access,
    progress: Progress,
    work: Work[T],
) -> list[PlaceOutcome[T]]:
    """Do ``work`` at every place: the devices side by side, the clusters of one in turn.

    One device that fails does not stop the others. With a single place its error is raised.
    """
    if len(places) == 1:
        return [PlaceOutcome(places[0], _do_at(places[0], params, access, progress, work))]
    team = _Team(places, params, access, progress, work)
    devices = list(dict.fromkeys(place.device for place in places))
    team.run([[place for place in places if place.device == device] for device in devices])
    return [team.outcomes[place] for place in places]


def _do_at(
    place: MeasuringPlace, params: BenchParams, access: Access, progress: Progress, work: Work[T]
) -> T:
    params = replace(params, cpus=place.cpus)
    with closing(open_runner(place.device, params, access)) as runner:
        return work(runner, params, progress)


class _Team(Generic[T]):
    """Threads, one for each device. The caller's hears Ctrl-C, and ends each at its next word."""

    def __init__(
        self,
        places: Sequence[MeasuringPlace],
        params: BenchParams,
        access: Access,
        progress: Progress,
        work: Work[T],
    ) -> None:
        self.params, self.access, self.work = params, access, work
        self.progress = dict(
            zip(places, divide(progress, [1.0] * len(places), side_by_side=True), strict=True)
        )
        self.outcomes: dict[MeasuringPlace, PlaceOutcome[T]] = {}
        self.stop = threading.Event()
        self.speaking = threading.Lock()

    def run(self, groups: Sequence[Sequence[MeasuringPlace]]) -> None:
        with ThreadPoolExecutor(len(groups)) as pool:
            visits = [pool.submit(self._visit, group) for group in groups]
            try:
                for visit in visits:
                    visit.result()
            except (
                BaseException
            ):  # Ctrl-C, or a bug in one thread: the others end at their next word
                self.stop.set()
                raise

    def _visit(self, group: Sequence[MeasuringPlace]) -> None:
        for place in group:
            self.outcomes[place] = self._measure(place)

    def _measure(self, place: MeasuringPlace) -> PlaceOutcome[T]:
        access = replace(self.access, tell=lambda text: self._tell(place, text))

        def progress(done: int, total: int, text: str) -> None:
            self._check()
            with self.speaking:
                self.progress[place](done, total, f"{place.title}: {text}")

        try:
            return PlaceOutcome(place, _do_at(place, self.params, access, progress, self.work))
        except GhostdeployError as error:
            return PlaceOutcome(place, error=error)
        except _Stopped:
            return PlaceOutcome(place)

    def _tell(self, place: MeasuringPlace, text: str) -> None:
        self._check()
        with self.speaking:
            self.access.tell(f"{place.device}: {text}" if text else "")

    def _check(self) -> None:
        if self.stop.is_set():
            raise _Stopped


class _Stopped(BaseException):
    """Raised in a thread when another one was interrupted: clean up, and end."""
