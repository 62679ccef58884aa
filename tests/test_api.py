"""The Python face: what it offers, that it loads late, and that docs/python.md runs."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import ghostdeploy
from ghostdeploy.commands.export import ExportRequest
from ghostdeploy.commands.gate.request import GateRequest
from ghostdeploy.commands.measure import MeasureRequest
from ghostdeploy.commands.verify import VerifyRequest
from tests.optional_packages import NEEDS_TORCH

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "python.md"
FUNCTIONS = ("bench", "compare", "export", "gate", "lint", "quantize", "verify")


def test_every_public_name_is_there_and_documented():
    for name in ghostdeploy.__all__:
        assert getattr(ghostdeploy, name) is not None
    for name in FUNCTIONS:
        assert name in ghostdeploy.__all__
        assert inspect.getdoc(getattr(ghostdeploy, name))
    assert set(ghostdeploy.__all__) <= set(dir(ghostdeploy))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ghostdeploy.nothing  # noqa: B018


def test_a_name_stays_the_function_once_the_packages_are_imported():
    code = (
        "import ghostdeploy, ghostdeploy.cli.app, ghostdeploy.api\n"
        f"assert all(callable(getattr(ghostdeploy, name)) for name in {FUNCTIONS})"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_importing_it_loads_nothing_else():
    code = "import sys, ghostdeploy; print(*filter(lambda m: m.startswith('ghostd'), sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert set(done.stdout.split()) == {"ghostdeploy", "ghostdeploy.version"}


@pytest.mark.parametrize(
    ("name", "request_type", "others"),
    [
        # what a function calls by another name, or what only the command line gives
        ("export", ExportRequest, {"spec"}),
        ("verify", VerifyRequest, {"path", "spec"}),
        ("bench", MeasureRequest, {"side_by_side", "table", "names"}),
        ("gate", GateRequest, {"budgets_alone", "others", "baselines", "given", "time_s"}),
    ],
)
def test_the_requests_fields_are_its_arguments(name, request_type, others):
    arguments = set(inspect.signature(getattr(ghostdeploy, name)).parameters)
    assert {field.name for field in fields(request_type)} - others <= arguments


@NEEDS_TORCH
def test_the_page_runs_as_it_stands(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 7
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert "passed: True" in said
    assert "1 XNNPACK partition, 14 DFC branches" in said, said
    assert "did you mean ghostnetv2 or ghostnetv1? 2" in said
    assert (tmp_path / "models" / "ghostnetv2_0.2_96_c10_int8.tflite").exists()
