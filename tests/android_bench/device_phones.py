"""Phones to test on: what each one's files and tools say, and a shell that says so.

A phone's text holds sections under ``@@ NAME``: a file's path, ``$ COMMAND``, or ``files`` with
one small file a line. What is not there is denied.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

DATA = Path(__file__).parent / "data" / "device"
NAMES = ("kirin980", "snapdragon8gen2", "bare")
# a tool of the phone: print what the phone's tool prints for these words
TOOL = """#!/bin/sh
echo "${{0##*/}} $*" >>{root}/calls
if [ -f "{root}/tools/${{0##*/}} $*" ]; then cat "{root}/tools/${{0##*/}} $*"; exit; fi
[ $# -gt 0 ] && echo "Can't find service: $*" >&2
exit 1
"""


@dataclass(frozen=True)
class Result:
    stdout: bytes
    stderr: bytes = b""
    returncode: int = 0


class LocalShell:
    """This machine's /bin/sh."""

    def shell(self, command: str, timeout_s: float = 30.0) -> Result:
        assert len(command) < 4096 - 200  # adbd without shell_v2; adb/command.py adds a trailer
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            capture_output=True,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Result(done.stdout, done.stderr, done.returncode)


@dataclass(frozen=True)
class Phone(LocalShell):
    """/bin/sh again, on the phone's /proc and /sys, which lie under ``root``, and its tools."""

    root: Path

    def shell(self, command: str, timeout_s: float = 30.0) -> Result:
        command = re.sub(r"(?<!\w)/(?=(?:sys|proc)/)", f"{self.root}/", command)
        return super().shell(f"PATH={self.root}/bin:$PATH\n{command}", timeout_s)

    def set_tool(self, command: str, output: str) -> None:
        (self.root / "tools" / command).write_text(output)

    def set_file(self, path: str, text: str) -> None:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def script(self, tool: str, source: str) -> None:
        """Make the tool a shell script; $ROOT is the phone's folder."""
        file = self.root / "bin" / tool
        log = f'echo "{tool} $*" >>{self.root}/calls\n'
        file.write_text(f"#!/bin/sh\nROOT={self.root}\n{log}{source}")
        file.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        file = self.root / "calls"
        return file.read_text().splitlines() if file.exists() else []


def sections(name: str) -> dict[str, str]:
    parts = (DATA / f"{name}.txt").read_text().split("@@ ")[1:]
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}


def make_phone(name: str, root: Path) -> Phone:
    phone = Phone(root)
    for folder in ("bin", "tools"):
        (root / folder).mkdir(parents=True)
    for tool in ("getprop", "dumpsys", "uname", "settings", "svc", "input", "wm", "cmd"):
        (root / "bin" / tool).write_text(TOOL.format(root=root))
        (root / "bin" / tool).chmod(0o755)
    for title, text in sections(name).items():
        if title.startswith("$ "):
            command = title[2:]
            phone.set_tool(command if " " in command else f"{command} ", text)
        elif title == "files":
            for line in text.splitlines():
                path, _, value = line.partition(": ")
                phone.set_file(path, value + "\n")
        else:
            phone.set_file(title, text)
    return phone


@dataclass
class Replay:
    """Answers each command with the next of the recorded phones' output, the last for ever."""

    states: list[dict[str, str]]
    commands: list[str] = field(default_factory=list)

    def shell(self, command: str, timeout_s: float = 30.0) -> Result:
        nonce = command.split("gd:")[1].split(":")[0]
        state = self.states[min(len(self.commands), len(self.states) - 1)]
        self.commands.append(command)
        names = [line.split(":")[2].split(";")[0] for line in command.split("echo gd")[1:]]
        body = "".join(f"\ngd:{nonce}:{name}\n{state.get(name, '')}" for name in names)
        return Result(body.encode())
