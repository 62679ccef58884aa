"""doctor: what the ranges ask for on this Python, and nothing else."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from ghostdeploy.commands.doctor import (
    EXTRAS,
    ExtraCheck,
    PackageCheck,
    _checks,
    examine,
    list_untested,
    look_for_phones,
)
from tests.optional_packages import ABSENT


def test_an_environment_made_of_the_ranges_is_as_they_want():
    extras = examine()
    assert [one.extra for one in extras] == ["", *EXTRAS]
    missing = {check.package for one in extras for check in one.missing}
    assert missing <= {*ABSENT.values()}
    assert all(one.packages and bool(one.mend) == bool(one.missing) for one in extras)


@pytest.mark.parametrize(
    ("line", "extras"),
    [
        ("click>=8.2,<9", [""]),
        ("click>=8.2; python_version < '3.0'", []),
        ("click==8.5.1; extra == 'report'", ["report"]),
        ("click==8.5.1; python_version >= '3.0' and extra == 'report'", ["report"]),
        ("click==8.5.1; python_version < '3.0' and extra == 'report'", []),
        ("pytest==9.2.0; extra == 'test'", []),
        ("ghostdeploy[export,local]; extra == 'all'", []),
    ],
)
def test_what_a_requirement_asks_for_here(line, extras):
    assert [check.extra for check in _checks(Requirement(line))] == extras


@pytest.mark.parametrize(
    ("wanted", "installed", "ok", "untested"),
    [
        (">=8.2,<9", "8.2", True, False),
        (">=8.2,<9", "8.1.7", False, False),
        (">=8.2,<9", "9.0", True, True),
        (">=8.2,<9", "9.0rc1+cpu", True, True),
        (">=8.2,<9", "", False, False),
        ("==2.13.0", "2.13.0+cpu", True, False),
        ("==2.13.0", "2.14.0", True, True),
        ("==2.13.0", "2.12.0", False, False),
        ("~=1.4", "built by hand", True, False),
    ],
)
def test_newer_than_tested_is_a_note_and_older_is_a_fault(wanted, installed, ok, untested):
    check = PackageCheck("click", "", wanted, installed)
    assert (check.ok, check.untested) == (ok, untested)


def test_an_extra_names_what_it_lacks_once():
    here = PackageCheck("jinja2", "report", ">=3.1,<4", "4.0")
    gone = PackageCheck("matplotlib", "report", ">=3.8,<4", "")
    one = ExtraCheck("report", (here, gone))
    assert one.missing == (gone,)
    assert one.mend == "pip install 'ghostdeploy[report]'"
    assert ExtraCheck("", (here,)).mend == ""
    assert list_untested([one, ExtraCheck("all", (here,))]) == (here,)


def test_an_adb_that_is_no_program_is_told(monkeypatch):
    monkeypatch.setenv("GHOSTDEPLOY_ADB", "/nowhere/adb")
    found = look_for_phones()
    assert (found.adb, found.phones) == ("", ())
    assert "/nowhere/adb" in found.problem
