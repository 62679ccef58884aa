"""Which packages are installed or missing, and the command that mends it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from ghostdeploy.errors import UsageError

EXTRAS = ("export", "local", "report", "adb")


@dataclass(frozen=True)
class PackageCheck:
    """One package: the ``installed`` version ("" for none) against the ``wanted`` one."""

    package: str
    extra: str
    wanted: str
    installed: str

    @property
    def ok(self) -> bool:
        """Whether it is the wanted version."""
        return self.installed.split("+", 1)[0] == self.wanted

    @property
    def mend(self) -> str:
        """The command that puts it right, "" where all is well."""
        what = f"ghostdeploy[{self.extra}]" if self.extra else "ghostdeploy"
        return "" if self.ok else f"pip install '{what}'"


def examine() -> list[PackageCheck]:
    """Check every pinned package of every extra but the tests'.

    Raises UsageError in a copy of the sources that is not installed: nothing says what it wants.
    """
    try:
        requirements = requires("ghostdeploy") or ()
    except PackageNotFoundError as error:
        message = "ghostdeploy is not installed; in its folder run: pip install -e '.[all]'"
        raise UsageError(message) from error
    found = [check for line in requirements for check in _checks(Requirement(line))]
    return sorted(found, key=lambda check: ("", *EXTRAS).index(check.extra))


def _checks(wanted: Requirement) -> Iterator[PackageCheck]:
    """Yield a check for each extra that brings ``wanted`` for this Python; "" is no extra."""
    pin = next((s.version for s in wanted.specifier if s.operator == "=="), None)
    if pin is None:  # an extra that is made of the others
        return
    for extra in ("", *EXTRAS):
        needed = wanted.marker is None or wanted.marker.evaluate({"extra": extra})
        if needed:
            yield PackageCheck(wanted.name, extra, pin, _installed(wanted.name))
            if not extra:  # every extra needs it, too
                return


def is_python_supported() -> bool:
    """Tell whether every dependency has a build for this Python."""
    return (3, 10) <= sys.version_info[:2] < (3, 12)


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
