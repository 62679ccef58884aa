"""A phone's file system: a folder of this machine, filled from the phone's description."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from ghostdeploy.fake_phone.contents import make_files
from ghostdeploy.fake_phone.guard import Guard
from ghostdeploy.fake_phone.phones import PhoneSpec
from ghostdeploy.fake_phone.sandbox import make_folders, script_translation

PROGRAMS = Path(__file__).with_name("programs")
# What commands may have changed and a factory reset empties.
WRITTEN_TO = ("data/local/tmp", "system/bin", "system/phone/state")


class Storage:
    """The files of the phone that ``spec`` describes, from its first boot until ``erase``.

    /proc of the phone is the folder proc.phone: where there are namespaces the agent mounts its
    files over those of a real /proc.
    """

    def __init__(self, spec: PhoneSpec) -> None:
        self.spec = spec
        self._guard = Guard("phone-")
        self.root = self._guard.folder
        make_folders(self.root)

    def fill(self) -> None:
        """Write all that the phone comes with: its state, its settings and its programs."""
        for name, text in make_files(self.spec).items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            self.write(name.replace("proc.phone", "proc"), text)
            path.chmod(0o644)
        for folder in ("bin", "phone/state/affinity"):
            (self.root / "system" / folder).mkdir(parents=True, exist_ok=True)
        for program in PROGRAMS.iterdir():
            if program.name not in ("missing", "sh.translated"):
                shutil.copy(program, self.root / "system/bin" / program.name)
        for name in self.spec.missing:
            shutil.copy(PROGRAMS / "missing", self.root / "system/bin" / name)

    def deny(self) -> None:
        """Take away the right to read what the user ``shell`` may not read on this phone.

        On real ones SELinux does that, e.g. for cpufreq and the thermal zones.
        """
        for pattern in self.spec.denied:
            for path in self._find_denied(pattern):
                path.chmod(0)

    def prepare_translation(self) -> None:
        """Let ``sh`` translate paths in scripts, for where there are no namespaces."""
        translation = self.root / "system/phone/translation.sed"
        translation.write_text(script_translation(self.root))
        shutil.copy(PROGRAMS / "sh.translated", self.root / "system/bin/sh")
        proc = self.root / "proc"
        if not proc.is_symlink():
            proc.rmdir()
            proc.symlink_to("proc.phone")

    def write(self, path: str, text: str) -> None:
        """Write a file of the phone in place: it may be mounted somewhere."""
        descriptor = os.open(self.host_path(path), os.O_WRONLY | os.O_CREAT, 0o644)
        with os.fdopen(descriptor, "wb", buffering=0) as opened:
            opened.write(text.encode())
            opened.truncate()

    def host_path(self, path: str) -> Path:
        """Return where a path of the phone is on this machine."""
        normal = os.path.normpath("/" + path).lstrip("/")
        first, _, rest = normal.partition("/")
        return self.root / ("proc.phone" if first == "proc" else first) / rest

    def list_files(self, folder: str) -> list[str]:
        """Return every file and folder below ``folder``, relative to it."""
        root = self.host_path(folder)
        return sorted(str(path.relative_to(root)) for path in root.rglob("*"))

    def forget_affinity(self) -> None:
        """Remove the masks that ``taskset`` has noted: a reboot ends their processes."""
        for note in (self.root / "system/phone/state/affinity").iterdir():
            note.unlink()

    def empty(self) -> None:
        """Remove what commands have written."""
        for name in WRITTEN_TO:
            folder = self.root / name
            _make_removable(folder)
            for path in folder.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()

    def erase(self) -> None:
        """Remove the folder itself; it also goes soon after a process that was killed."""
        self._guard.close()

    def _find_denied(self, pattern: str) -> list[Path]:
        path = self.host_path(pattern.removesuffix("/*"))
        if not pattern.endswith("/*"):
            return [path]
        return [entry for entry in path.rglob("*") if entry.is_file()]


def _make_removable(root: Path) -> None:
    for path in root.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(stat.S_IRWXU)
