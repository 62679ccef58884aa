"""Change settings of a phone for a measurement, and put them back when it is over.

Before anything is changed, the commands that undo it are written into a file on the phone,
``restore-NAME.sh``. Leaving the context, by Ctrl-C or an exception too, runs and removes that
file; after a crash or an unplug it is still there, and ``restore_leftovers`` runs it. Hold the
phone's lock meanwhile: the files of another run that is alive look the same.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from android_bench.device.shell import Shell, run_sections
from android_bench.device.values import parse_wakefulness
from android_bench.errors import AndroidBenchError

TIMEOUT_S = 60.0
_STAY_ON = "stay_on_while_plugged_in"  # Settings.Global: a mask of chargers, 7 for the usual three
_WAKE_UP, _SLEEP = 224, 223  # KeyEvent.KEYCODE_*
_RUN_AND_REMOVE = '{ sh "$f" >/dev/null 2>&1 && rm -f "$f"; }'


@dataclass(frozen=True)
class Setting:
    """A setting took effect or not; ``detail`` says why not."""

    name: str
    took_effect: bool
    detail: str = ""


def _ignore(problem: str) -> None:
    pass


@contextmanager
def keep_screen_on(
    shell: Shell, directory: str, on_problem: Callable[[str], None] = _ignore
) -> Iterator[Setting]:
    """Wake the screen, dismiss a keyguard that has no secret, and keep it on while plugged in.

    ``directory`` is ours, on the phone. ``on_problem`` is told, in one line, if the old state could
    not be restored. Raises what ``shell`` raises when it cannot be reached at the start.
    """
    name = "screen"
    if not _restore_file(shell, directory, name):
        yield _cannot_undo(name)
        return
    now = run_sections(
        shell,
        {
            "stay_on": f"settings get global {_STAY_ON}",
            "power": "dumpsys power | grep mWakefulness= | head -n 5",
        },
        TIMEOUT_S,
    )
    undo = _undo_screen(now.get("stay_on", b""), parse_wakefulness(now.get("power", b"")))
    if undo is None:
        yield Setting(name, False, "its present state cannot be read, so it was left as it is")
        return
    with _undone_at_last(shell, directory, name, undo, on_problem) as can_be:
        yield _turn_on(shell, name) if can_be else _cannot_undo(name)


def _undo_screen(stay_on: bytes, wakefulness: str | None) -> tuple[str, ...] | None:
    old = stay_on.decode("ascii", "replace").strip()
    if old.isdecimal() and len(old) <= 3:
        undo = f"settings put global {_STAY_ON} {old}"
    elif old == "null":
        undo = f"settings delete global {_STAY_ON}"
    else:
        return None
    was_off = wakefulness in ("Asleep", "Dozing")
    return (undo, f"input keyevent {_SLEEP}") if was_off else (undo,)


def _turn_on(shell: Shell, name: str) -> Setting:
    # svc asks the power service; where it is missing, the setting alone does it too
    result = run_sections(
        shell,
        {
            "set": f"svc power stayon true || settings put global {_STAY_ON} 7",
            "wake": f"input keyevent {_WAKE_UP}; wm dismiss-keyguard",
            "stay_on": f"settings get global {_STAY_ON}",
            "power": "dumpsys power | grep mWakefulness= | head -n 5",
        },
        TIMEOUT_S,
    )
    stays = result.get("stay_on", b"").decode("ascii", "replace").strip()
    awake = parse_wakefulness(result.get("power", b""))
    if not stays.isdecimal() or int(stays) == 0:
        return Setting(name, False, f"the phone did not take it: {_STAY_ON} is {stays[:20]!a}")
    if awake not in (None, "Awake"):
        return Setting(name, False, f"the phone stays {awake}")
    return Setting(name, True)


@contextmanager
def fix_performance(
    shell: Shell, directory: str, on_problem: Callable[[str], None] = _ignore
) -> Iterator[Setting]:
    """Hold Android 11's fixed-performance mode: a lower clock that the phone can sustain.

    Android does not tell whether it was on before; it is off afterwards. Arguments and errors as
    for ``keep_screen_on``. ``took_effect`` is False where the phone's Power HAL does not know it.
    """
    name = "fixed-performance"
    command = "cmd power set-fixed-performance-mode-enabled"
    if not _restore_file(shell, directory, name):
        yield _cannot_undo(name)
        return
    undo = (f"{command} false",)
    with _undone_at_last(shell, directory, name, undo, on_problem) as can_be:
        refusal = _refusal(shell, f"{command} true") if can_be else ""
        if refusal:
            shell.shell(f"rm -f {_path(directory, name)}", TIMEOUT_S)  # nothing to undo
        yield Setting(name, not refusal, refusal) if can_be else _cannot_undo(name)


def _refusal(shell: Shell, command: str) -> str:
    # AOSP's PowerManagerShellCommand: -1 and "Failed to set FIXED_PERFORMANCE mode"; before
    # Android 11 "Unknown command". Old adbd lose the status, so any words count as well
    result = shell.shell(command, TIMEOUT_S)
    said = (result.stdout + result.stderr).decode("utf-8", "replace").strip()
    if result.returncode == 0 and not said:
        return ""
    return f"the phone refused: {said[:200]!a}" if said else "the phone refused"


def _cannot_undo(name: str) -> Setting:
    return Setting(name, False, "it could not be undone on this phone, so it was left as it is")


@contextmanager
def _undone_at_last(
    shell: Shell,
    directory: str,
    name: str,
    undo: tuple[str, ...],
    on_problem: Callable[[str], None],
) -> Iterator[bool]:
    """Tell whether the undo file was written, which any change needs; undo at the end."""
    try:
        yield _write_restore_file(shell, directory, name, undo)
    finally:
        # what the body raised, or measured, matters more than an error here
        try:
            problem = "" if _restore_file(shell, directory, name) else "its commands failed"
        except AndroidBenchError as error:
            problem = str(error)
        if problem:
            on_problem(f"{name} could not be restored ({problem}); the next run will try again")


def _path(directory: str, name: str) -> str:
    return shlex.quote(f"{directory.rstrip('/')}/restore-{name}.sh")


def _write_restore_file(shell: Shell, directory: str, name: str, undo: tuple[str, ...]) -> bool:
    path = _path(directory, name)
    lines = " ".join(map(shlex.quote, ("set -e", *undo)))
    command = (
        f"mkdir -p {shlex.quote(directory)} && printf '%s\\n' {lines} >{path}.tmp"
        f" && mv {path}.tmp {path}"
    )
    return shell.shell(command, TIMEOUT_S).returncode == 0


def _restore_file(shell: Shell, directory: str, name: str) -> bool:
    command = f'f={_path(directory, name)}; [ ! -f "$f" ] || {_RUN_AND_REMOVE}'
    return shell.shell(command, TIMEOUT_S).returncode == 0


def restore_leftovers(shell: Shell, directory: str) -> tuple[str, ...]:
    """Restore what an earlier run could not, and give the names of what was restored.

    What cannot be restored now either stays for the next time. Raises what ``shell`` raises.
    """
    files = f"{shlex.quote(directory.rstrip('/'))}/restore-*.sh"
    command = (
        f'for f in {files}; do [ ! -f "$f" ] || {{ {_RUN_AND_REMOVE} && echo "$f"; }}; done;'
        f" rm -f {files}.tmp"
    )
    printed = shell.shell(command, TIMEOUT_S).stdout.decode("utf-8", "replace")
    paths = (line.strip() for line in printed.split("\n"))
    names = (path.rpartition("/restore-")[2] for path in paths if path.endswith(".sh"))
    return tuple(name.removesuffix(".sh") for name in names)
