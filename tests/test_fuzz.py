"""A small, seeded part of ``benchmarks/fuzz.py``: damaged files through the commands."""

from __future__ import annotations

import subprocess
import sys

from tests.command_line import ROOT
from tests.optional_packages import NEEDS_TORCH


@NEEDS_TORCH
def test_damaged_files_end_in_an_exit_code_and_nothing_else(tmp_path) -> None:
    """Neither a bug's exit code, a traceback, a dead process, nor a time or memory without end."""
    words = ["benchmarks/fuzz.py", "--quick", "--seed", "suite", "--count", "120"]
    command = [sys.executable, *words, "--keep", str(tmp_path / "kept")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    table = {row[0]: row[1:] for row in map(str.split, done.stdout.splitlines()) if row}
    whole = dict(zip(table["kind"], table["all"], strict=True))
    assert int(whole["all"]) == 120
    assert int(whole["0"]) > 20  # some damage is harmless
    assert int(whole["2"]) > 20  # some is not
    assert not (tmp_path / "kept").exists()
