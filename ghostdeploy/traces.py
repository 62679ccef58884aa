"""What went wrong in a user's own code, in one line that names the line of theirs."""

from __future__ import annotations

import re
import sysconfig
import traceback
from pathlib import Path
from types import TracebackType

from ghostdeploy.errors import error_line

FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>\S+)')
OURS = Path(__file__).parent
STDLIB = Path(sysconfig.get_paths()["stdlib"])
LIBRARIES = ("site-packages", "dist-packages")


def is_users(file: str) -> bool:
    """Tell whether a file is the user's: neither Python's, nor an installed package's, nor ours."""
    path = Path(file)
    if file.startswith("<") or OURS in path.parents:
        return False
    return {*path.parts}.isdisjoint(LIBRARIES) and STDLIB not in path.parents


def users_line(trace: str) -> str:
    """Return the innermost line of a printed stack that is the user's, ``net.py:42``, or ""."""
    found = ""
    for frame in FRAME.finditer(trace):
        if is_users(frame["file"]):
            found = f"{Path(frame['file']).name}:{frame['line']}"
    return found


def describe_failure(error: BaseException, limit: int = 300) -> str:
    """Return what was raised, with the user's line where there is one."""
    where = _raised_at(error.__traceback__) or users_line(str(error))
    said = error_line(str(error).strip() or type(error).__name__, limit)
    kind = type(error).__name__
    told = said if kind in said or isinstance(error, RuntimeError) else f"{kind}: {said}"
    return f"{where}: {told}" if where else told


def _raised_at(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace) if trace else []
    mine = [frame for frame in frames if is_users(frame.filename)]
    return f"{Path(mine[-1].filename).name}:{mine[-1].lineno}" if mine else ""
