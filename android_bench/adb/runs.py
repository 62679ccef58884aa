"""Start, watch, fetch and kill runs on the phone that outlive the connection, each by its folder.

A run's folder holds ``run.sh``, ``pid`` (number, start time and boot of the process that leads its
session), ``out``, ``err`` and, as soon as it has ended, ``rc``. Everything that tells a run's
process from another one of the same number is in there, so that any later process can take over.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from posixpath import basename, dirname, normpath

from android_bench.adb.command import KILL_LOOP
from android_bench.adb.phone import Adb
from android_bench.adb.text import DEVICE_ROOT, join_words, quote_word
from android_bench.errors import CommandFailedError, OptionError, RemoteFileError

RUNS = f"{DEVICE_ROOT}/runs"
MOST_OUTPUT_BYTES = 2**24 + 1  # one more than a log may hold, which the parser says
# What a run may write to a file, in the 512 bytes of ulimit: 256 MiB, before it fills the storage.
MOST_FILE_BLOCKS = 2**19
_START_TIMEOUT_S = 60.0
_FETCH_TIMEOUT_S = 120.0
_KILL_TIMEOUT_S = 60.0

# Without setsid the connection's end would reach it, and with an open stdio it would hold up the
# connection's end. The folder "started" makes a repetition after a lost connection harmless.
_START = """
cd {folder} || exit 1
if mkdir started 2>/dev/null; then
  setsid sh -c {leader} </dev/null >/dev/null 2>&1 &
fi
n=0
while [ ! -f pid ] && [ $n -lt 200 ]; do
  sleep 0.1 || sleep 1
  n=$((n + 1))
done
[ -f pid ]
"""
_LEADER = """
read -r stat </proc/$$/stat
set -- ${stat##*) }
read -r boot </proc/sys/kernel/random/boot_id
echo "$$ ${20} $boot" >pid.tmp
mv pid.tmp pid
ulimit -f {blocks} 2>/dev/null
sh ./run.sh >out 2>err
echo $? >rc.tmp
mv rc.tmp rc
"""
# Prints: name, state, status or -, process or -. "alive" is asked before rc is: a run that ends in
# between must not look lost.
_REPORT = """
{ read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
alive() {
  { read -r stat </proc/$1/stat; } 2>/dev/null || return 1
  set -- "$2" ${stat##*) }
  [ "$2" != Z ] && [ "${21}" = "$1" ]
}
report() {
  state=lost pid=- ticks= of=
  if [ ! -d "$1" ]; then echo "- absent - -"; return; fi
  if [ -f "$1/pid" ]; then
    read -r pid ticks of <"$1/pid"
    if [ "$of" != "$boot" ]; then state=rebooted
    elif alive "$pid" "$ticks"; then state=running
    fi
  fi
  status=-
  if [ -f "$1/rc" ]; then read -r status <"$1/rc"; state=done; fi
  echo "${1##*/} $state $status $pid"
}
"""
_KILL = """
cd {folder} 2>/dev/null || exit 0
[ -f pid ] || exit 0
read -r session ticks of <pid
{{ read -r boot </proc/sys/kernel/random/boot_id; }} 2>/dev/null
[ "$of" = "$boot" ] || exit 0
if {{ read -r stat </proc/$session/stat; }} 2>/dev/null; then
  set -- ${{stat##*) }}
  [ "${{20}}" = "$ticks" ] || exit 0
fi
"""
_SWEEP = """
rm -rf {root}/scripts
find {root} -type f -name '*.tmp.????????' 2>/dev/null | while read -r file; do rm -f "$file"; done
exit 0
"""


@dataclass(frozen=True)
class RunStatus:
    """A run on the phone stands like this.

    ``state``: ``running``; ``done`` with its exit status ``returncode`` (137 = killed, mostly for
    want of memory); ``lost`` if it ended without one, as when it was killed as a whole;
    ``rebooted`` if the phone restarted meanwhile; ``absent`` if there is no such run.
    """

    name: str
    state: str
    returncode: int | None = None
    pid: int | None = None


@dataclass(frozen=True)
class RunOutput:
    """A run that is ``done`` has printed this, and has this exit status."""

    stdout: bytes
    stderr: bytes
    returncode: int


def run_folder(name: str) -> str:
    """Return the folder of the run of that name. Raises OptionError for names that need quoting."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise OptionError(f"{name!r} is no name for a run: letters, digits, dot, dash, underscore")
    return f"{RUNS}/{name}"


def start_detached(adb: Adb, command: str | Sequence[str], run_dir: str) -> RunStatus:
    """Start a list of words, or shell source, that goes on without a connection.

    It runs in the new folder ``run_dir``. Raises OptionError if that is no folder of ours,
    CommandFailedError if it could not be started (also if ``run_dir`` holds an earlier run that has
    ended), and AdbErrors.
    """
    _check_ours(run_dir)
    text = command if isinstance(command, str) else join_words(command)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "run.sh")
        script.write_text(text + "\n", encoding="utf-8", errors="surrogateescape", newline="\n")
        adb.push(script, f"{run_dir}/run.sh")
    leader = _LEADER.replace("{blocks}", str(MOST_FILE_BLOCKS))
    start = _START.format(folder=quote_word(run_dir), leader=quote_word(leader))
    adb.check(start, _START_TIMEOUT_S)
    return poll_detached(adb, run_dir)


def poll_detached(adb: Adb, run_dir: str) -> RunStatus:
    """Look how the run stands now: cheap, and harmless to a measurement. Raises AdbErrors."""
    _check_ours(run_dir)
    line = adb.check(f"{_REPORT}\nreport {quote_word(run_dir)}")
    status = _status(line.strip())
    return RunStatus(basename(run_dir), status.state, status.returncode, status.pid)


def list_runs(adb: Adb) -> tuple[RunStatus, ...]:
    """Return all runs of ours on the phone, of whatever process. Raises AdbErrors."""
    every = f'for run in {quote_word(RUNS)}/*; do [ -d "$run" ] && report "$run"; done'
    script = f"{_REPORT}\n{every}\nexit 0"
    return tuple(_status(line) for line in adb.check(script).splitlines() if line.strip())


def fetch_detached(adb: Adb, run_dir: str) -> RunOutput:
    """Return the output of a run that is ``done``, or what a dead one left, with the status -1.

    Of more than MOST_OUTPUT_BYTES a stream the beginning.

    Raises RemoteFileError if there is none, or it still runs, and AdbErrors.
    """
    status = poll_detached(adb, run_dir)
    if status.state in ("absent", "running"):
        raise RemoteFileError(
            f"the run {status.name} on {adb.serial} is {status.state}: nothing to fetch",
            serial=adb.serial,
        )
    streams = [
        adb.shell(f"[ ! -f {path} ] || head -c {MOST_OUTPUT_BYTES} {path}", _FETCH_TIMEOUT_S)
        for path in (quote_word(f"{run_dir}/{name}") for name in ("out", "err"))
    ]
    returncode = -1 if status.returncode is None else status.returncode
    return RunOutput(streams[0].stdout, streams[1].stdout, returncode)


def kill_detached(adb: Adb, run_dir: str) -> None:
    """Kill all that the run started; nothing happens if it has ended. Raises AdbErrors.

    A process that merely has the number of one that is gone is left alone.
    """
    _check_ours(run_dir)
    script = _KILL.format(folder=quote_word(run_dir)) + KILL_LOOP
    result = adb.shell(script, _KILL_TIMEOUT_S)
    if result.returncode:
        raise CommandFailedError(
            f"the run {basename(run_dir)} on {adb.serial} does not die; restart the phone",
            returncode=result.returncode,
            stdout=result.stdout,
            stderr=result.stderr,
            serial=adb.serial,
        )


def remove_detached(adb: Adb, run_dir: str) -> None:
    """Kill the run and remove its folder. Raises AdbErrors."""
    kill_detached(adb, run_dir)
    adb.check(["rm", "-rf", run_dir])


def sweep_leftovers(adb: Adb) -> None:
    """Remove the scripts and partial files of calls that were cut off; runs are left alone.

    For the holder of the phone's lock only: another process may be using them. Raises AdbErrors.
    """
    adb.check(_SWEEP.format(root=quote_word(DEVICE_ROOT)))


def _status(line: str) -> RunStatus:
    name, state, returncode, pid = line.rsplit(" ", 3)
    return RunStatus(name, state, _number(returncode), _number(pid))


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _check_ours(run_dir: str) -> None:
    if normpath(run_dir) != run_dir or dirname(run_dir) != RUNS:
        raise OptionError(f"{run_dir!r} is no run of ours: these are in {RUNS}")
