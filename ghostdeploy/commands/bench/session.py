"""A session under way: models that take turns on one device, a fresh process for each launch."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ghostdeploy.commands.bench.new_records import new_records
from ghostdeploy.commands.inputs import settle_params
from ghostdeploy.commands.output_check import check_output
from ghostdeploy.commands.titles import titles_of
from ghostdeploy.errors import MeasurementError, UsageError
from ghostdeploy.files import ensure_writable, write_atomic
from ghostdeploy.progress import Progress, ignore_progress
from ghostdeploy.records import sessions_in
from ghostdeploy.runners import Runner
from ghostdeploy.runners.host.runtimes import check_format, settle_runtime
from ghostdeploy.runners.model_file import check_model_file
from ghostdeploy.schema import Artifact, BenchParams, BenchRecord, DeviceIdentity, Launch
from ghostdeploy.typed_json import to_json

ATTEMPTS_PER_LAUNCH = 2  # rounds that may be tried for each one that is wanted
HOPELESS = 3  # rounds after which a model that never ran to its end is given up


def bench(
    artifacts: Sequence[Artifact],
    runner: Runner,
    params: BenchParams,
    out_dir: Path,
    progress: Progress = ignore_progress,
    *,
    resume: bool = False,
) -> list[BenchRecord]:
    """Measure ``artifacts`` (whose paths are real) interleaved; one record each, in their order.

    After one throwaway launch of each, every round launches all of them, there (A B C) and back
    (C B A) in turn. A round with an invalid launch is kept and another is added, up to twice
    ``params.launches`` rounds. Every record is written to ``out_dir`` after each launch. With
    ``params.profile`` a profiled launch of each follows. ``resume`` goes on with the newest
    session in ``out_dir`` of these files, parameters and device that was cut off, if there is one.

    Where no launch of a model counts, its record tells why: ``comparison.require_valid`` raises.

    Raises UsageError or InputFileError for what cannot be measured, and MeasurementError where a
    model never ran to its end, computes something else on the device than on this machine, or its
    file changed meanwhile; what was measured stays on disk.
    """
    if not artifacts:
        raise UsageError("there is no model to measure")
    session = open_session(artifacts, runner, params, out_dir, progress, resume=resume)
    for number in range(session.first_round, ATTEMPTS_PER_LAUNCH * params.launches):
        if session.complete_rounds >= params.launches or session.hopeless:
            break
        session.run_round(number)
    if params.profile:
        session.profile()
    for arm in session.arms:
        if not arm.record.shown_launches:
            why = arm.record.launches[-1].why_not
            raise MeasurementError(f"{arm.model}: no launch ran to its end: {why} (see {arm.path})")
    return [arm.record for arm in session.arms]


def open_session(
    artifacts: Sequence[Artifact],
    runner: Runner,
    params: BenchParams,
    out_dir: Path,
    progress: Progress = ignore_progress,
    *,
    resume: bool = False,
) -> Session:
    """Begin a session: check everything, and launch each model once for nothing.

    Raises what ``bench`` raises.
    """
    for artifact in artifacts:
        check_model_file(Path(artifact.path))
        check_format(Path(artifact.path), settle_runtime(params, Path(artifact.path)).runtime)
    ensure_writable(out_dir)
    session = Session(artifacts, runner, params, out_dir, progress, resume)
    session.throw_away()
    session.check_outputs()
    session.write()
    return session


@dataclass
class Arm:
    """One model of a session: its title, its record so far, and the file that keeps it.

    ``file_state`` is the model file's size and time of change when the session began.
    """

    title: str
    record: BenchRecord
    path: Path
    file_state: tuple[int, int]

    @property
    def model(self) -> Path:
        """The model file."""
        return Path(self.record.artifact.path)


@dataclass
class Session:
    """The launches of models that take turns there and back, and the record of each model.

    Making one asks the device who it is, and with ``resume`` looks for a session of the same
    models, parameters and device in ``out_dir`` that was cut off.
    """

    artifacts: Sequence[Artifact]
    runner: Runner
    params: BenchParams
    out_dir: Path
    progress: Progress
    resume: bool = False
    arms: list[Arm] = field(init=False)
    done: int = 0

    def __post_init__(self) -> None:
        device = self.runner.identity()
        found = self._find_interrupted(device) if self.resume else []
        if found:
            self.arms = [self._arm(n, record, path) for n, (path, record) in enumerate(found)]
            self.done = sum(len(record.launches) for _, record in found)
        else:
            self._begin()

    def _find_interrupted(self, device: DeviceIdentity) -> list[tuple[Path, BenchRecord]]:
        wanted = [artifact.sha256 for artifact in self.artifacts]
        sessions = sessions_in(self.out_dir)
        for found in sessions:
            same = [record.artifact.sha256 for _, record in found] == wanted and all(
                record.params == settle_params(Path(record.artifact.path), self.params)
                and record.device == device
                for _, record in found
            )
            if same and _count_complete(found) < self.params.launches:
                return found
        self.progress(0, 1, "nothing to resume: a new session begins")
        return []

    def _begin(self) -> None:
        made = new_records(self.artifacts, self.runner, self.params)
        self.arms = [
            self._arm(n, record, self.out_dir / name) for n, (name, record) in enumerate(made)
        ]

    def _arm(self, number: int, record: BenchRecord, path: Path) -> Arm:
        title = titles_of(self.artifacts)[number]
        return Arm(title, record, path, _file_state(Path(record.artifact.path)))

    @property
    def session(self) -> str:
        """The name that all records of the session share."""
        return self.arms[0].record.evidence.session

    @property
    def first_round(self) -> int:
        """The round that has launches to make: a new one, or the one that was cut off."""
        rounds = [len({x.round for x in arm.record.launches}) for arm in self.arms]
        return min(rounds)

    @property
    def complete_rounds(self) -> int:
        """Rounds in which every model's launch counts."""
        return _count_complete([(arm.path, arm.record) for arm in self.arms])

    @property
    def spoilt_rounds(self) -> int:
        """Rounds that were launched and do not count."""
        return self.first_round - self.complete_rounds

    @property
    def total(self) -> int:
        """Launches in all, as far as can be told now."""
        each = 1 + self.spoilt_rounds + self.params.launches + self.params.profile
        return len(self.arms) * each

    @property
    def hopeless(self) -> bool:
        """Whether some model only dies or hangs: each further try may cost a whole timeout."""
        return self.spoilt_rounds >= HOPELESS and any(
            all(launch.summary is None for launch in arm.record.launches) for arm in self.arms
        )

    def throw_away(self) -> None:
        """Launch each once, for caches and clocks, and to fail before minutes have gone by."""
        for arm in self.arms:
            launch = self._launch(arm, "warm-up launch", f"w-{secrets.token_hex(4)}")
            if launch.summary is None:
                raise MeasurementError(f"{arm.model}: {launch.why_not}")

    def check_outputs(self) -> None:
        """Make sure that the device computes what this machine computes."""
        for arm in self.arms:
            if arm.record.device.scheme == "local":
                continue
            self.progress(self.done, self.total, f"{arm.title}: comparing outputs")
            found = check_output(self.runner, arm.record.artifact, arm.record.params)
            proof = replace(arm.record.evidence, output=found)
            arm.record = replace(arm.record, evidence=proof)

    def profile(self) -> None:
        """Launch each once more with every operator timed, which makes the launch slower."""
        for number, arm in enumerate(self.arms):
            launch = self._launch(arm, "operator profile", f"p-{number}", profile=True)
            arm.record = replace(arm.record, profiled=launch)
            self._write(arm)

    def run_round(self, number: int) -> None:
        """Launch each once, backwards on odd rounds; a round counts if all its launches do."""
        for position, arm in enumerate(self.arms if number % 2 == 0 else self.arms[::-1]):
            if any(launch.round == number for launch in arm.record.launches):
                continue  # of the session that is resumed
            launch = self._launch(arm, f"round {number + 1}", f"r{number}-{position}")
            launch = replace(launch, round=number, position=position)
            arm.record = replace(arm.record, launches=(*arm.record.launches, launch))
            self._write(arm)

    def write(self) -> None:
        """Write every record, so that a session cut off in its first round can be resumed."""
        for arm in self.arms:
            self._write(arm)

    def _launch(self, arm: Arm, what: str, name: str, *, profile: bool = False) -> Launch:
        self.progress(self.done, self.total, f"{arm.title}: {what}")
        if _file_state(arm.model) != arm.file_state:
            raise MeasurementError(f"{arm.model}: the file changed during the measurement")
        params = replace(arm.record.params, profile=profile)
        launch = self.runner.launch(arm.model, params, f"{self.session}-{name}")
        self.done += 1
        return launch

    def _write(self, arm: Arm) -> None:
        write_atomic(arm.path, to_json(arm.record))


def _count_complete(found: Sequence[tuple[Path, BenchRecord]]) -> int:
    rounds = [{launch.round for launch in record.valid_launches} for _, record in found]
    return len(set.intersection(*rounds))


def _file_state(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise MeasurementError(f"{path}: {error.strerror or error}") from error
    return found.st_size, found.st_mtime_ns
