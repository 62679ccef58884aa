"""A gate on a phone that is throttled, unplugged and killed in its middle: right all the same."""

from __future__ import annotations

import json
import threading

from ghostdeploy.records import read_record
from tests import small_models
from tests.command_line import ghostdeploy
from tests.fake_phone.fixtures import process_on

# Seven pairs are the fewest that decide at 1 %: one in 2⁷ all on one side by chance.
QUICK = ("--runs", "3", "--warmup", "1", "--looks", "7", "--max-pairs", "20")
PROGRAM = r"benchmark_model-\w+ --graph"


def started(number: int, position: int) -> str:
    """In the command that starts this launch, and in no other."""
    return f"-r{number}-{position} || exit 1"


def test_faults_in_mid_gate(phone, standin_program, tmp_path):
    """The candidate is many times as slow: whatever happens on the way, that is the verdict."""
    baseline, candidate = tmp_path / "fast.tflite", tmp_path / "slow.tflite"
    baseline.write_bytes(small_models.tflite())
    candidate.write_bytes(small_models.tflite("slow"))

    def kill_the_program() -> None:
        process_on(phone, PROGRAM)
        phone.kill(PROGRAM)

    killers = []

    def kill_soon() -> None:
        killers.append(threading.Thread(target=kill_the_program))
        killers[-1].start()

    phone.when(started(1, 0), lambda: phone.set_thermal_status(3))
    phone.when("-r1-1", lambda: phone.set_thermal_status(0))
    phone.when(started(2, 1), phone.drop)
    phone.when(started(4, 0), kill_soon)
    done = ghostdeploy(
        "gate", "--baseline", baseline, "--candidate", candidate,
        "--device", f"adb:{phone.serial}", "--benchmark-model", standin_program, *QUICK,
        "--records", tmp_path / "r", "--history", tmp_path / "h.jsonl", "--json",
    )  # fmt: skip
    for thread in killers:
        thread.join()
    run = json.loads(done.stdout)
    if "robust" not in run["why"] and "valid pairs" not in run["why"]:  # a machine too busy to tell
        assert run["verdict"] == "regressed", run["why"]
        assert run["valid_pairs"] == 7
        assert run["where"]["ops"] or run["where"]["why_no_ops"]
    assert done.returncode == (1 if run["verdict"] == "regressed" else 3), done.stderr
    whys = {discard["pair"]: discard["why"] for discard in run["discards"]}
    assert "throttled: thermal status 3 (severe) after the launch" in whys[1]
    assert "killed" in whys[4]
    assert "connection" not in whys.get(2, "")  # the run went on without it
    found = [read_record(path) for path in sorted((tmp_path / "r").glob("2*.json"))]
    assert [len(record.launches) for record in found] == [run["attempted"]] * 2


def test_a_phone_that_goes_away_is_invalid(phone, standin_program, tmp_path):
    model = tmp_path / "a.tflite"
    model.write_bytes(small_models.tflite())
    phone.when(started(1, 0), lambda: phone.set_battery(3, 300))
    done = ghostdeploy(
        "gate", "--baseline", model, "--candidate", model, "--device", f"adb:{phone.serial}",
        "--benchmark-model", standin_program, *QUICK, "--cool-down", 0,
        "--records", tmp_path / "r", "--history", tmp_path / "h.jsonl", "--json",
    )  # fmt: skip
    assert done.returncode == 3
    run = json.loads(done.stdout)
    assert run["verdict"] == "invalid"
    assert "the battery is at 3 %" in run["why"]
    found = [read_record(path) for path in sorted((tmp_path / "r").glob("2*.json"))]
    assert sum(len(record.launches) for record in found) == 3
