"""Text for the phone's shell and for file names here."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Sequence

from android_bench.errors import OptionError

# all that is ours on a phone is below this folder; /sdcard would be noexec
DEVICE_ROOT = "/data/local/tmp/ghostdeploy"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 60


def quote(text: str) -> str:
    """Quote one word for the phone's shell; spaces, quotes, $(), newlines, UTF-8 survive.

    Raises OptionError for a zero byte, which no argument can hold.
    """
    if "\0" in text:
        raise OptionError(f"{text[:60]!r} holds a zero byte; no command can")
    return shlex.quote(text)


def join(argv: Sequence[str]) -> str:
    """One command line of quoted words; raises OptionError for none or a zero byte."""
    if not argv:
        raise OptionError("a command needs at least one word")
    return " ".join(quote(word) for word in argv)


def safe_name(serial: str) -> str:
    """A file name for a serial: ``127.0.0.1:5555`` becomes ``127.0.0.1_5555``.

    Two serials that would clash, or are long, get a piece of their hash.
    """
    name = _UNSAFE.sub("_", serial)
    # host:port is the usual case and its colon the only loss: no need for a hash
    plain = name == serial.replace(":", "_") and "_" not in serial
    if plain and name.strip(".") and len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(serial.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{name[:_LONGEST_NAME].strip('.')}-{digest}"


def shown(command: str | Sequence[str], limit: int = 80) -> str:
    """A command as one short line for a message."""
    text = command if isinstance(command, str) else " ".join(command)
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
