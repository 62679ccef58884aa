"""``make`` in front of a Python that the project does not run on."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NEEDED = ("Makefile", "setup.cfg", "pyproject.toml")
# What the Makefile asks of a Python, answered as another version would.
STAND_IN = """#!/bin/sh
if [ "$1" = --version ]; then echo "Python {version}"; exit 0; fi
echo 'Traceback (most recent call last):' >&2
exit 1
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
@pytest.mark.parametrize("version", ["3.9.18", "3.14.0", "2.7.18"])
def test_another_python_is_refused_before_anything_is_made(tmp_path, version):
    for name in NEEDED:
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "python"
    python.write_text(STAND_IN.format(version=version), encoding="utf-8")
    python.chmod(0o755)
    # `make test` itself is a make: told of it, this one would talk as its child, "make[1]: …".
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", "demo", f"PYTHON={python}"], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    first, *more = done.stderr.splitlines()
    assert first.startswith("error: Python 3.10 to 3.13 is needed")
    assert f"is Python {version}" in first
    assert "uv python install 3.11" in first
    assert all(line.startswith("make: ") for line in more)
    assert done.returncode != 0
    assert not (tmp_path / ".venv").exists()
