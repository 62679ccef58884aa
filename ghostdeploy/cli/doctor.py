"""``ghostdeploy doctor`` and ``completion``."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import asdict

import click

from ghostdeploy import __version__
from ghostdeploy.cli.terminal import JSON_HELP, emit_json, with_progress
from ghostdeploy.errors import CheckFailed


@click.command()
@click.option(
    "--fetch-benchmark-model", "fetch", is_flag=True, help="Download TFLite's published program."
)
@click.option("--abi", default="arm64-v8a", show_default=True, help="Of the phone it is for.")
@click.option("--url", default="", help="Where from, instead of TFLite's nightly builds.")
@click.option("--sha256", default="", help="What it must be; else what comes is pinned.")
@click.option(
    "--setup-qemu", is_flag=True, help="Make the emulated Arm core for --device qemu:CORE."
)
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def doctor(fetch: bool, abi: str, url: str, sha256: str, setup_qemu: bool, as_json: bool) -> None:
    """What is installed, what is missing, and the command that mends it."""
    if fetch:
        return _fetch(abi, url, sha256, as_json=as_json)
    if setup_qemu:
        return _set_up_qemu(as_json)
    _examine(as_json=as_json)


def _fetch(abi: str, url: str, sha256: str, *, as_json: bool) -> None:
    from ghostdeploy.runners.published import fetch_program

    done = with_progress(lambda p: fetch_program(abi, url, sha256, p))
    if as_json:
        return emit_json(asdict(done))
    click.echo(f"{done.path}{'' if done.fresh else '  (there already)'}")
    click.echo(f"  from {done.url}\n  SHA-256 {done.sha256}, pinned")


def _examine(*, as_json: bool) -> None:
    from ghostdeploy.commands.doctor import examine, python_ok
    from ghostdeploy.report.parts.columns import align_columns
    from ghostdeploy.runners.arm.emulator_folder import SETUP_COMMAND, locate_emulator

    checks, emulator = examine(), locate_emulator()
    if as_json:
        folder = str(emulator.folder) if emulator.complete else None
        packages = [asdict(c) for c in checks]
        emit_json({"python_ok": python_ok(), "packages": packages, "qemu": folder})
    else:
        version = ".".join(map(str, sys.version_info[:3]))
        note = "" if python_ok() else "; 3.10 or 3.11 is needed"
        click.echo(f"ghostdeploy {__version__} on Python {version}{note}")
        lines = [
            (c.extra or "base", c.package, c.wanted, c.installed or "missing", c.mend)
            for c in checks
        ]
        for line in align_columns(("extra", "package", "wanted", "installed", "mend with"), lines):
            click.echo(line)
        mend = f"not set up; for --device qemu: run {SETUP_COMMAND}"
        click.echo(f"emulated Arm core: {'ready' if emulator.complete else mend}")
    missing = [c for c in checks if not c.ok]
    if missing or not python_ok():
        raise CheckFailed(f"{len(missing)} packages are not as this version of ghostdeploy wants")


def _set_up_qemu(as_json: bool) -> None:
    from ghostdeploy.runners.arm.setup import set_up

    place, made = with_progress(set_up)
    if as_json:
        return emit_json({"folder": str(place.folder), "made": made})
    click.echo(f"the emulated Arm core is {'ready' if made else 'there already'}: {place.folder}")
    click.echo("try: ghostdeploy bench ghostnetv1 ghostnetv2 --device qemu:cortex-a76")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script, e.g. eval "$(ghostdeploy completion bash)"."""
    from click.shell_completion import get_completion_class

    make = get_completion_class(shell)
    assert make is not None
    with suppress(RuntimeError):  # click asks bash for its version, which need not be here
        click.echo(
            make(context.find_root().command, {}, "ghostdeploy", "_GHOSTDEPLOY_COMPLETE").source()
        )
