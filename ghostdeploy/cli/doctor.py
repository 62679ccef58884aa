"""``ghostdeploy doctor`` and ``completion``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from ghostdeploy.cli.options.arguments import command, json_flag, option, pass_arguments
from ghostdeploy.cli.terminal import emit_json, progress_line, show
from ghostdeploy.errors import CheckFailed
from ghostdeploy.version import __version__

if TYPE_CHECKING:
    from ghostdeploy.commands.doctor import ExtraCheck, PhoneAccess

SETUP_COMMAND = "ghostdeploy doctor --setup-qemu"
ATTACH = "turn on USB debugging, plug the phone in and accept its prompt"


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
    """Print one screen of what there is, what lacks, and what to do. Raises CheckFailed."""
    from ghostdeploy.commands.doctor import examine, is_python_supported, look_for_phones
    from ghostdeploy.report.parts.layout import hang, safe
    from ghostdeploy.runners.arm.emulator_folder import locate_emulator
    from ghostdeploy.runners.published import list_fetched

    extras, access = examine(), look_for_phones()
    fetched, emulator = list_fetched(), locate_emulator()
    folder = str(emulator.folder) if emulator.complete else None
    if as_json:
        emit_json(_plain(extras, access) | {"benchmark_model": fetched, "qemu": folder})
    else:
        rows = [*_package_rows(extras), *_phone_rows(access), _program_row(fetched)]
        rows.append(("emulated core", folder or f"not set up; run: {SETUP_COMMAND}"))
        click.echo(f"ghostdeploy {__version__}")
        show(*(hang(f"{name:16} ", safe(text)) for name, text in rows))
        click.echo(f"\n{_next_step(extras, access)}")
    wanting = [one.extra or "ghostdeploy itself" for one in extras if one.missing]
    if not is_python_supported():
        raise CheckFailed("this Python is not one that ghostdeploy runs on")
    if wanting:
        raise CheckFailed(f"not complete: {', '.join(wanting)}")


def _plain(extras: Sequence[ExtraCheck], access: PhoneAccess) -> dict[str, object]:
    from ghostdeploy.commands.doctor import is_python_supported

    return {
        "python_ok": is_python_supported(),
        "packages": [asdict(check) for one in extras for check in one.packages],
        "extras": [
            {
                "extra": one.extra,
                "missing": [check.package for check in one.missing],
                "untested": [check.package for check in one.packages if check.untested],
                "mend": one.mend,
            }
            for one in extras
        ],
        "adb": asdict(access),
    }


def _package_rows(extras: Sequence[ExtraCheck]) -> Iterator[tuple[str, str]]:
    from ghostdeploy.commands.doctor import EXTRAS, is_python_supported, list_untested

    version = ".".join(map(str, sys.version_info[:3]))
    yield "Python", version if is_python_supported() else f"{version}; 3.10 to 3.13 is needed"
    for one in extras:
        purpose = EXTRAS.get(one.extra, "the command itself")
        lacking = ", ".join(check.package for check in one.missing)
        what = f"lacks {lacking}" if len(one.missing) < len(one.packages) else "not installed"
        state = f"{what}; run: {one.mend}" if one.missing else "complete"
        yield f"[{one.extra}]" if one.extra else "base", f"{purpose}: {state}"
    newer = list_untested(extras)
    if newer:
        yield "note", f"newer than tested: {', '.join(check.told for check in newer)}"


def _phone_rows(access: PhoneAccess) -> Iterator[tuple[str, str]]:
    from ghostdeploy.report.parts.clean_text import clean

    if not access.adb:
        yield "adb program", clean(access.problem, 300)
        return
    yield "adb program", clean(access.adb, 200)
    found = ", ".join(f"{clean(name, 80)} ({clean(state, 40)})" for name, state in access.phones)
    yield "phones", clean(access.problem, 300) or found or f"none attached; {ATTACH}"


def _program_row(fetched: Sequence[str]) -> tuple[str, str]:
    missing = "none fetched; for a phone run: ghostdeploy doctor --fetch-benchmark-model"
    return "benchmark_model", ", ".join(fetched) or missing


def _next_step(extras: Sequence[ExtraCheck], access: PhoneAccess) -> str:
    wanting = ",".join(one.extra for one in extras if one.missing and one.extra)
    if wanting:
        return f"For all of it: pip install 'ghostdeploy[{wanting}]'"
    where = " --device adb" if any(state == "device" for _, state in access.phones) else ""
    return f"Try: ghostdeploy compare{where}"


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
