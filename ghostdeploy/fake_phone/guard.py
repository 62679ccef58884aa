"""Clean up after a phone's process, however that ended. Also a script, which outlives it.

The script holds one end of a pipe; the kernel closes the other end with the process that has it,
after SIGKILL too. It then runs its command and removes its folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

COMMAND_S = 20.0
REMOVE_S = 10.0  # what ran in the folder may take a moment to end
POLL_S = 0.05


class Guard:
    """A new folder under the name of ``prefix``, which is gone soon after this process is.

    ``command`` is run before the folder goes, in this process's environment.
    """

    def __init__(self, prefix: str, command: Sequence[str] = ()) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=prefix)).resolve()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(self.folder), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C at the terminal is not for it
            cwd="/",
        )

    def close(self) -> None:
        """Have it clean up now, and wait until it has; may be called twice."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()


def main() -> None:
    """Wait for the end of standard input, then clean up."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    folder, *command = sys.argv[1:]
    os.read(0, 1)
    if command:
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(command, stdout=subprocess.DEVNULL, timeout=COMMAND_S, check=False)
    deadline = time.monotonic() + REMOVE_S
    while remove(folder) and time.monotonic() < deadline:
        time.sleep(POLL_S)


def remove(folder: str) -> bool:
    """Remove a folder, with what may not be read in it; return whether some of it is left."""
    for path, names, _ in os.walk(folder):
        for name in names:
            inner = os.path.join(path, name)
            with suppress(OSError):
                if not os.path.islink(inner):
                    os.chmod(inner, stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)
    return os.path.exists(folder)


if __name__ == "__main__":
    main()
