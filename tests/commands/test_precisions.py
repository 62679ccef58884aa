"""The verdict on a precision, case by case."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from ghostdeploy.commands.precisions import PrecisionRow, judge_precision
from ghostdeploy.schema import Interval, QuantizationError
from tests.command_line import complaint, ghostdeploy
from tests.conftest import TRAINED


def row(ratio, *, size=1.0, kernels=1, agree=1.0, lost=None):
    """A row with what a verdict looks at."""
    latency = SimpleNamespace(ratio=Interval(ratio, ratio - 0.01, ratio + 0.01), disturbed=False)
    paired = None if lost is None else SimpleNamespace(difference=Interval(-lost, 0, 0))
    error = QuantizationError(64, 25.0, 0.99, agree)
    return PrecisionRow("int8", size, latency, kernels, error, False, None, paired)  # type: ignore[arg-type]


QUIET = SimpleNamespace(disturbed=False)
BASE = PrecisionRow("fp32", 4.0, QUIET, 1, None, False, None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (row(0.54), "worth it: 0.54 of fp32's time, 100.0% of answers on 64 held-out"),
        (row(3.0, kernels=12), "not worth it here: 3.00 times fp32's time, cut into 12 XNNPACK"),
        (row(0.54, agree=0.8), "not worth it as it is: 80.0% of answers"),
        (row(0.54, lost=0.004), "worth it: 0.54 of fp32's time, +0.40 points of top-1 lost"),
        (row(0.54, lost=0.03), "not worth it as it is: +3.00 points of top-1 lost"),
        (row(1.0, size=2.0), "worth it for its size only (0.50 of fp32's): no faster"),
        (row(1.0, size=4.0), "no gain"),
    ],
)
def test_the_verdict(candidate, expected):
    assert judge_precision(candidate, BASE).startswith(expected)


def test_the_base_is_not_judged():
    assert judge_precision(BASE, BASE) == "what the others are held against"


def test_a_network_in_two_precisions(trained, trained_int8, shapes, tmp_path):
    """Both files are there already; what is measured is too short to judge, but whole."""
    for made in (trained, trained_int8):
        for file in made.folder.glob("*.tflite*"):
            shutil.copy(file, tmp_path)
    done = ghostdeploy(
        "compare", "--precisions", "fp32,int8", *TRAINED, "--out", tmp_path,
        "--records", tmp_path / "records", "--calibration", shapes / "calibration",
        "--data", shapes / "test", "--launches", "2", "--runs", "3", "--warmup", "1",
        "--max-disturbance", "1", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    fp32, int8 = json.loads(done.stdout)
    assert int8["size_mb"] < 0.6 * fp32["size_mb"]
    assert (fp32["kernels"], int8["kernels"]) == (1, 1)
    assert fp32["error"] is None
    assert int8["error"]["inputs"] == 20
    assert not int8["synthetic"]
    assert int8["accuracy"]["images"] == 120
    assert int8["paired"]["base"] == Path(fp32["accuracy"]["name"]).name
    assert int8["verdict"]
    (report,) = (tmp_path / "records").glob("compare-*.md")
    assert f"int8: {int8['verdict']}" in report.read_text(encoding="utf-8")


def test_a_precision_of_another_runtime_is_refused(tmp_path):
    done = ghostdeploy("compare", "--precisions", "fp32,int8-qdq", "--out", tmp_path)
    assert done.returncode == 2
    assert "int8-qdq is no tflite file" in complaint(done)
