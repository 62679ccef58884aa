"""What this machine has and lacks: Python, the extras, adb and phones, programs, the emulator."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from ghostdeploy.errors import GhostdeployError, UsageError

EXTRAS = {  # what each is for
    "convert": "export and quantize .onnx files",
    "export": "export, verify and quantize networks",
    "int8": "quantize .tflite files",
    "local": "bench and lint on this machine",
    "report": "compare, and make figures and HTML",
    "adb": "an adb program",
}
LOWER = (">=", "==", "~=", ">")


@dataclass(frozen=True)
class PackageCheck:
    """One package: the ``installed`` version ("" for none) against those that were tested.

    ``extra`` brings it, "" for what every install has; ``wanted`` is a range such as
    ``>=8.1,<9``.
    """

    package: str
    extra: str
    wanted: str
    installed: str

    @property
    def ok(self) -> bool:
        """Whether it is there, and not older than what was tested."""
        return bool(self.installed) and not self.too_old

    @property
    def too_old(self) -> bool:
        """Whether an older version is installed than any that was tested."""
        found = _parse(self.installed)
        lowest = [Version(s.version) for s in SpecifierSet(self.wanted) if s.operator in LOWER]
        return found is not None and bool(lowest) and found < max(lowest)

    @property
    def untested(self) -> bool:
        """Whether it is newer than what was tested, which often does no harm."""
        found = _parse(self.installed)
        return bool(found) and self.ok and not _admits(self.wanted, found)

    @property
    def told(self) -> str:
        """The package and, where it is installed, its version beside the tested ones."""
        return f"{self.package} {self.installed} (tested {self.wanted})".replace("  ", " ")


def _parse(text: str) -> Version | None:
    try:
        return Version(text.split("+", 1)[0])
    except InvalidVersion:
        return None


def _admits(wanted: str, found: Version | None) -> bool:
    return found is not None and SpecifierSet(wanted).contains(found, prereleases=True)


@dataclass(frozen=True)
class ExtraCheck:
    """One extra with its packages; "" is what every install has."""

    extra: str
    packages: tuple[PackageCheck, ...]

    @property
    def missing(self) -> tuple[PackageCheck, ...]:
        """The packages that are absent or too old."""
        return tuple(check for check in self.packages if not check.ok)

    @property
    def mend(self) -> str:
        """The command that completes it, "" where nothing lacks."""
        what = f"ghostdeploy[{self.extra}]" if self.extra else "ghostdeploy"
        return f"pip install '{what}'" if self.missing else ""


@dataclass(frozen=True)
class PhoneAccess:
    """The ``adb`` program ("" for none) and what is attached: (address, state) each.

    ``problem`` is why that cannot be told.
    """

    adb: str = ""
    phones: tuple[tuple[str, str], ...] = ()
    problem: str = ""


def examine() -> list[ExtraCheck]:
    """Check every package of every extra but the tests', the base install first.

    Raises UsageError in a copy of the sources that is not installed: nothing says what it wants.
    """
    try:
        requirements = requires("ghostdeploy") or ()
    except PackageNotFoundError as error:
        message = "ghostdeploy is not installed; in its folder run: pip install -e '.[all]'"
        raise UsageError(message) from error
    found = [check for line in requirements for check in _checks(Requirement(line))]
    return [
        ExtraCheck(extra, tuple(check for check in found if check.extra == extra))
        for extra in ("", *EXTRAS)
    ]


def _checks(wanted: Requirement) -> Iterator[PackageCheck]:
    """Yield a check for each extra that brings ``wanted`` for this Python; "" is no extra."""
    if not wanted.specifier:  # an extra that is made of the others
        return
    for extra in ("", *EXTRAS):
        needed = wanted.marker is None or wanted.marker.evaluate({"extra": extra})
        if needed:
            installed = _installed(wanted.name)
            yield PackageCheck(wanted.name, extra, str(wanted.specifier), installed)
            if not extra:  # every extra needs it, too
                return


def list_untested(extras: Sequence[ExtraCheck]) -> tuple[PackageCheck, ...]:
    """Return the packages that are newer than what was tested, each once."""
    newer = {check.package: check for one in extras for check in one.packages if check.untested}
    return tuple(newer.values())


def is_python_supported() -> bool:
    """Tell whether a converter and the runtimes have builds for this Python."""
    return (3, 10) <= sys.version_info[:2] < (3, 14)


def look_for_phones() -> PhoneAccess:
    """Ask adb what is attached; what cannot be asked is told as the problem."""
    from ghostdeploy.runners.attached import find_adb_program, list_states

    adb = ""
    try:
        adb = find_adb_program()
        return PhoneAccess(adb, list_states(adb))
    except GhostdeployError as error:
        return PhoneAccess(adb, problem=str(error))


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
