"""The one flow of every measuring command: check the places, export the models, measure at each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ghostdeploy.commands.bench.new_records import file_safe, record_name
from ghostdeploy.commands.bench.session import bench
from ghostdeploy.commands.compare import choose_notes, compare_with_paper
from ghostdeploy.commands.contenders import Contender, prepare_contenders, prepare_rows
from ghostdeploy.commands.export import ExportRequest
from ghostdeploy.commands.instructions import compare_instructions, count_instructions
from ghostdeploy.commands.places import (
    PlaceOutcome,
    check_reachable,
    find_places,
    measure_at_places,
)
from ghostdeploy.progress import Progress, divide
from ghostdeploy.report.instructions.tables import InstructionReport
from ghostdeploy.report.latency.report import Report
from ghostdeploy.runners import Access, Device, Runner
from ghostdeploy.runners.host.runtimes import settle_runtime
from ghostdeploy.schema import BenchParams, BenchRecord, Comparison

LAUNCHES_AN_EXPORT = 10  # that take about as long


@dataclass(frozen=True)
class MeasureRequest:
    """What to measure, where and how.

    ``models`` are files, and networks that are exported first: ``side_by_side`` in processes of
    their own, or one after the other in this one. ``records`` is the folder of the records.
    ``resume`` goes on with a session that was cut off, ``wait_s`` is how long to wait for a phone
    that is in use, and ``adb`` the adb program, "" for the usual places.

    ``table`` is that of the paper which the models are rows of, ``names`` its names for them, one
    a model: a row that cannot be exported is then left out and told.
    """

    models: tuple[Path | ExportRequest, ...]
    device: Device
    params: BenchParams
    records: Path = Path("reports")
    resume: bool = False
    wait_s: float = 0.0
    adb: str = ""
    side_by_side: bool = True
    table: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measurement:
    """What was measured: a list of records from every place, in the order of ``contenders``.

    ``table`` is that of the paper which they are rows of, "" for none; ``skipped`` says of each
    other row why it could not be made.
    """

    contenders: tuple[Contender, ...]
    outcomes: tuple[PlaceOutcome[list[BenchRecord]], ...]
    table: str = ""
    skipped: tuple[str, ...] = ()

    @property
    def titles(self) -> list[str]:
        """What tables call the models."""
        return [contender.title for contender in self.contenders]

    @property
    def records(self) -> list[BenchRecord]:
        """The records of all places, one place after the other."""
        return [record for outcome in self.outcomes for record in outcome.result or ()]

    @property
    def failures(self) -> tuple[str, ...]:
        """A line for each place that could not be measured at."""
        failed = (outcome for outcome in self.outcomes if outcome.result is None)
        return tuple(f"{outcome.place.title}: {outcome.error}" for outcome in failed)

    def compare(self, titles: Sequence[str] = ()) -> dict[str, list[Comparison]]:
        """Return the rows of each place that was measured at, by the place's title."""
        return {
            outcome.place.title: compare_with_paper(
                outcome.result, titles or self.titles, self.table
            )
            for outcome in self.outcomes
            if outcome.result is not None
        }

    def report_latencies(self, title: str, *, noted: bool = False) -> dict[str, Report]:
        """Return a report for each place, by what to add to its files' names.

        Nothing is added, to the names or the title, where there is one place only. ``noted``: with
        the notes that belong to a comparison.
        """
        found = self.compare().items()
        alone = len(self.outcomes) == 1
        return {
            "" if alone else file_safe(place): Report(
                title if alone else f"{title}: {place}",
                tuple(rows),
                (*(choose_notes(rows) if noted else ()), *self.skipped),
            )
            for place, rows in found
        }

    def report_instructions(self, title: str) -> InstructionReport:
        """Return the report of an emulated core."""
        rows = compare_instructions(self.records, self.titles, self.table)
        return InstructionReport(title, tuple(rows), self.skipped)


def choose_format(device: Device, params: BenchParams) -> str:
    """Return the format that the networks are exported to, for what runs them."""
    onnx = params.runtime == "onnxruntime" and not device.counts_instructions
    return "onnx" if onnx else "tflite"


def _settle(params: BenchParams, model: Path | ExportRequest) -> BenchParams:
    path = model if isinstance(model, Path) else Path(f"exported.{model.formats[0]}")
    return settle_runtime(params, path)  # which goes by the ending


def measure(
    request: MeasureRequest, progress: Progress, tell: Callable[[str], None]
) -> Measurement:
    """Export what is not there yet and measure all models at every place, in one session each.

    ``tell`` hears what is waited for. A place that fails does not stop the others; the only one's
    error is raised. Raises what ``bench`` or ``count_instructions``, exporting, and opening the
    device's runner raise; an only device that cannot be used is found out before anything is
    exported.
    """
    params = request.params
    places = find_places(request.device, params.cpus, request.adb)
    access = Access(tell=tell, resume=request.resume, wait_s=request.wait_s, adb=request.adb)
    for settled in dict.fromkeys(_settle(params, model) for model in request.models):
        check_reachable(places, settled, access)
    exporting, measuring = divide(progress, _weigh(request))
    contenders, skipped = _prepare(request, exporting)
    artifacts = [contender.artifact for contender in contenders]

    def work(runner: Runner, params: BenchParams, progress: Progress) -> list[BenchRecord]:
        if request.device.counts_instructions:
            return count_instructions(artifacts, runner, params, request.records, progress)
        return bench(artifacts, runner, params, request.records, progress, resume=request.resume)

    outcomes = measure_at_places(places, params, access, measuring, work)
    return Measurement(tuple(contenders), tuple(outcomes), request.table, tuple(skipped))


def _prepare(request: MeasureRequest, progress: Progress) -> tuple[list[Contender], list[str]]:
    """Return the models to measure, and why rows of a table are not among them."""
    if request.names:
        exports = [model for model in request.models if isinstance(model, ExportRequest)]
        return prepare_rows(request.names, exports, progress)
    groups = [request.models] if request.side_by_side else [(model,) for model in request.models]
    parts = divide(progress, [1.0] * len(groups))
    pairs = zip(groups, parts, strict=True)
    return [each for group, part in pairs for each in prepare_contenders(group, part)], []


def _weigh(request: MeasureRequest) -> tuple[float, float]:
    """Return about how long exporting takes beside measuring, in launches."""
    exports = sum(isinstance(model, ExportRequest) for model in request.models)
    launches = len(request.models) * (1 + request.params.launches)
    return float(LAUNCHES_AN_EXPORT * exports), float(launches)


def describe_disturbed(rows: Sequence[Comparison], folder: Path) -> list[str]:
    """Tell of each row of a session that no launch counts, where its record is, and what helps.

    ``folder`` holds the records.
    """
    return [
        f"{row.title}: none of its {len(row.record.launches)} launches counts"
        f" ({row.record.launches[-1].why_not}); record: {folder / _record_file(row, number)};"
        f" {_way_on(row.record)}"
        for number, row in enumerate(rows)
        if row.disturbed
    ]


def _record_file(row: Comparison, number: int) -> str:
    record = row.record
    return record_name(record.evidence.session, number, record.artifact, record.device)


def _way_on(record: BenchRecord) -> str:
    if record.device.scheme != "local":
        return "measure again once the device is fit for it"
    return "measure again on a quiet machine, or let them count with --max-disturbance 1"
