"""Whole gates on a scripted device: the verdict, its exit code, and what is left behind."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ghostdeploy.errors import MeasurementError
from ghostdeploy.records import read_record
from ghostdeploy.schema import OpTime
from tests.commands.gate.scripted import hot, killed

AB = ("--baseline", "a.tflite", "--candidate", "b.tflite")


@pytest.mark.parametrize(
    ("factor", "verdict", "code"),
    [(1.0, "pass", 0), (1.08, "regressed", 1), (0.9, "improved", 0)],
)
def test_verdict_and_exit_code(gate, script, factor, verdict, code):
    script.factor["b"] = factor
    done = gate(*AB, "--json")
    said = json.loads(done.out)
    assert (done.code, said["verdict"], said["compared"]) == (code, verdict, verdict)
    assert said["ratio"]["value"] == pytest.approx(factor, rel=0.01)
    assert (said["valid_pairs"], said["attempted"]) == (10, 10)
    if code:
        assert done.complaint.startswith("regressed: at least")


def test_the_order_is_ab_ba_after_one_throwaway_launch_each(gate, script):
    gate(*AB)
    assert "".join(script.seen[:10]) == "ab" + "abbaabba"
    assert (script.opened, script.closed) == (1, 1)


def test_the_text_says_what_it_stands_on(gate, script):
    script.spoil = lambda number, launch: hot(launch) if number == 5 else launch
    text = gate(*AB).out
    assert text.startswith("PASS  b.tflite: less than 5% slower\n")
    for words in ("Pixel, Tensor", "10 valid of 11 (at most 36)", "noise floor", "sha256", "time"):
        assert words in text
    assert "pair 2: candidate: thermal status 2" in text or "baseline: thermal status 2" in text


def test_records_of_both_arms_hold_every_launch(gate, folder, script):
    script.spoil = lambda number, launch: hot(launch) if number == 5 else launch
    said = json.loads(gate(*AB, "--json").out)
    kept = [read_record(folder / said[arm]["record"]) for arm in ("baseline", "candidate")]
    assert [len(record.launches) for record in kept] == [11, 11]
    assert sum(not launch.valid for record in kept for launch in record.launches) == 1


def test_a_killed_launch_costs_its_pair_only(gate, script):
    script.spoil = lambda number, launch: killed(launch) if number == 7 else launch
    done = gate(*AB, "--json")
    said = json.loads(done.out)
    assert (done.code, said["verdict"], said["valid_pairs"], said["attempted"]) == (
        0,
        "pass",
        10,
        11,
    )
    assert "killed by SIGKILL" in said["discards"][0]["why"]


def test_a_throttled_stretch_is_measured_again(gate, script):
    script.spoil = lambda number, launch: hot(launch) if 8 <= number < 20 else launch
    said = json.loads(gate(*AB, "--json").out)
    assert (said["verdict"], said["valid_pairs"], len(said["discards"])) == ("pass", 10, 6)
    assert said["ratio"]["value"] == pytest.approx(1, abs=0.01)


def test_a_phone_that_goes_away_is_invalid_and_loses_nothing(gate, folder, script):
    def unplugged(number, launch):
        if number == 9:
            raise MeasurementError("S1 does not answer any more: is it plugged in?")
        return launch

    script.spoil = unplugged
    done = gate(*AB, "--junit", "j.xml", "--badge", "b.json")
    assert done.code == 3
    assert done.complaint == "invalid: S1 does not answer any more: is it plugged in?"
    assert done.out.startswith("INVALID  b.tflite")
    kept = [read_record(path) for path in (folder / "reports").glob("*.json")]
    assert sorted(len(record.launches) for record in kept) == [3, 4]
    assert '<error type="invalid"' in (folder / "j.xml").read_text()
    assert json.loads((folder / "b.json").read_text())["color"] == "lightgrey"
    assert script.closed == 1


def test_a_phone_that_only_kills_is_given_up(gate, script):
    script.spoil = lambda number, launch: killed(launch) if number >= 2 else launch
    done = gate(*AB)
    assert (done.code, len(script.seen)) == (3, 2 + 2 * 3)
    assert "killed by SIGKILL" in done.complaint


def test_always_hot_is_invalid_at_the_cap(gate, script):
    script.spoil = lambda number, launch: hot(launch) if number > 1 else launch
    done = gate(*AB)
    assert (done.code, len(script.seen)) == (3, 74)
    assert done.complaint.startswith("invalid: only 0 valid pairs, of 10 needed (pair 1: ")


def test_invalid_is_tried_again_when_asked(gate, folder, script):
    script.spoil = lambda number, launch: killed(launch) if 2 <= number < 8 else launch
    done = gate(*AB, "--retry-invalid", "2", "--json")
    assert (done.code, json.loads(done.out)["verdict"]) == (0, "pass")
    assert "measuring again" in done.err
    lines = (folder / "reports/gate-history.jsonl").read_text().splitlines()
    assert [json.loads(line)["verdict"] for line in lines] == ["invalid", "pass"]


def test_a_regression_says_where(gate, script):
    script.factor["b"] = 1.1
    script.profiles = {
        "a": (OpTime("CONV_2D", "c1", 20.0), OpTime("ADD", "x", 1.0)),
        "b": (OpTime("CONV_2D", "c1", 20.0), OpTime("ADD", "x", 1.0), OpTime("MUL", "y", 3.0)),
    }
    done = gate(*AB)
    assert done.code == 1
    lines = [line.split() for line in done.out.splitlines()]
    assert ["MUL", "–", "3.00", "+3.000"] in lines
    assert "XNNPACK partitions" in done.out  # the graphs, side by side


def test_profiles_that_contradict_a_regression_are_no_cause(gate, script):
    script.factor["b"] = 1.1
    script.profiles = {
        "a": (OpTime("CONV_2D", "c1", 20.0), OpTime("ADD", "x", 4.0)),
        "b": (OpTime("CONV_2D", "c1", 20.5),),
    }
    done = gate(*AB)
    assert done.code == 1
    assert "does not show it: the operators took 24 ms of the baseline and 20.5 ms" in done.out


def test_survivors_of_the_screen_tell_no_noise_floor(gate, script):
    """Most launches differ by far; the few that lie close together resolve nothing."""

    def spread(number, launch):
        pair = number // 2
        ms = launch.summary.value_ms * (1.0 if pair % 7 == 1 else (1.3, 0.75)[number % 2])
        return replace(launch, summary=replace(launch.summary, mean_ms=ms, median_ms=ms))

    script.spoil = spread
    done = gate(*AB, "--json")
    said = json.loads(done.out)
    assert (done.code, said["verdict"]) == (3, "invalid")
    assert 0 < said["valid_pairs"] < 10
    assert said["noise"] > 0.05
    assert said["resolution"] is None
    assert "too few pairs to tell what it resolves" in gate(*AB).out


def test_a_regression_without_profiles_says_so(gate, script):
    script.factor["b"] = 1.1
    assert "litert gives no times of operators; --benchmark-model PROGRAM" in gate(*AB).out


def test_slower_slow_runs_and_slow_launches_are_warned_of(gate, script):
    def late(number, launch):
        if "b.tflite" not in launch.argv[1]:
            return launch
        summary = replace(launch.summary, p95_ms=1.3 * launch.summary.p95_ms)
        if number in (5, 13):  # twice only: it passes all the same
            summary = replace(summary, median_ms=1.3 * summary.median_ms)
        return replace(launch, summary=summary)

    script.spoil = late
    said = json.loads(gate(*AB, "--json").out)
    assert said["verdict"] == "pass"
    assert any("95th percentile by at least 2" in text for text in said["warnings"])


def test_the_same_file_is_measured_all_the_same(gate, script):
    done = gate("--baseline", "a.tflite", "--candidate", "a.tflite")
    assert done.code == 0
    assert "the candidate is the baseline, byte for byte" in done.out
    assert len(script.seen) == 22


def test_too_much_noise_is_said(gate, script):
    script.sd = 0.045
    assert "too noisy for delta 5.0%" in gate(*AB).out


# --- budgets -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "code"),
    [
        (("--max-latency-ms", 31), 0),
        (("--max-latency-ms", 29), 1),
        (("--max-latency-ms", 30), 3),
        (("--max-size-mb", 0.5), 0),
        (("--max-size-mb", 0.000001), 1),
        (("--max-peak-mem-mb", 101), 0),
        (("--max-peak-mem-mb", 99), 1),
        (("--max-ratio", "wide.tflite=0.9"), 0),
        (("--max-ratio", "wide.tflite=0.7"), 1),
    ],
)
def test_a_budget_is_judged_by_its_interval(gate, script, budget, code):
    script.factor["wide"] = 1.25
    alone = gate("--candidate", "b.tflite", *budget)
    assert alone.code == code, alone
    assert gate(*AB, *budget).code == code


def test_a_budget_that_is_open_goes_on_after_the_comparison(gate, script):
    said = json.loads(gate(*AB, "--max-latency-ms", 30, "--json").out)
    assert (said["compared"], said["verdict"]) == ("pass", "inconclusive")
    assert said["attempted"] == 10  # of the comparison; the launches went on
    assert len(script.seen) == 74


def test_what_a_runner_does_not_tell_is_invalid(gate, script):
    script.spoil = lambda number, launch: replace(launch, peak_mem_mb=None)
    done = gate(*AB, "--max-peak-mem-mb", 100)
    assert done.code == 3
    assert "peak_mem_mb only 0 values" in done.complaint


# --- CI ----------------------------------------------------------------------------------------


def test_on_github_the_job_shows_it(gate, folder, script, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.setenv(name, str(folder / name))
        (folder / name).write_text("before\n")
    script.factor["b"] = 1.2
    done = gate(*AB)
    assert done.code == 1
    assert "\n::error title=Latency of b.tflite on scripted::regressed: at least" in done.out
    summary = (folder / "GITHUB_STEP_SUMMARY").read_text()
    assert summary.startswith("before\n## ❌ Latency gate: regressed\n")
    assert (folder / "GITHUB_OUTPUT").read_text() == "before\nverdict=regressed\n"
    assert json.loads(gate(*AB, "--json").out)["verdict"] == "regressed"  # nothing else on stdout


def test_a_device_in_use_is_waited_for_so_long_only(gate, script):
    from ghostdeploy.runners.device_queue import hold_device

    with hold_device("scripted", 0):
        done = gate(*AB, "--wait", "0.01")
    assert done.code == 3
    assert "scripted is in use by process" in done.complaint
    assert script.opened == 0
    assert gate(*AB, "--wait", "0").code == 0
