"""``ghostdeploy doctor``: what is installed, what is missing, and the command that mends it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

from ghostdeploy.errors import UsageError

EXTRAS = ("export", "local", "report", "adb")


@dataclass(frozen=True)
class Check:
    """One package: the ``installed`` version ("" for none) against the ``wanted`` one."""

    package: str
    extra: str
    wanted: str
    installed: str

    @property
    def ok(self) -> bool:
        return self.installed.split("+", 1)[0] == self.wanted

    @property
    def mend(self) -> str:
        """The command that puts it right, "" where all is well."""
        return "" if self.ok else f"pip install 'ghostdeploy[{self.extra}]'"


def examine() -> list[Check]:
    """Every pinned package of every extra but the tests'.

    Raises UsageError in a copy of the sources that is not installed: nothing says what it wants.
    """
    try:
        requirements = requires("ghostdeploy") or ()
    except PackageNotFoundError as error:
        message = "ghostdeploy is not installed; in its folder run: pip install -e '.[all]'"
        raise UsageError(message) from error
    checks = []
    for requirement in requirements:
        match = re.match(r"([\w.-]+)==([\w.]+)(?:.*extra == [\"'](\w+)[\"'])?", requirement)
        if match and match[3] in (*EXTRAS, None):
            checks.append(Check(match[1], match[3] or "", match[2], _installed(match[1])))
    return checks


def python_ok() -> bool:
    """Whether this Python is one that every dependency has a build for."""
    return (3, 10) <= sys.version_info[:2] < (3, 12)


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
