"""Every command. The only place that prints or exits; the work is in ``commands``."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from ghostdeploy import __version__
from ghostdeploy.errors import CheckFailed, GhostdeployError, UsageError
from ghostdeploy.types import BenchParams, ExportOptions

if TYPE_CHECKING:
    from ghostdeploy.commands.export import ExportRequest
    from ghostdeploy.commands.targets import SpecDefaults
    from ghostdeploy.types import Comparison, ModelSpec

F = TypeVar("F", bound=Callable[..., Any])
BUG, INTERRUPTED, TERMINATED = 4, 130, 143
JSON_HELP = "Print the result as JSON, for machines."


# --- the frame: progress, output, errors ---------------------------------------------------


class Progress:
    """A line that is rewritten on a terminal; plain lines, one a step, in a log."""

    def __init__(self) -> None:
        # A copy of standard error: what libraries write there is captured meanwhile.
        self._out = os.fdopen(_copy_of(2), "w", buffering=1, errors="replace")
        self._live = self._out.isatty()
        self._start = time.monotonic()
        self._last = ""

    def __call__(self, done: int, total: int, text: str) -> None:
        elapsed = time.monotonic() - self._start
        line = f"[{done}/{total}] {text}"
        if self._live:
            width = max(20, os.get_terminal_size(self._out.fileno()).columns - 8)
            self._out.write(f"\r\x1b[K{line[:width]} {elapsed:.0f}s")
        elif line != self._last:
            self._out.write(f"{line}\n")
        self._last = line

    def close(self) -> None:
        if self._live and self._last:
            self._out.write("\r\x1b[K")
        self._out.close()


def _copy_of(descriptor: int) -> int:
    try:
        return os.dup(descriptor)
    except OSError:  # closed by the caller, as in 2>&-
        return os.open(os.devnull, os.O_WRONLY)


def emit_json(value: object) -> None:
    """One JSON document on standard output; null for infinity and NaN, which JSON has not."""
    click.echo(json.dumps(_plain(value), indent=2, allow_nan=False))


def _plain(value: Any) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, type(None))) else str(value)


def main() -> NoReturn:
    """The console script: every outcome becomes an exit code, none a traceback."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        code = cli.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        click.echo(f"error: {_one_line(error)}", err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)  # click has ended the terminal's line of ^C
        sys.exit(INTERRUPTED)
    except GhostdeployError as error:
        click.echo(f"error: {error}", err=True)
        if error.log:
            click.echo(f"log: {error.log}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        sys.exit(_report_bug(error))


def _terminated(number: int, frame: object) -> NoReturn:
    """Ends like an interruption: what was started is ended, and temporary files go."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(TERMINATED)


def _one_line(error: click.ClickException) -> str:
    """click's own message on a wrong option or argument, and where to look."""
    message = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    return f"{message} (see {context.command_path} --help)" if context else message


def _report_bug(error: Exception) -> int:
    handle, name = tempfile.mkstemp(prefix="ghostdeploy-bug-", suffix=".log")
    with os.fdopen(handle, "w") as log:
        log.write(f"ghostdeploy {__version__}, Python {sys.version}\n{' '.join(sys.argv)}\n\n")
        log.write(traceback.format_exc())
        if isinstance(output := getattr(error, "log", None), Path):
            log.write(f"\n{output.read_text(errors='replace')}")
            output.unlink()
    brief = f"{type(error).__name__}: {error}".split("\n", 1)[0][:200]
    click.echo(f"error: this is a bug in ghostdeploy: {brief}\nlog: {name}", err=True)
    return BUG


# --- options that several commands share -----------------------------------------------------


def model_options(command: F) -> F:
    """Which network: ``--width`` … ``--seed``."""
    for option in (
        click.option("--seed", default=0, show_default=True, help="Of the seeded weights."),
        click.option("--weights", type=Path, help="A checkpoint: .pth, .pth.tar or .safetensors."),
        click.option("--num-classes", default=1000, show_default=True),
        click.option(
            "--set",
            "changes",
            multiple=True,
            metavar="NAME=VALUE",
            help="Change an option of the variant, e.g. kernel=9,7,5 or scale_where=after.",
        ),
        click.option("--variant", default="official", show_default=True, help="Or paper."),
        click.option("--resolution", default="224", show_default=True, help="Or HEIGHTxWIDTH."),
        click.option("--width", default=1.0, show_default=True, help="Channel multiplier."),
    ):
        command = option(command)
    return command


def export_options(command: F) -> F:
    """How it is exported, for every command that exports."""
    for option in (
        click.option("--force", is_flag=True, help="Export again what is there already."),
        click.option(
            "--out",
            type=Path,
            default=Path("models"),
            show_default=True,
            help="Folder of the model files.",
        ),
        click.option("--precision", default="fp32", show_default=True, help="fp32 or fp16."),
    ):
        command = option(command)
    return command


def bench_options(command: F) -> F:
    """How it is measured."""
    for option in (
        click.option(
            "--records",
            type=Path,
            default=Path("reports"),
            show_default=True,
            help="Folder of the records and reports.",
        ),
        click.option(
            "--max-disturbance",
            default=0.25,
            show_default=True,
            help="Share of its cores' time that others may take in a launch that counts.",
        ),
        click.option("--timeout", default=300.0, show_default=True, help="Seconds for one launch."),
        click.option(
            "--benchmark-model", default="", metavar="PATH", help="TFLite's own benchmark program."
        ),
        click.option("--xnnpack/--no-xnnpack", default=True, show_default=True),
        click.option(
            "--runtime",
            default="litert",
            show_default=True,
            help="litert, tflite-runtime or onnxruntime.",
        ),
        click.option("--cpus", default="", help="Cores to run on, e.g. 3 or 2,3; ours by default."),
        click.option("--warmup", default=10, show_default=True, help="Runs before the timed ones."),
        click.option("--runs", default=50, show_default=True, help="Timed runs of a launch."),
        click.option("--launches", default=10, show_default=True, help="Processes a model."),
        click.option("--threads", default=1, show_default=True),
        click.option("--device", default="local", show_default=True),
    ):
        command = option(command)
    return command


def _defaults(o: dict[str, Any]) -> SpecDefaults:
    from ghostdeploy import zoo
    from ghostdeploy.commands.targets import SpecDefaults, parse_resolution

    return SpecDefaults(
        width=o["width"],
        resolution=parse_resolution(o["resolution"]),
        variant=o["variant"],
        changes=dict(zoo.parse_change(text) for text in o["changes"]),
        num_classes=o["num_classes"],
    )


def _request(
    o: dict[str, Any],
    spec: ModelSpec,
    formats: tuple[str, ...],
    export: ExportOptions | None = None,
) -> ExportRequest:
    from ghostdeploy.commands.export import ExportRequest

    return ExportRequest(
        spec=spec,
        formats=formats,
        precision=o["precision"],
        weights=o["weights"],
        seed=o["seed"],
        export=export or ExportOptions(),
        out=o["out"],
        force=o["force"],
    )


def _bench_params(o: dict[str, Any]) -> BenchParams:
    try:
        cpus = tuple(int(c) for c in o["cpus"].split(",")) if o["cpus"] else ()
    except ValueError as error:
        raise UsageError(f"--cpus takes core numbers such as 2,3, not {o['cpus']!r}") from error
    return BenchParams(
        threads=o["threads"],
        runs=o["runs"],
        warmup=o["warmup"],
        launches=o["launches"],
        runtime="benchmark_model" if o["benchmark_model"] else o["runtime"],
        xnnpack=o["xnnpack"],
        cpus=cpus,
        benchmark_model=o["benchmark_model"],
        timeout_s=o["timeout"],
        max_disturbance=o["max_disturbance"],
    )


# --- the commands --------------------------------------------------------------------------


class _Commands(click.Group):
    """Ends in peace when the reader, head or less, has seen enough; click's own way is exit 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            return 0


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="ghostdeploy")
def cli() -> None:
    """Export GhostNetV2 to ONNX and TFLite, proven equal, and measure its latency.

    MODEL is ARCH[:VARIANT][@WIDTH], e.g. ghostnetv2, ghostnetv2:paper or ghostnetv1@1.1; see
    `ghostdeploy models`. FILE is a .onnx or .tflite file.

    Exit codes: 0 fine, 1 the check said no, 2 usage, 3 could not measure or convert, 4 a bug,
    130 interrupted.
    """


@cli.command()
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def models(as_json: bool) -> None:
    """The zoo: parameters, MACs, and the paper's accuracy and latency."""
    from ghostdeploy.commands.models import list_models
    from ghostdeploy.report.columns import aligned

    rows = list_models()
    if as_json:
        return emit_json([asdict(row) for row in rows])

    def number(value: float | None, digits: int = 1) -> str:
        return "–" if value is None else f"{value:.{digits}f}"

    lines = [
        (
            row.name,
            f"{row.params / 1e6:.2f}",
            f"{row.macs / 1e6:.1f}",
            number(row.paper.top1),
            number(row.paper.latency_ms),
            row.paper.source,
        )
        for row in rows
    ]
    header = ("model", "params M", "MACs M", "paper top-1 %", "paper P30 ms", "source")
    for line in aligned(header, lines):
        click.echo(line)
    click.echo("\nThe paper's figures: its trained weights, its phone (Kirin 980 CPU, TFLite).")


@cli.command()
@click.argument("model", default="ghostnetv2")
@model_options
@click.option("--format", "format_", default="all", show_default=True, help="onnx, tflite or all.")
@export_options
@click.option("--embed-preprocessing", is_flag=True, help="The model takes RGB of 0 to 255.")
@click.option("--softmax", is_flag=True, help="Probabilities instead of logits.")
@click.option("--features", is_flag=True, help="Feature maps at strides 4 to 32, not logits.")
@click.option("--labels", type=Path, help="Class names, one a line, for the TFLite metadata.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def export(model: str, format_: str, labels: Path | None, as_json: bool, **o: Any) -> None:
    """Build MODEL, lower it, prove it equal to the torch network, write it."""
    from ghostdeploy.commands import export as command
    from ghostdeploy.commands.targets import parse_target

    spec = parse_target(model, _defaults(o))
    if isinstance(spec, Path):
        raise UsageError(f"export takes a model of the zoo, not the file {spec}")
    options = ExportOptions(
        embed_preprocessing=o["embed_preprocessing"],
        softmax=o["softmax"],
        features=o["features"],
        labels=command.read_labels(labels) if labels else (),
    )
    formats = command.FORMATS if format_ == "all" else (format_,)
    results = with_progress(lambda p: command.export(_request(o, spec, formats, options), p))
    if as_json:
        return emit_json([asdict(r.artifact) | {"reused": r.reused} for r in results])
    if o["weights"] is None:
        click.echo(f"seeded random weights (seed {o['seed']}); give trained ones with --weights")
    for result in results:
        _describe_export(result.artifact, result.reused)


def _describe_export(artifact: Any, reused: bool) -> None:
    proof = artifact.parity[0]
    size = artifact.size_bytes / 1e6
    click.echo(f"{artifact.path}  {size:.2f} MB{'  (there already)' if reused else ''}")
    top1 = "" if proof.top1_agreement is None else f", top-1 agrees {proof.top1_agreement:.0%}"
    click.echo(
        f"  equal to torch in {proof.runtime}: relative L2 {proof.rel_l2:.1e} over"
        f" {proof.inputs} inputs (tolerance {proof.tolerance_rel_l2:.0e}){top1};"
        f" {proof.layers} inner tensors, worst {proof.worst_layer_rel_l2:.1e}"
    )
    if artifact.rewrites:
        click.echo(f"  mended: {', '.join(artifact.rewrites)}")


T = TypeVar("T")


def with_progress(work: Callable[[Progress], T]) -> T:
    """Run ``work`` with a progress line that is gone afterwards, whatever happened."""
    progress = Progress()
    try:
        return work(progress)
    finally:
        progress.close()


@cli.command()
@click.argument("file", type=Path)
@click.option("--model", help="Which network FILE is, where it does not say so itself.")
@model_options
@click.option("--precision", default="fp32", show_default=True, help="With --model.")
@click.option("--layers", is_flag=True, help="Every inner tensor's difference.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def verify(
    file: Path, model: str | None, layers: bool, as_json: bool, precision: str, **o: Any
) -> None:
    """Compare FILE with its torch network again, layer by layer."""
    from ghostdeploy.commands import verify as command
    from ghostdeploy.commands.export import check_precision, verdict, weights_id
    from ghostdeploy.commands.targets import parse_target

    origin = None
    if model:
        spec = parse_target(model, _defaults(o))
        if isinstance(spec, Path):
            raise UsageError("--model takes a model of the zoo, not a file")
        check_precision(precision)
        origin = command.Origin(
            spec, ExportOptions(), precision, weights_id(o["weights"], o["seed"])
        )
    found = command.verify(file, origin=origin, weights=o["weights"])
    if as_json:
        emit_json({"parity": asdict(found.parity), "layers": found.layers})
    else:
        if layers:
            for name, error in found.layers.items():
                mark = " " if error <= found.parity.tolerance_layer_rel_l2 else "✗"
                click.echo(f"{mark} {error:8.1e}  {name}")
        text = f"{file}: {verdict(found.parity, found.layers)}"
        if found.parity.passed:
            click.echo(text)
    if not found.parity.passed:
        raise CheckFailed(f"{file}: {verdict(found.parity, found.layers)}")


@cli.command()
@click.argument("files", type=Path, nargs=-1, required=True)
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option("--verbose", is_flag=True, help="List every finding, not one line a kind.")
@click.option("--budget", type=float, metavar="MB", help="For weights and live activations.")
@click.option("--measure/--no-measure", default=True, help="Ask LiteRT for the partitions.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "sarif", "junit", "html"]),
    default="table",
    show_default=True,
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--html", is_flag=True, help="Draw the graphs by partition into lint.html.")
@click.option("--out", type=Path, help="Write there instead of printing.")
@click.option("--diff", is_flag=True, help="What changed from the first FILE to the second.")
@click.option("--explain", is_flag=True, help="What --fix would change, and why.")
@click.option("--fix", is_flag=True, help="Apply the rewrites that keep the function.")
def lint(files: tuple[Path, ...], **o: Any) -> None:
    """What in each model FILE a phone will dislike, and the module it came from."""
    from ghostdeploy.commands import lint as command

    if o["explain"] or o["fix"]:
        return _fix(files, o)
    format_ = "json" if o["as_json"] else "html" if o["html"] else o["format_"]
    out = o["out"] or (Path("lint.html") if format_ == "html" else None)
    linted = command.lint_files(files, budget_mb=o["budget"], measure=o["measure"])
    if o["diff"]:
        return _print_or_write(command.diff_text(linted, format_), out)
    text = command.render(linted, format_, strict=o["strict"], verbose=o["verbose"])
    _print_or_write(text, out)
    bad = command.failing(linted, strict=o["strict"])
    if bad:
        raise CheckFailed(f"{bad} finding{'s' if bad > 1 else ''} that must not be")


def _print_or_write(text: str, out: Path | None) -> None:
    from ghostdeploy.records import write_atomic

    if out is None:
        return click.echo(text.rstrip("\n"))
    write_atomic(out, text)
    click.echo(f"wrote {out}")


def _fix(files: Sequence[Path], o: dict[str, Any]) -> None:
    from ghostdeploy.commands import fix as command

    if o["out"] and len(files) > 1:
        raise UsageError("--out takes the result of one FILE; there are several")
    for file in files:
        done = (
            command.Fixed(None, command.explain(file))
            if o["explain"]
            else command.fix(file, o["out"])
        )
        if not done.fixes:
            click.echo(f"{file}: nothing to rewrite")
            continue
        click.echo(f"{file}: {'would be' if o['explain'] else ''} rewritten".replace(":  ", ": "))
        for fix in done.fixes:
            click.echo(f"  {fix.name} ×{fix.count}: {fix.why}")
        if done.path:
            click.echo(f"wrote {done.path} (outputs differ by a relative L2 of {done.rel_l2:.1e})")


@cli.command()
@click.argument("targets", metavar="[MODEL|FILE]...", nargs=-1)
@model_options
@export_options
@bench_options
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def bench(targets: tuple[str, ...], as_json: bool, **o: Any) -> None:
    """Measure the latency of one or more models, interleaved in one session."""
    from ghostdeploy.report.table import render_text

    report, paths = _measure(targets or ("ghostnetv2",), o, "Latency")
    if as_json:
        return emit_json(_summary(report.comparisons, paths))
    click.echo(render_text(report))
    click.echo(f"records: {o['records']}")


@cli.command()
@click.option(
    "--models",
    "targets",
    default="",
    help="Models or files, with commas; the first is the ratio's base. Table 1 by default.",
)
@model_options
@export_options
@bench_options
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def compare(targets: str, as_json: bool, **o: Any) -> None:
    """The paper's Table 1: GhostNet, + self-attention, + DFC; export, measure, report."""
    from ghostdeploy.commands.compare import NOTES, TABLE_1
    from ghostdeploy.report.table import render_text

    names = tuple(t.strip() for t in targets.split(",") if t.strip()) or TABLE_1
    title = "Comparison" if targets else "GhostNet, + self-attention, + DFC attention (Table 1)"
    report, _ = _measure(names, o, title, NOTES)
    written = _write(report, o["records"], f"compare-{_stamp()}")
    if as_json:
        return emit_json(_summary(report.comparisons, written))
    click.echo(render_text(report))
    click.echo("\n".join(f"wrote {path}" for path in written))


@cli.command()
@click.argument("records", type=Path, nargs=-1, required=True)
@click.option("--title", default="Latency", show_default=True)
@click.option("--out", type=Path, default=Path("reports"), show_default=True)
@click.option("--name", default="", help="Of the files, without ending; the date by default.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def report(records: tuple[Path, ...], title: str, out: Path, name: str, as_json: bool) -> None:
    """Make the report anew from RECORDS; the first is the ratio's base."""
    from ghostdeploy.commands.compare import NOTES, comparisons
    from ghostdeploy.records import read_record
    from ghostdeploy.report import Report

    rows = comparisons([read_record(path) for path in records])
    written = _write(Report(title, tuple(rows), NOTES), out, name or f"report-{_stamp()}")
    if as_json:
        return emit_json(_summary(rows, written))
    click.echo("\n".join(f"wrote {path}" for path in written))


def _measure(
    names: Sequence[str], o: dict[str, Any], title: str, notes: tuple[str, ...] = ()
) -> tuple[Any, list[Path]]:
    from ghostdeploy.commands import compare as command
    from ghostdeploy.commands.targets import parse_target
    from ghostdeploy.report import Report
    from ghostdeploy.runners import open_runner

    params, defaults = _bench_params(o), _defaults(o)
    targets = [parse_target(name, defaults) for name in names]
    format_ = "onnx" if params.runtime == "onnxruntime" else "tflite"
    runner = open_runner(o["device"], params)  # first: a wrong device is known at once
    try:
        subjects = with_progress(
            lambda p: command.prepare(targets, lambda spec: _request(o, spec, (format_,)), p)
        )
        found = with_progress(lambda p: command.measure(subjects, runner, params, o["records"], p))
    finally:
        runner.close()
    rows = command.comparisons(found, [s.title for s in subjects])
    return Report(title, tuple(rows), notes), []


def _write(report: Any, out: Path, stem: str) -> list[Path]:
    from ghostdeploy.quiet import captured
    from ghostdeploy.report import write_report

    with captured():
        return write_report(report, out, stem)


def _stamp() -> str:
    return datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")


def _summary(rows: Sequence[Comparison], written: Sequence[Path]) -> dict[str, object]:
    return {
        "files": [str(path) for path in written],
        "models": [
            {
                "title": row.title,
                "file": row.record.artifact.path,
                "latency_ms": asdict(row.latency_ms),
                "ratio": asdict(row.ratio) if row.ratio else None,
                "noise": row.noise,
                "advice": row.advice,
                "valid_launches": len(row.record.valid_launches),
                "paper": {
                    "latency_ms": row.paper_latency_ms,
                    "ratio": row.paper_ratio,
                    "source": row.paper_source,
                },
                "evidence": asdict(row.record.evidence),
                "device": asdict(row.record.device),
            }
            for row in rows
        ],
    }


@cli.command()
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def doctor(as_json: bool) -> None:
    """What is installed, what is missing, and the command that mends it."""
    from ghostdeploy.commands.doctor import examine, python_ok
    from ghostdeploy.report.columns import aligned

    checks = examine()
    if as_json:
        emit_json({"python_ok": python_ok(), "packages": [asdict(c) for c in checks]})
    else:
        version = ".".join(map(str, sys.version_info[:3]))
        note = "" if python_ok() else "; 3.10 or 3.11 is needed"
        click.echo(f"ghostdeploy {__version__} on Python {version}{note}")
        lines = [
            (c.extra or "base", c.package, c.wanted, c.installed or "missing", c.mend)
            for c in checks
        ]
        for line in aligned(("extra", "package", "wanted", "installed", "mend with"), lines):
            click.echo(line)
    missing = [c for c in checks if not c.ok]
    if missing or not python_ok():
        raise CheckFailed(f"{len(missing)} packages are not as this version of ghostdeploy wants")


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script, e.g. eval "$(ghostdeploy completion bash)"."""
    from click.shell_completion import get_completion_class

    make = get_completion_class(shell)
    assert make is not None
    with suppress(RuntimeError):  # click asks bash for its version, which need not be here
        click.echo(make(cli, {}, "ghostdeploy", "_GHOSTDEPLOY_COMPLETE").source())
