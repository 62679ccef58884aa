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

from ghostdeploy import __version__, records
from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import InputFileError, MeasurementError, UsageError
from ghostdeploy.gate import stats
from ghostdeploy.progress import Progress, silent
from ghostdeploy.runners import Runner
from ghostdeploy.runners.model_file import check_model_file, model_format
from ghostdeploy.runners.runtimes import check_format
from ghostdeploy.types import (
    Artifact,
    BenchParams,
    BenchRecord,
    Comparison,
    DeviceIdentity,
    Evidence,
    Interval,
    Launch,
)

ATTEMPTS_PER_LAUNCH = 2  # rounds that may be tried for each one that is wanted
HOPELESS = 3  # rounds after which a model that never ran to its end is given up
SIDECAR_SUFFIX = ".json"

MIN_LAUNCHES = 6  # fewer cannot give a 95 % interval of a median
NOISY = 0.05
SLOW = 1.10  # a launch this far above the median is a slow one, as in the gate's screen
SLOW_SHARE = 0.15
DRIFT, DRIFT_P = 0.03, 0.05
# Of all cores' time. One busy core of the eight that phones have is 12 %; an idle Linux's own
# housekeeping is about 1 %, and counting by 10 ms ticks errs by about as much over ten launches.
BUSY_SHARE = 0.10


def artifact_of(path: Path) -> Artifact:
    """The artifact of a model file, with its sidecar's knowledge where that is of this very file.

    Raises InputFileError for a file that is missing, empty, damaged or of another kind.
    """
    check_model_file(path)
    digest = file_sha256(path)
    bare = Artifact(str(path), digest, path.stat().st_size, model_format(path), "unknown")
    try:
        known = records.read_artifact(path.with_name(path.name + SIDECAR_SUFFIX))
    except InputFileError:
        return bare
    return replace(known, path=str(path)) if known.sha256 == digest else bare


def bench(
    artifacts: Sequence[Artifact],
    runner: Runner,
    params: BenchParams,
    out_dir: Path,
    progress: Progress = silent,
) -> list[BenchRecord]:
    """Measure ``artifacts`` (whose paths are real) interleaved; one record each, in their order.

    After one throwaway launch of each, every round launches all of them, there (A B C) and back
    (C B A) in turn. A round with an invalid launch is kept and another is added, up to twice
    ``params.launches`` rounds. Every record is written to ``out_dir`` after each launch.

    Raises UsageError or InputFileError for what cannot be measured, and MeasurementError where a
    model never ran to its end, or its file changed meanwhile; what was measured stays on disk.
    """
    if not artifacts:
        raise UsageError("there is no model to measure")
    for artifact in artifacts:
        check_format(Path(artifact.path), params.runtime)
        check_model_file(Path(artifact.path))
    records.ensure_writable(out_dir)
    session = _Session(artifacts, runner, params, out_dir, progress)
    session.throw_away()
    for number in range(ATTEMPTS_PER_LAUNCH * params.launches):
        session.run_round(number)
        if session.complete_rounds >= params.launches or session.hopeless:
            break
    for arm in session.arms:
        if not arm.record.valid_launches:
            why = arm.record.launches[-1].why_not
            raise MeasurementError(f"{arm.record.artifact.path}: no launch was valid: {why}")
    return [arm.record for arm in session.arms]


@dataclass
class _Arm:
    """One model of a session: its record so far, and where that is."""

    record: BenchRecord
    path: Path
    file_state: tuple[int, int]

    @property
    def model(self) -> Path:
        return Path(self.record.artifact.path)


@dataclass
class _Session:
    """The launches of one call of ``bench``."""

    artifacts: Sequence[Artifact]
    runner: Runner
    params: BenchParams
    out_dir: Path
    progress: Progress
    arms: list[_Arm] = field(init=False)
    done: int = 0
    complete_rounds: int = 0
    spoilt_rounds: int = 0

    def __post_init__(self) -> None:
        self.arms = [
            _Arm(record, self.out_dir / name, _file_state(Path(record.artifact.path)))
            for name, record in new_records(self.artifacts, self.runner, self.params)
        ]

    @property
    def total(self) -> int:
        """Launches in all, as far as can be told now."""
        return len(self.arms) * (1 + self.spoilt_rounds + self.params.launches)

    @property
    def hopeless(self) -> bool:
        """Whether some model only dies or hangs: each further try may cost a whole timeout."""
        return self.spoilt_rounds >= HOPELESS and any(
            all(launch.summary is None for launch in arm.record.launches) for arm in self.arms
        )

    def throw_away(self) -> None:
        """One launch of each, for caches and clocks, and to fail before minutes have gone by."""
        for arm in self.arms:
            launch = self._launch(arm, "warm-up launch")
            if launch.summary is None:
                raise MeasurementError(f"{arm.model}: {launch.why_not}")

    def run_round(self, number: int) -> None:
        """One launch of each, back on odd rounds; a round counts if all its launches do."""
        valid = True
        for position, arm in enumerate(self.arms if number % 2 == 0 else self.arms[::-1]):
            launch = self._launch(arm, f"round {number + 1}")
            launch = replace(launch, round=number, position=position)
            arm.record = replace(arm.record, launches=(*arm.record.launches, launch))
            records.write_atomic(arm.path, records.to_json(arm.record))
            valid = valid and launch.valid and launch.summary is not None
        self.complete_rounds += valid
        self.spoilt_rounds += not valid

    def _launch(self, arm: _Arm, what: str) -> Launch:
        self.progress(self.done, self.total, f"{arm.record.artifact.name}: {what}")
        if _file_state(arm.model) != arm.file_state:
            raise MeasurementError(f"{arm.model}: the file changed during the measurement")
        launch = self.runner.launch(arm.model, self.params)
        self.done += 1
        return launch


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
    return f"{session}_{number + 1}-{_safe(model)}_{_safe(where)}.json"


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
    interval = stats.signed_rank_interval(_log_ratios(record, base), confidence)
    return Interval(exp(interval.value), exp(interval.lower), exp(interval.upper))


def _log_ratios(record: BenchRecord, base: BenchRecord) -> list[float]:
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
    if len(_log_ratios(record, base)) < 2:
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
    drift = stats.trend(values)
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


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-")[:80] or "unnamed"
