"""``ghostdeploy bench`` and ``compare``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.cli.options.arguments import (
    argument,
    command,
    group,
    json_flag,
    option,
    pass_arguments,
)
from ghostdeploy.cli.options.calibration import CalibrationArguments
from ghostdeploy.cli.options.completions import (
    complete_formed_targets,
    complete_precisions,
    complete_tables,
    offer_several,
)
from ghostdeploy.cli.options.lowering import LoweringArguments
from ghostdeploy.cli.options.measuring import LaunchArguments, SessionArguments
from ghostdeploy.cli.options.network import NetworkArguments
from ghostdeploy.cli.options.pixels import MeasuredPixelArguments
from ghostdeploy.cli.options.thresholds import ThresholdArguments, enforce
from ghostdeploy.cli.terminal import progress_line, stamp
from ghostdeploy.errors import UsageError

if TYPE_CHECKING:
    from ghostdeploy.commands.export import ExportRequest
    from ghostdeploy.commands.measure import MeasureRequest
    from ghostdeploy.commands.precisions import PrecisionsRequest
    from ghostdeploy.commands.tables import TablePlan
    from ghostdeploy.commands.targets import Network


@dataclass(frozen=True)
class MeasuringArguments:
    """Which networks are exported, how, and how they are measured."""

    launch: LaunchArguments = group(LaunchArguments)
    session: SessionArguments = group(SessionArguments)
    network: NetworkArguments = group(NetworkArguments)
    pixels: MeasuredPixelArguments = group(MeasuredPixelArguments)
    lowering: LoweringArguments = group(LoweringArguments)

    def request(
        self, names: Sequence[str], calibration: CalibrationArguments | None = None
    ) -> MeasureRequest:
        """Return the request to measure the models and files called ``names``.

        Raises UsageError for names and options that make no sense.
        """
        from ghostdeploy.commands.measure import choose_format
        from ghostdeploy.commands.targets import parse_formed_target

        empty, network = self.empty_request(), self.network
        format_ = choose_format(empty.device, empty.params)
        defaults = network.defaults_for(self.pixels.normalization, self.launch.input_range)
        targets = [parse_formed_target(name, defaults) for name in names]
        models = (
            self.lowering.source(target, network, (format_,), calibration) for target in targets
        )
        return replace(empty, models=tuple(models))

    def empty_request(self) -> MeasureRequest:
        """Return the request to measure no models yet."""
        from ghostdeploy.commands.measure import MeasureRequest

        self._check_trace()
        return MeasureRequest(
            models=(),
            device=self.launch.on,
            params=self.launch.params(self.session.launches, profile=self.session.profile),
            records=self.launch.records,
            resume=self.session.resume,
            wait_s=60 * self.session.wait,
            adb=self.launch.phone.adb,
        )

    def _check_trace(self) -> None:
        """Raise UsageError where no trace could come of it, before anything is measured."""
        from ghostdeploy.files import ensure_writable

        trace = self.session.trace
        if trace is None:
            return
        if self.launch.on.counts_instructions:
            raise UsageError("--trace is of times; an emulated core counts instructions")
        if not self.session.profile:
            raise UsageError("--trace writes the times of operators: give --profile, too")
        if trace.is_dir():
            raise UsageError(f"--trace takes a file, and {trace} is a folder")
        ensure_writable(trace.parent)


@dataclass(frozen=True)
class BenchArguments:
    """The arguments of ``ghostdeploy bench``."""

    targets: tuple[str, ...] = argument(
        metavar="[MODEL|FILE]...", nargs=-1, shell_complete=complete_formed_targets
    )
    measuring: MeasuringArguments = group(MeasuringArguments)
    as_json: bool = json_flag()


@command()
@pass_arguments(BenchArguments)
def bench(arguments: BenchArguments) -> None:
    """Measure the latency of models, interleaved in one session."""
    from ghostdeploy.cli.measured import print_instructions, print_latencies
    from ghostdeploy.commands.measure import measure

    request = arguments.measuring.request(arguments.targets or ("ghostnetv2",))
    with progress_line() as progress:
        found = measure(request, progress, progress.tell)
    if request.device.counts_instructions:
        report = found.report_instructions("Instructions of one inference")
        return print_instructions(report, request.records, as_json=arguments.as_json)
    trace = arguments.measuring.session.trace
    print_latencies(found, "Latency", request.records, trace=trace, as_json=arguments.as_json)


@dataclass(frozen=True)
class CompareArguments:
    """The arguments of ``ghostdeploy compare``."""

    models: str | None = option(
        "--models",
        shell_complete=offer_several(complete_formed_targets),
        metavar="[MODEL|FILE],...",
        help="Models or files to compare, with commas; ratios are to the first one. The three of"
        " the paper's Table 1 by default.",
    )
    table: str | None = option(
        "--table",
        metavar="N",
        shell_complete=complete_tables,
        help="Compare the networks of this table of the paper, in its order and with its figures"
        " beside ours: 1, 2, 4, 6 to 10, A2 or A3.",
    )
    precisions: str | None = option(
        "--precisions",
        shell_complete=offer_several(complete_precisions),
        metavar="PRECISION,...",
        help="Compare one model in these precisions, with commas, e.g. fp32,fp16,dynamic,int8.",
    )
    data: Path | None = option(
        "--data",
        type=Path,
        metavar="DIR",
        help="Folder of labelled images, to judge each precision's accuracy by.",
    )
    measuring: MeasuringArguments = group(MeasuringArguments)
    calibration: CalibrationArguments = group(CalibrationArguments)
    limits: ThresholdArguments = group(ThresholdArguments)
    as_json: bool = json_flag()

    def table_request(self, table: str) -> tuple[MeasureRequest, TablePlan]:
        """Return the request to measure the networks of a table, and what is in it.

        Raises UsageError for options that do not fit a table.
        """
        from ghostdeploy.commands.measure import choose_format
        from ghostdeploy.commands.tables import request_rows

        measuring = self.measuring
        empty = measuring.empty_request()
        formats = (choose_format(empty.device, empty.params),)

        def make(model: Network) -> ExportRequest:
            return measuring.lowering.request(model, measuring.network, formats, self.calibration)

        plan, models = request_rows(self.table_plan(table), make)
        return replace(empty, models=tuple(models), table=table, names=plan.names), plan

    def table_plan(self, table: str) -> TablePlan:
        """Return which networks are measured. Raises UsageError for options that do not fit it."""
        from ghostdeploy.commands.tables import plan_table

        if self.models is not None:
            raise UsageError("--table names the models; leave --models out")
        network = self.measuring.network
        if network.checkpoint is not None:
            raise UsageError("--weights is for one network, and a table has several")
        return plan_table(table, network.defaults_for(self.measuring.pixels.normalization))

    def precisions_request(self) -> PrecisionsRequest:
        """Return the request to compare one model in several precisions.

        Raises UsageError for a file, and for precisions that are none or do not fit the runtime.
        """
        from ghostdeploy.commands.measure import choose_format
        from ghostdeploy.commands.precisions import PrecisionsRequest, check_precisions
        from ghostdeploy.commands.targets import parse_target
        from ghostdeploy.sources.reference import NetworkReference

        network = self.measuring.network
        names = _split("--precisions", self.precisions or "")
        empty = self.measuring.empty_request()
        check_precisions(empty, names)
        defaults = network.defaults_for(self.measuring.pixels.normalization)
        spec = parse_target(self.models or "ghostnetv2", defaults)
        if isinstance(spec, Path):
            raise UsageError(f"--precisions takes one network, not the file {spec}")
        formats = (choose_format(empty.device, empty.params),)
        models = (
            replace(self.measuring.lowering, precision=name).request(
                spec, network, formats, self.calibration
            )
            for name in names
        )
        called = spec.text if isinstance(spec, NetworkReference) else spec.name
        return PrecisionsRequest(
            spec=spec,
            precisions=names,
            title=f"{called} in {self.precisions}",
            measuring=replace(empty, models=tuple(models)),
            quantize=self.calibration.quantize_options,
            data=self.data,
        )


@command()
@pass_arguments(CompareArguments)
def compare(arguments: CompareArguments) -> None:
    """Measure the paper's Table 1, another of its tables, or other models, side by side.

    Table 1 is GhostNet, GhostNet with self-attention, and GhostNetV2 with DFC attention. The
    models are exported, measured in one session and reported. With --precisions it is one model
    in several number formats: is a smaller one worth it?
    """
    from ghostdeploy.cli.measured import print_latencies, write_instructions
    from ghostdeploy.commands.compare import TABLE_1
    from ghostdeploy.commands.extras import require_packages
    from ghostdeploy.commands.measure import measure

    require_packages("matplotlib", "jinja2")  # for the report, before minutes have gone by
    if arguments.precisions is not None:
        if arguments.table is not None:
            raise UsageError("--precisions is of one model, and --table of several")
        return _compare_precisions(arguments)
    if arguments.limits.thresholds.given:
        raise UsageError("limits are for --precisions: other networks give other answers")
    lacking: tuple[str, ...] = ()
    if arguments.table is not None:
        request, plan = arguments.table_request(arguments.table)
        title, lacking = plan.title, plan.lacking
    else:
        table_1 = "GhostNet, + self-attention, + DFC attention (Table 1)"
        names = TABLE_1 if arguments.models is None else _split("--models", arguments.models)
        title = table_1 if arguments.models is None else "Comparison"
        request = arguments.measuring.request(names, arguments.calibration)
    with progress_line() as progress:
        found = measure(request, progress, progress.tell)
    found = replace(found, skipped=(*lacking, *found.skipped))
    stem = f"compare-{stamp()}"
    if request.device.counts_instructions:
        report = found.report_instructions(title)
        return write_instructions(report, request.records, stem, as_json=arguments.as_json)
    as_json = arguments.as_json
    trace = arguments.measuring.session.trace
    print_latencies(found, title, request.records, stem=stem, trace=trace, as_json=as_json)


def _compare_precisions(arguments: CompareArguments) -> None:
    from ghostdeploy.cli.measured import print_precisions
    from ghostdeploy.commands.precisions import compare_precisions, judge_rows

    limits, request = arguments.limits.checked(arguments.data), arguments.precisions_request()
    with progress_line() as progress:
        rows, report = compare_precisions(request, progress, progress.tell)
    verdicts = judge_rows(rows, limits)
    records, trace = request.measuring.records, arguments.measuring.session.trace
    try:
        print_precisions(rows, report, records, verdicts, trace=trace, as_json=arguments.as_json)
    finally:
        enforce(verdicts)  # known also where no latency counts


def _split(option: str, names: str) -> tuple[str, ...]:
    """Return the names between commas. Raises UsageError where there is none."""
    found = tuple(name.strip() for name in names.split(",") if name.strip())
    if not found:
        raise UsageError(f"{option} {names!r} names nothing; leave it out for the default")
    return found
