"""``ghostdeploy doctor`` and ``completion``."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import asdict, dataclass

import click

from ghostdeploy.cli.options.arguments import command, json_flag, option, pass_arguments
from ghostdeploy.cli.terminal import emit_json, progress_line, show
from ghostdeploy.errors import CheckFailed
from ghostdeploy.version import __version__


@dataclass(frozen=True)
class DoctorArguments:
    """The arguments of ``ghostdeploy doctor``."""

    fetch: bool = option(
        "--fetch-benchmark-model",
        is_flag=True,
        help="Download the benchmark program that TFLite publishes.",
    )
    abi: str = option(
        "--abi",
        default="arm64-v8a",
        show_default=True,
        help="Android's name for the processor of the phone that the program is for.",
    )
    url: str = option(
        "--url", default="", help="Download from here instead of TFLite's nightly builds."
    )
    sha256: str = option(
        "--sha256",
        default="",
        help="The hash that the download must have; without, that of what comes is pinned.",
    )
    setup_qemu: bool = option(
        "--setup-qemu", is_flag=True, help="Set up the emulated Arm core for --device qemu:CORE."
    )
    as_json: bool = json_flag()


@command()
@pass_arguments(DoctorArguments)
def doctor(arguments: DoctorArguments) -> None:
    """Tell what is missing, and the command that mends it."""
    if arguments.fetch:
        return _fetch(arguments)
    if arguments.setup_qemu:
        return _set_up_qemu(as_json=arguments.as_json)
    _examine(as_json=arguments.as_json)


def _fetch(arguments: DoctorArguments) -> None:
    from ghostdeploy.runners.published import fetch_program

    with progress_line() as progress:
        done = fetch_program(arguments.abi, arguments.url, arguments.sha256, progress)
    if arguments.as_json:
        return emit_json(asdict(done))
    click.echo(f"{done.path}{'' if done.fresh else '  (there already)'}")
    click.echo(f"  from {done.url}\n  SHA-256 {done.sha256}, pinned")


def _examine(*, as_json: bool) -> None:
    from ghostdeploy.commands.doctor import examine, is_python_supported
    from ghostdeploy.report.parts.layout import lay_out
    from ghostdeploy.runners.arm.emulator_folder import SETUP_COMMAND, locate_emulator

    checks, emulator = examine(), locate_emulator()
    if as_json:
        folder = str(emulator.folder) if emulator.complete else None
        packages = [asdict(c) for c in checks]
        emit_json({"python_ok": is_python_supported(), "packages": packages, "qemu": folder})
    else:
        version = ".".join(map(str, sys.version_info[:3]))
        note = "" if is_python_supported() else "; 3.10 or 3.11 is needed"
        click.echo(f"ghostdeploy {__version__} on Python {version}{note}")
        lines = [
            (c.extra or "base", c.package, c.wanted, c.installed or "missing", c.mend)
            for c in checks
        ]
        show(lay_out(("extra", "package", "wanted", "installed", "mend with"), lines))
        mend = f"not set up; for --device qemu: run {SETUP_COMMAND}"
        click.echo(f"emulated Arm core: {'ready' if emulator.complete else mend}")
    missing = [c for c in checks if not c.ok]
    if missing or not is_python_supported():
        raise CheckFailed(f"{len(missing)} packages are not as this version of ghostdeploy wants")


def _set_up_qemu(*, as_json: bool) -> None:
    from ghostdeploy.runners.arm.setup import set_up

    with progress_line() as progress:
        place, made = set_up(progress)
    if as_json:
        return emit_json({"folder": str(place.folder), "made": made})
    click.echo(f"the emulated Arm core is {'ready' if made else 'there already'}: {place.folder}")
    click.echo("try: ghostdeploy bench ghostnetv1 ghostnetv2 --device qemu:cortex-a76")


@command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes commands in a shell.

    For example: eval "$(ghostdeploy completion bash)".
    """
    from click.shell_completion import get_completion_class

    from ghostdeploy.cli.completion_script import register_bash

    register_bash()
    make = get_completion_class(shell)
    assert make is not None
    with suppress(RuntimeError):  # click asks bash for its version, if there is bash
        click.echo(
            make(context.find_root().command, {}, "ghostdeploy", "_GHOSTDEPLOY_COMPLETE").source()
        )
