"""The command line: the group of every command, and what becomes of errors."""

from __future__ import annotations

import io
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import NoReturn

import click

from ghostdeploy.cli.bench import bench, compare
from ghostdeploy.cli.devices import devices
from ghostdeploy.cli.doctor import completion, doctor
from ghostdeploy.cli.eval import evaluate
from ghostdeploy.cli.export import export
from ghostdeploy.cli.gate import gate
from ghostdeploy.cli.lint import lint
from ghostdeploy.cli.models import models
from ghostdeploy.cli.options.help import HeadedGroup, color_option, write_sections
from ghostdeploy.cli.quantize import quantize
from ghostdeploy.cli.report import report
from ghostdeploy.cli.streams import ReaderGone, guard_streams
from ghostdeploy.cli.terminal import show_error
from ghostdeploy.cli.verify import verify
from ghostdeploy.errors import GhostdeployError, OutputError, error_line
from ghostdeploy.version import __version__

# What the help shows them below, in the order of a user's way.
GROUPS: dict[str, tuple[click.Command, ...]] = {
    "Make a model file": (models, export, quantize),
    "Check it": (verify, lint, evaluate),
    "Measure it": (bench, compare, gate, report),
    "This machine and phones": (devices, doctor, completion),
}
COMMANDS = tuple(command for group in GROUPS.values() for command in group)
BUG, ENVIRONMENT, INTERRUPTED = 4, 3, 130


def main() -> NoReturn:
    """Run the console script: every outcome becomes an exit code, none a traceback.

    1 is CheckFailed's alone.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _end_quietly)
    try:
        with guard_streams():
            _prepare_output()
            code = _run()
    except ReaderGone:
        code = 0
    except OutputError as error:
        code = _tell_error(error)
    sys.exit(code)


def _run() -> int:
    try:
        code = cli.main(standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        show_error("error", _one_line(error))
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)  # click has ended the terminal's line of ^C
        _forget_interruption()
        return INTERRUPTED
    except GhostdeployError as error:
        return _tell_error(error)
    except ReaderGone:
        raise
    except (OSError, MemoryError) as error:
        return _report_environment(error)
    except ModuleNotFoundError as error:
        return _report_missing(error)
    except Exception as error:
        return _report_bug(error)


def _tell_error(error: GhostdeployError) -> int:
    show_error("error", str(error))
    if error.log:
        click.echo(f"log: {error.log}", err=True)
    return error.exit_code


def _prepare_output() -> None:
    """Print what a terminal's encoding lacks as a question mark, and complete bash our way."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if "_GHOSTDEPLOY_COMPLETE" in os.environ:
        from ghostdeploy.cli.completion_script import register_bash

        register_bash()


def _forget_interruption() -> None:
    """Let Python exit with a code also where C code ran the Python code that Ctrl-C hit.

    CPython remembers a KeyboardInterrupt that left such code (torch's import runs some), and would
    let ``python -m`` die of SIGINT although it was caught; running more of it makes it forget.
    """
    import ctypes

    ctypes.pythonapi.PyRun_SimpleString(b"")


def _end_quietly(number: int, frame: object) -> NoReturn:
    """End as after an interruption: what was started is ended, and temporary files go."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def _one_line(error: click.ClickException) -> str:
    """Return click's own message on a wrong option or argument, and where to look."""
    message = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    return f"{message} (see {context.command_path} --help)" if context else message


def _report_environment(error: OSError | MemoryError) -> int:
    """Tell what the machine refused, in one line: a full disk is no bug of ours."""
    if isinstance(error, MemoryError):
        said = "this machine is out of memory"
    elif str(error.strerror).startswith("No usable temporary directory"):
        said = "there is no usable temporary folder: free some space, or name one in $TMPDIR"
    else:
        where = f"{error.filename}: " if error.filename is not None else ""
        said = f"{where}{error.strerror or type(error).__name__}"
    show_error("error", error_line(said, 300))
    return ENVIRONMENT


def _report_missing(error: ModuleNotFoundError) -> int:
    """Name the extra that brings what was not found; any other module is a bug."""
    from ghostdeploy.commands.extras import PACKAGES, missing_extra

    module = (error.name or "").partition(".")[0]
    if module not in PACKAGES:
        return _report_bug(error)
    missing = missing_extra(module)
    show_error("error", str(missing))
    return missing.exit_code


def _report_bug(error: Exception) -> int:
    """Tell of a bug in one line, and keep the rest in a log where there is a place for one."""
    brief = error_line(f"{type(error).__name__}: {error}", 200)
    show_error("error", f"this is a bug in ghostdeploy: {brief}")
    try:
        click.echo(f"log: {_write_log(error)}", err=True)
    except OSError as reason:
        click.echo(f"log: none, {error_line(reason.strerror or reason)}", err=True)
    return BUG


def _write_log(error: Exception) -> str:
    """Write a traceback, and what libraries printed before. Raises OSError."""
    handle, name = tempfile.mkstemp(prefix="ghostdeploy-bug-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as log:
        log.write(f"ghostdeploy {__version__}, Python {sys.version}\n{' '.join(sys.argv)}\n\n")
        log.write("".join(traceback.format_exception(error)))
        if isinstance(output := getattr(error, "log", None), Path):
            log.write(f"\n{output.read_text(errors='replace')}")
            output.unlink()
    return name


class _Commands(HeadedGroup):
    """The group of every command, with headings of its own in the help.

    It leaves broken pipes to ``main``: click ends with 1, as a check that said no.
    """

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each of GROUPS."""
        room = formatter.width - 4 - max(len(str(command.name)) for command in COMMANDS)
        sections = {
            heading: [(str(c.name), c.get_short_help_str(room)) for c in commands]
            for heading, commands in GROUPS.items()
        }
        write_sections(formatter, sections)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. Raises OutputError where a program that it wrote to has ended."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise OutputError("a program that was written to has ended: broken pipe") from error


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(__version__, prog_name="ghostdeploy")
@color_option()
def cli() -> None:
    """Export GhostNetV2 to ONNX and TFLite, proven equal, and measure its latency.

    MODEL is ARCH[:VARIANT][@WIDTH], e.g. ghostnetv2, ghostnetv2:paper or ghostnetv1@1.1; see
    `ghostdeploy models`. FILE is a .onnx or .tflite file.

    Exit codes: 0 fine, 1 the check said no, 2 usage, 3 could not measure or convert, 4 a bug,
    130 interrupted.
    """


for command in COMMANDS:
    cli.add_command(command)
