"""Quote words for the phone's shell, and shorten commands for messages."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from android_bench.errors import OptionError

# all that is ours on a phone is below this folder; /sdcard would be noexec
DEVICE_ROOT = "/data/local/tmp/ghostdeploy"


def quote_word(text: str) -> str:
    """Quote one word for the phone's shell; spaces, quotes, $(), newlines, UTF-8 survive.

    Raises OptionError for a zero byte, which no argument can hold.
    """
    if "\0" in text:
        raise OptionError(f"{text[:60]!r} holds a zero byte; no command can")
    return shlex.quote(text)


def join_words(argv: Sequence[str]) -> str:
    """Return one command line of quoted words. Raises OptionError for none or a zero byte."""
    if not argv:
        raise OptionError("a command needs at least one word")
    return " ".join(quote_word(word) for word in argv)


def shorten_command(command: str | Sequence[str], limit: int = 80) -> str:
    """Return a command as one line of ``limit`` characters at most, for a message."""
    text = command if isinstance(command, str) else " ".join(command)
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
