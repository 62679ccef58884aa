"""How this process was called."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

MOST = 4000  # characters


def command_line() -> str:
    """Return what was typed, quoted for a shell, with the program by its name; "" if unknown."""
    program, *words = sys.argv or [""]
    path = Path(program)
    name = path.parent.name if path.name == "__main__.py" else path.name
    text = shlex.join([name, *words]) if name else ""
    return text[:MOST].encode("utf-8", "replace").decode("utf-8")
