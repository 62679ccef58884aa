"""``ghostdeploy bench``: measure several models in one session, and compare what came out."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from math import exp, log
from pathlib import Path
from statistics import median

from ghostdeploy import __version__
from ghostdeploy.commands.output_check import check_output
from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import InputFileError, MeasurementError, UsageError
from ghostdeploy.files import ensure_writable, write_atomic
from ghostdeploy.progress import Progress, silent
from ghostdeploy.records import sessions_in
from ghostdeploy.runners import Runner
from ghostdeploy.runners.host.runtimes import check_format
from ghostdeploy.runners.model_file import check_model_file
from ghostdeploy.schema import (
    Artifact,
    BenchParams,
    BenchRecord,
    Comparison,
    DeviceIdentity,
    Evidence,
    Interval,
    Launch,
)
from ghostdeploy.stats import launches as stats
from ghostdeploy.typed_json import to_json

ATTEMPTS_PER_LAUNCH = 2  # rounds that may be tried for each one that is wanted
HOPELESS = 3  # rounds after which a model that never ran to its end is given up

MIN_LAUNCHES = 6  # fewer cannot give a 95 % interval of a median
NOISY = 0.05
SLOW = 1.10  # a launch this far above the median is a slow one, as in the gate's screen
SLOW_SHARE = 0.15
DRIFT, DRIFT_P = 0.03, 0.05
# Of all cores' time. One busy core of the eight that phones have is 12 %; an idle Linux's own
# housekeeping is about 1 %, and counting by 10 ms ticks errs by about as much over ten launches.
BUSY_SHARE = 0.10


def bench(
    artifacts: Sequence[Artifact],
    runner: Runner,
    params: BenchParams,
    out_dir: Path,
    progress: Progress = silent,
    *,
    resume: bool = False,
) -> list[BenchRecord]:
    """Measure ``artifacts`` (whose paths are real) interleaved; one record each, in their order.

    After one throwaway launch of each, every round launches all of them, there (A B C) and back
    (C B A) in turn. A round with an invalid launch is kept and another is added, up to twice
    ``params.launches`` rounds. Every record is written to ``out_dir`` after each launch. With
    ``params.profile`` a profiled launch of each follows. ``resume`` goes on with the newest
    session in ``out_dir`` of these files, parameters and device that was cut off, if there is one.

    Raises UsageError or InputFileError for what cannot be measured, and MeasurementError where a
    model never ran to its end, computes something else on the device than here, or its file
    changed meanwhile; what was measured stays on disk.
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
        if not arm.record.valid_launches:
            why = arm.record.launches[-1].why_not
            raise MeasurementError(f"{arm.record.artifact.path}: no launch was valid: {why}")
    return [arm.record for arm in session.arms]


def open_session(
    artifacts: Sequence[Artifact],
    runner: Runner,
    params: BenchParams,
    out_dir: Path,
    progress: Progress = silent,
    *,
    resume: bool = False,
) -> Session:
    """Everything checked, and one throwaway launch of each; what it raises is as of ``bench``."""
    for artifact in artifacts:
        check_format(Path(artifact.path), params.runtime)
        check_model_file(Path(artifact.path))
    ensure_writable(out_dir)
    session = Session(artifacts, runner, params, out_dir, progress, resume)
    session.throw_away()
    session.check_outputs()
    return session


@dataclass
class Arm:
    """One model of a session: its record so far, and where that is."""

    record: BenchRecord
    path: Path
    file_state: tuple[int, int]

    @property
    def model(self) -> Path:
        return Path(self.record.artifact.path)


@dataclass
class Session:
    """The launches of models that take turns there and back, and a record of each."""

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
        found = self._interrupted(device) if self.resume else []
        if found:
            self.arms = [
                Arm(record, path, _file_state(Path(record.artifact.path))) for path, record in found
            ]
            self.done = sum(len(record.launches) for _, record in found)
        else:
            self._begin()

    def _interrupted(self, device: DeviceIdentity) -> list[tuple[Path, BenchRecord]]:
        wanted = [artifact.sha256 for artifact in self.artifacts]
        sessions = sessions_in(self.out_dir)
        for found in sessions:
            same = [record.artifact.sha256 for _, record in found] == wanted and all(
                record.params == self.params and record.device == device for _, record in found
            )
            if same and _complete(found) < self.params.launches:
                return found
        self.progress(0, 1, "nothing to resume: a new session begins")
        return []

    def _begin(self) -> None:
        self.arms = [
            Arm(record, self.out_dir / name, _file_state(Path(record.artifact.path)))
            for name, record in new_records(self.artifacts, self.runner, self.params)
        ]

    @property
    def session(self) -> str:
        return self.arms[0].record.evidence.session

    @property
    def first_round(self) -> int:
        """The round that has launches to make: a new one, or the one that was cut off."""
        rounds = [len({x.round for x in arm.record.launches}) for arm in self.arms]
        return min(rounds)

    @property
    def complete_rounds(self) -> int:
        return _complete([(arm.path, arm.record) for arm in self.arms])

    @property
    def spoilt_rounds(self) -> int:
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
        """One launch of each, for caches and clocks, and to fail before minutes have gone by."""
        for arm in self.arms:
            launch = self._launch(arm, "warm-up launch", f"w-{secrets.token_hex(4)}")
            if launch.summary is None:
                raise MeasurementError(f"{arm.model}: {launch.why_not}")

    def check_outputs(self) -> None:
        """What the device computes must be what this machine computes."""
        for arm in self.arms:
            if arm.record.device.scheme == "local":
                continue
            self.progress(self.done, self.total, f"{arm.record.artifact.name}: comparing outputs")
            found = check_output(self.runner, arm.record.artifact, self.params)
            proof = replace(arm.record.evidence, output=found)
            arm.record = replace(arm.record, evidence=proof)

    def profile(self) -> None:
        """One more launch of each that times every operator, and is slower for it."""
        for number, arm in enumerate(self.arms):
            launch = self._launch(arm, "operator profile", f"p-{number}", profile=True)
            arm.record = replace(arm.record, profiled=launch)
            self._write(arm)

    def run_round(self, number: int) -> None:
        """One launch of each, back on odd rounds; a round counts if all its launches do."""
        for position, arm in enumerate(self.arms if number % 2 == 0 else self.arms[::-1]):
            if any(launch.round == number for launch in arm.record.launches):
                continue  # of the session that is resumed
            launch = self._launch(arm, f"round {number + 1}", f"r{number}-{position}")
            launch = replace(launch, round=number, position=position)
            arm.record = replace(arm.record, launches=(*arm.record.launches, launch))
            self._write(arm)

    def _launch(self, arm: Arm, what: str, name: str, *, profile: bool = False) -> Launch:
        self.progress(self.done, self.total, f"{arm.record.artifact.name}: {what}")
        if _file_state(arm.model) != arm.file_state:
            raise MeasurementError(f"{arm.model}: the file changed during the measurement")
        params = replace(self.params, profile=profile)
        launch = self.runner.launch(arm.model, params, f"{self.session}-{name}")
        self.done += 1
        return launch

    def _write(self, arm: Arm) -> None:
        write_atomic(arm.path, to_json(arm.record))


def _complete(found: Sequence[tuple[Path, BenchRecord]]) -> int:
    """Rounds in which every model's launch counts."""
    rounds = [{launch.round for launch in record.valid_launches} for _, record in found]
    return len(set.intersection(*rounds))


def new_records(
    artifacts: Sequence[Artifact], runner: Runner, params: BenchParams
) -> list[tuple[str, BenchRecord]]:
    """A record without launches for each of a session's models, and its file name.

    Raises InputFileError for a file that is not the artifact's any more.
    """
    started = datetime.now(timezone.utc)
    session = f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    device, runtime = runner.identity(), runner.runtime(params)
    names = tuple(artifact.name for artifact in artifacts)
    made = []
    for number, artifact in enumerate(artifacts):
        path = Path(artifact.path)
        evidence = Evidence(
            model_sha256=file_sha256(path),
            runtime=runtime.name,
            runtime_version=runtime.version,
            runtime_sha256=runtime.sha256,
            ghostdeploy_version=__version__,
            session=session,
            order=names + names[::-1],
            started_at=started.isoformat(timespec="milliseconds"),
            runtime_origin=runtime.origin,
            warnings=runner.warnings(),
        )
        if artifact.sha256 != evidence.model_sha256:
            raise InputFileError(f"{path}: is not the file it was: its SHA-256 differs")
        record = BenchRecord(artifact, device, params, evidence)
        made.append((record_name(session, number, artifact, device), record))
    return made


def record_name(session: str, number: int, artifact: Artifact, device: DeviceIdentity) -> str:
    """A record's file name: ``DATE-TIME-ID_N-MODEL_DEVICE.json``, safe on every file system."""
    model = artifact.name.removesuffix(f".{artifact.format}")
    if artifact.spec:
        model += f"-{artifact.precision}.{artifact.format}"
    where = "-".join(filter(None, (device.scheme, device.serial)))
    return f"{session}_{number + 1}-{file_safe(model)}_{file_safe(where)}.json"


def compare_records(
    bench_records: Sequence[BenchRecord], titles: Sequence[str], confidence: float = 0.95
) -> list[Comparison]:
    """A row per record: its latency, and its ratio to the first one's.

    The latency is the median of the launches' medians. The ratio is Hodges-Lehmann's of the log
    ratios of launches of the same round, with its exact signed-rank interval; it is None, and the
    advice says why, where records are not of one session on one device.

    Raises UsageError for a title too many or too few, and MeasurementError for a record without
    a valid launch.
    """
    if len(bench_records) != len(titles):
        raise UsageError(f"{len(bench_records)} records cannot have {len(titles)} titles")
    return [
        _compared(record, title, bench_records[0], titles[0], confidence, first=number == 0)
        for number, (record, title) in enumerate(zip(bench_records, titles, strict=True))
    ]


def _compared(
    record: BenchRecord,
    title: str,
    base: BenchRecord,
    base_title: str,
    confidence: float,
    *,
    first: bool,
) -> Comparison:
    values = _values(record)
    if not values:
        why = next((x.why_not for x in record.launches), "it has no launches")
        raise MeasurementError(f"{title}: no launch was valid: {why}")
    apart = "" if first else _why_unpaired(record, base, base_title)
    ratio = None if apart else _ratio(record, base, confidence)
    return Comparison(
        title=title,
        record=record,
        latency_ms=stats.median_interval(values, confidence),
        ratio=Interval(1.0, 1.0, 1.0) if first else ratio,
        noise=stats.robust_relative_sd(values),
        advice="; ".join(filter(None, [apart, *_advice(record)])),
    )


def _values(record: BenchRecord) -> list[float]:
    return [x.summary.value_ms for x in record.valid_launches if x.summary]


def _ratio(record: BenchRecord, base: BenchRecord, confidence: float) -> Interval:
    interval = stats.signed_rank_interval(log_ratios(record, base), confidence)
    return Interval(exp(interval.value), exp(interval.lower), exp(interval.upper))


def log_ratios(record: BenchRecord, base: BenchRecord) -> list[float]:
    """ln(record / base) of every round in which both were valid."""
    theirs = {x.round: x.summary.value_ms for x in base.valid_launches if x.summary}
    return [
        log(x.summary.value_ms / theirs[x.round])
        for x in record.valid_launches
        if x.summary and x.round in theirs
    ]


def _why_unpaired(record: BenchRecord, base: BenchRecord, base_title: str) -> str:
    together = f"for a ratio run it and {base_title} in one ghostdeploy bench"
    if record.device != base.device:
        return f"measured on another device than {base_title}: {together}"
    if record.evidence.session != base.evidence.session:
        return f"not measured in one session with {base_title}: {together}"
    if len(log_ratios(record, base)) < 2:
        return f"fewer than 2 rounds in common with {base_title}: raise --launches"
    return ""


def _advice(record: BenchRecord) -> Iterator[str]:
    """What is unstable, and the option that helps."""
    values, params = _values(record), record.params
    invalid = [x for x in record.launches if not x.valid]
    if invalid:
        count = f"{len(invalid)} of {len(record.launches)}"
        yield f"{count} launches were invalid ({invalid[0].why_not}): raise --launches"
    if len(values) < MIN_LAUNCHES:
        yield (
            f"{len(values)} launches are too few for a 95 % interval:"
            f" use --launches {max(10, params.launches + MIN_LAUNCHES)}"
        )
    yield from _instability(values)
    yield from _surroundings(record)


def _instability(values: Sequence[float]) -> Iterator[str]:
    noise = stats.robust_relative_sd(values)
    if noise > NOISY:
        yield f"launches differ by {noise:.0%}: pin with --cpus, and raise --runs and --launches"
    slow = sum(x > SLOW * median(values) for x in values)
    if slow and slow >= SLOW_SHARE * len(values):
        yield (
            f"{slow} of {len(values)} launches are over {SLOW - 1:.0%} slower than the median:"
            " stop other programs, or keep to other cores with --cpus"
        )
    drift = stats.fit_trend(values)
    if abs(drift.change) > DRIFT and drift.p_value < DRIFT_P:
        yield (
            f"latency drifted by {drift.change:+.0%} over the session:"
            " let the device cool, then raise --warmup and --launches"
        )


def _surroundings(record: BenchRecord) -> Iterator[str]:
    threads, cores = record.params.threads, record.device.cores
    launches = record.valid_launches
    if launches[0].cpus and len(launches[0].cpus) < threads:
        yield f"{threads} threads share {_cores(len(launches[0].cpus))}: lower --threads"
    shares = [x for x in (launch.others_share(cores) for launch in launches) if x is not None]
    if shares and median(shares) > BUSY_SHARE:
        yield (
            f"other programs used {100 * median(shares):.0f} % of the processor:"
            " stop them, or measure again once they are done"
        )
    governor = launches[0].state_before.governor
    if record.device.scheme == "local" and governor and "powersave" in governor:
        yield "the cores save power: run cpupower frequency-set -g performance"


def _cores(count: int) -> str:
    return f"{count} core{'' if count == 1 else 's'}"


def _file_state(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise MeasurementError(f"{path}: {error.strerror or error}") from error
    return found.st_size, found.st_mtime_ns


def file_safe(text: str) -> str:
    """What of ``text`` may stand in a file name everywhere."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-")[:80] or "unnamed"
