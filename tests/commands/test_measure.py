"""``bench`` on a machine that other programs keep busy, as a command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import small_models

BUSY = """
from ghostdeploy.runners.host import disturbance
disturbance._too_much = lambda *_: True
from ghostdeploy.cli.app import main
main()
"""
FEW = ("--launches", "2", "--runs", "2", "--warmup", "1")


@pytest.fixture
def busy(tmp_path):
    files = []
    for name in ("a", "b"):
        files.append(tmp_path / f"{name}.tflite")
        files[-1].write_bytes(small_models.tflite())

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        words = ("bench", *map(str, files), *FEW, "--records", str(tmp_path / "records"), *more)
        return subprocess.run(
            [sys.executable, "-c", BUSY, *words], capture_output=True, text=True, timeout=300
        )

    return run


def test_a_busy_machine_shows_what_it_measured_and_the_way_on(busy, tmp_path):
    done = busy()
    assert done.returncode == 3
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: a.tflite: none of its 4 launches counts (the hypervisor took ")
    assert "--max-disturbance" in last
    assert last.endswith("(1 more like it)")
    record = Path(last.partition("record: ")[2].partition(";")[0])
    assert record.parent == tmp_path / "records"
    assert len(json.loads(record.read_text())["launches"]) == 4
    shown = " ".join(done.stdout.split())
    assert "disturbed" in shown
    assert "none of its 4 launches counts" in shown
    assert "not measured" not in shown


def test_the_json_says_that_it_was_disturbed(busy):
    done = busy("--json")
    assert done.returncode == 3
    for model in json.loads(done.stdout)["models"]:
        assert model["disturbed"] is True
        assert model["valid_launches"] == 0
        assert model["latency_ms"]["value"] > 0
