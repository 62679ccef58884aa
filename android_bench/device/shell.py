"""Ask a device's shell many things in one round trip."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Protocol

SECTIONS_TIMEOUT_S = 60.0  # dumpsys gives up on a hanging service after 10 s; there are three
_END = "end"


class ShellOutput(Protocol):
    """A command printed this, and ended with this status (128 + n for signal n)."""

    @property
    def stdout(self) -> bytes:
        """Return what went to stdout."""
        ...

    @property
    def stderr(self) -> bytes:
        """Return what went to stderr, as far as the device keeps it apart."""
        ...

    @property
    def returncode(self) -> int:
        """Return the exit status."""
        ...


class Shell(Protocol):
    """A shell is anything that runs POSIX shell source on a device; ``adb.phone.Adb`` is one."""

    def shell(self, command: str, timeout_s: float = ...) -> ShellOutput:
        """Run ``command``; its exit status is no error. Raises if the device is out of reach."""
        ...


def run_sections(shell: Shell, parts: Mapping[str, str], timeout_s: float) -> dict[str, bytes]:
    """Run several commands in one round trip; return what each printed to stdout, by name.

    A part that failed gave b""; one that the output ended in is left out, so that no number is
    read off a line cut in two. Raises whatever ``shell`` raises.
    """
    nonce = secrets.token_hex(8)
    return split_sections(shell.shell(join_sections(parts, nonce), timeout_s).stdout, nonce)


def join_sections(parts: Mapping[str, str], nonce: str) -> str:
    """Return one shell command that prints a marker before what each part prints.

    Each part runs in a subshell of its own: a ``cd`` or ``exit`` in it does no harm.
    """
    lines = [f"{_mark(nonce, name)}; ( {command} ) 2>/dev/null" for name, command in parts.items()]
    return "\n".join([*lines, _mark(nonce, _END)])


def _mark(nonce: str, name: str) -> str:
    # the empty line first: what was printed before may not have ended its last line
    return f"echo; echo gd:{nonce}:{name}"


def split_sections(stdout: bytes, nonce: str) -> dict[str, bytes]:
    """Undo ``join_sections``; the section that nothing follows was cut off and is left out."""
    marker = f"gd:{nonce}:".encode()
    sections: dict[str, bytes] = {}
    name, lines = "", []
    for line in stdout.replace(b"\r\n", b"\n").split(b"\n"):
        if not line.startswith(marker):
            lines.append(line)
            continue
        sections[name] = _body(lines)
        name, lines = line[len(marker) :].decode("ascii", "replace"), []
    sections.pop("", None)
    return sections


def _body(lines: Iterable[bytes]) -> bytes:
    text = b"\n".join(lines).strip(b"\n")
    return text + b"\n" if text else b""
