"""doctor: what the pins ask for on this Python, and nothing else."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from ghostdeploy.commands.doctor import EXTRAS, _checks, examine


def test_an_environment_made_of_the_pins_is_as_they_want():
    checks = examine()
    assert [check.package for check in checks if not check.ok] == []
    assert {check.extra for check in checks} == {"", *EXTRAS}


@pytest.mark.parametrize(
    ("line", "extras"),
    [
        ("click==8.5.1", [""]),
        ("click==8.5.1; python_version < '3.0'", []),
        ("click==8.5.1; extra == 'report'", ["report"]),
        ("click==8.5.1; python_version >= '3.0' and extra == 'report'", ["report"]),
        ("click==8.5.1; python_version < '3.0' and extra == 'report'", []),
        ("pytest==9.2.0; extra == 'test'", []),
        ("ghostdeploy[export,local]; extra == 'all'", []),
    ],
)
def test_what_a_requirement_asks_for_here(line, extras):
    assert [check.extra for check in _checks(Requirement(line))] == extras


def test_the_mending_command_names_the_extra():
    (wrong,) = _checks(Requirement("numpy==0.1; extra == 'local'"))
    assert not wrong.ok
    assert wrong.mend == "pip install 'ghostdeploy[local]'"
    (base,) = _checks(Requirement("no-such-package==0.1"))
    assert base.mend == "pip install 'ghostdeploy'"
