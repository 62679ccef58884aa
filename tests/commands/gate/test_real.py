"""Gates as users run them: real processes, real models, this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest

from ghostdeploy.records import read_record
from tests import small_models
from tests.command_line import MARK, PROGRAM, ROOT, eventually, ghostdeploy, marked_processes

QUICK = ("--runs", "20", "--warmup", "3", "--device", "local", "--json")


@pytest.fixture
def models(tmp_path):
    for name in ("tiny", "slow"):
        (tmp_path / f"{name}.tflite").write_bytes(small_models.tflite(name))
    return tmp_path


def run(folder, baseline, candidate):
    words = ("--baseline", f"{baseline}.tflite", "--candidate", f"{candidate}.tflite")
    env = {"TMPDIR": str(folder)}
    done = ghostdeploy("gate", *words, *QUICK, cwd=folder, env={**env, "PYTHONPATH": str(ROOT)})
    return done.returncode, json.loads(done.stdout)


def test_one_file_against_itself_is_never_a_regression(models):
    code, said = run(models, "slow", "slow")
    assert said["verdict"] in ("pass", "inconclusive", "invalid"), said["why"]
    assert code == (0 if said["verdict"] == "pass" else 3)
    kept = [read_record(models / said[arm]["record"]) for arm in ("baseline", "candidate")]
    launches = sorted(
        (
            (x.started_at, arm)
            for arm, record in zip("AB", kept, strict=True)
            for x in record.launches
        )
    )
    order = "".join(arm for _, arm in launches)
    assert order.startswith("ABBAABBA")
    assert len(order) == 2 * said["attempted"]


def test_a_model_many_times_as_slow_never_passes(models):
    code, said = run(models, "tiny", "slow")
    assert (said["verdict"], code) in (("regressed", 1), ("invalid", 3))
    if code == 1:
        assert said["ratio"]["lower"] > 2
        assert "--benchmark-model" in said["where"]["why_no_ops"]
        assert "CONV_2D" in said["where"]["graphs"]


def test_an_interrupted_gate_keeps_its_records_and_gives_the_device_back(models):
    words = ["gate", "--baseline", "slow.tflite", "--candidate", "slow.tflite", *QUICK]
    process = subprocess.Popen(
        [*PROGRAM, *words],
        cwd=models,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(models), MARK: models.name},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr
    for line in process.stderr:
        if "round 2" in line:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "interrupted"
    assert eventually(lambda: not list(marked_processes(models.name)))
    kept = [read_record(path) for path in (models / "reports").glob("*.json")]
    assert all(record.launches for record in kept)
    assert len(kept) == 2
    assert ghostdeploy(
        "gate", "accept", "slow.tflite", "--wait", "0", "--max-disturbance", "1", *QUICK,
        cwd=models, env={"PYTHONPATH": str(ROOT), "TMPDIR": str(models)},
    ).returncode == 0  # fmt: skip
