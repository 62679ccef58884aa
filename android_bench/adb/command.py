"""Wrap a command for the phone's shell so that its end can be told from a lost connection.

adb's exit code can lie: it is 0 (adb 29) or 255 (adb 36) if the phone vanishes in mid-command. So
each command is followed by a line that only its end can print; without that line it is unknown
whether the command ended. The line before it says what to kill if it does not.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from android_bench.adb.text import join_words, quote_word

# a service string over 4096 bytes fails without shell_v2; adb adds its own prefix to ours
LONGEST_COMMAND = 4000

_BOOT_ID = "/proc/sys/kernel/random/boot_id"

# Kills the session $session. This runs on mksh and dash, so nothing of bash; and a process that is
# gone between two lines is no error.
KILL_LOOP = """
round=0
while [ $round -lt 50 ]; do
  found=
  for file in /proc/[0-9]*/stat; do
    { read -r stat <"$file"; } 2>/dev/null || continue
    pid=${file#/proc/}
    set -- ${stat##*) }
    if [ "$4" = "$session" ] && [ "$1" != Z ]; then
      kill -9 "${pid%/stat}" 2>/dev/null && found=1
    fi
  done
  [ -z "$found" ] && exit 0
  sleep 0.1 || sleep 1
  round=$((round + 1))
done
exit 1
"""


@dataclass(frozen=True)
class ShellResult:
    """A command on the phone printed this, and ended with this status there (128 + n for signal n).

    ``stderr`` is empty on phones whose adbd is too old to keep it apart: it is in ``stdout`` then.
    """

    stdout: bytes
    stderr: bytes
    returncode: int

    @property
    def text(self) -> str:
        """Decode ``stdout`` as UTF-8, undecodable bytes replaced."""
        return self.stdout.decode("utf-8", "replace")


@dataclass(frozen=True)
class ShellProcess:
    """A shell on the phone is named by its process number and the boot that this number is of."""

    pid: int
    boot_id: str


@dataclass(frozen=True)
class WrappedCommand:
    """A wrapped command has a first and a last line, told by ``nonce`` from all that it prints."""

    line: str
    nonce: bytes

    def find_result(self, stdout: bytes, stderr: bytes) -> ShellResult | None:
        """Return what the command gave; None if its end is not in there."""
        # without the newline a status may be cut off, too: 1 of 137
        trailer = rb"(\r?)\ngd:%s:(\d+)\r?\n" % self.nonce
        ends = list(re.finditer(trailer, stdout))
        if not ends:
            return None
        body = stdout[: ends[-1].start()]
        head = self._head(body)
        body = body[head.end() :] if head else body
        # the adbd of Android 6 and older gives each command a terminal, which adds the \r
        if ends[-1][1]:
            body = body.replace(b"\r\n", b"\n")
        return ShellResult(body, stderr, int(ends[-1][2]))

    def find_process(self, stdout: bytes) -> ShellProcess | None:
        """Return the shell that ran it; None if the output does not show that it started."""
        head = self._head(stdout)
        return ShellProcess(int(head[1]), head[2].decode("ascii")) if head else None

    def _head(self, stdout: bytes) -> re.Match[bytes] | None:
        return re.search(rb"gd:%s:pid:(\d+):([0-9a-f-]*)\r?\n" % self.nonce, stdout)


def wrap_command(command: str | Sequence[str]) -> WrappedCommand:
    """Wrap a list of words, or shell source, in its first and last line.

    Source runs in a shell of its own: ``exit`` and syntax errors in it must not skip the last line.
    Its stdin is empty: an adbd of old never passes on that ours has ended. Raises OptionError for
    a zero byte.
    """
    nonce = secrets.token_hex(8)
    words = ["sh", "-c", command] if isinstance(command, str) else command
    line = (
        f"{{ read b <{_BOOT_ID}; }} 2>/dev/null; echo gd:{nonce}:pid:$$:$b;"
        f" {{ {join_words(words)}\n}} </dev/null; r=$?; echo; echo gd:{nonce}:$r"
    )
    return WrappedCommand(line, nonce.encode())


def build_kill_script(process: ShellProcess) -> str:
    """Return shell source that kills a whole session: the phone's shell alone would hang up."""
    # only in the boot that its number is of
    return (
        f"{{ read -r boot <{_BOOT_ID}; }} 2>/dev/null\n"
        f'[ "$boot" = {quote_word(process.boot_id)} ] || exit 0\n'
        f"session={process.pid}\n{KILL_LOOP}"
    )
