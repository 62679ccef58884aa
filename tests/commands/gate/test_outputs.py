"""What a gate writes besides its verdict: checked first, and never at the verdict's cost."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from ghostdeploy.commands.gate import trial
from ghostdeploy.commands.gate.history import read_history
from ghostdeploy.errors import CheckFailed, OutputError, UsageError
from ghostdeploy.records import read_record

AB = ("--baseline", "a.tflite", "--candidate", "b.tflite")


@pytest.mark.parametrize("option", ["--history", "--junit", "--markdown", "--badge", "--records"])
@pytest.mark.parametrize("place", ["folder", "file/x", "/proc/x/y"])
def test_a_place_that_cannot_be_written_is_refused_before_anything_runs(
    gate, folder, script, option, place
):
    (folder / "folder").mkdir()
    (folder / "file").touch()
    if (option, place) == ("--records", "folder"):
        pytest.skip("records go into a folder")
    done = gate(*AB, option, place)
    assert done.code == 2
    assert "cannot write" in done.complaint
    assert script.opened == 0


def test_a_history_that_is_a_device_is_refused(gate, script):
    done = gate(*AB, "--history", "/dev/full")
    assert (done.code, script.opened) == (2, 0)
    assert "no ordinary file" in done.complaint


def test_a_history_of_another_is_refused(gate, folder, script, monkeypatch):
    (folder / "h.jsonl").touch()
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write everywhere
    done = gate(*AB, "--history", "h.jsonl")
    assert (done.code, script.opened) == (2, 0)
    assert "Permission denied" in done.complaint


@pytest.mark.parametrize(("factor", "code"), [(1.0, 0), (1.08, 1)])
def test_what_fails_afterwards_is_told_and_the_verdict_stays(
    gate, folder, script, monkeypatch, factor, code
):
    """Places that were fine at the start, and are gone once it was measured."""
    script.factor["b"] = factor
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "nowhere" / "summary"))
    monkeypatch.setenv("GITHUB_OUTPUT", "/dev/full")

    def take_away(number, launch):
        for name in ("h", "j"):
            path = folder / name
            if path.is_dir():
                path.rename(folder / f"{name}-was")
                path.symlink_to("/proc/nowhere")
        return launch

    script.spoil = take_away
    done = gate(*AB, "--history", "h/h.jsonl", "--junit", "j/j.xml", "--badge", "b.json")
    assert done.code == code
    assert done.out.startswith("REGRESSED  b.tflite" if code else "PASS  b.tflite")
    told = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    assert [line.split()[1] for line in told] == [
        "the",
        "j/j.xml",
        "$GITHUB_STEP_SUMMARY",
        "$GITHUB_OUTPUT",
    ]
    assert (folder / "b.json").exists()


@pytest.mark.parametrize(("factor", "code"), [(1.0, 0), (1.08, 1)])
@pytest.mark.parametrize("where", ["full", "closed pipe"])
def test_a_verdict_that_cannot_be_printed_keeps_its_exit_code(
    gate, script, monkeypatch, factor, code, where
):
    from ghostdeploy.cli.streams import _Output, _text

    script.factor["b"] = factor
    if where == "full":
        number = os.open("/dev/full", os.O_WRONLY)
    else:
        read, number = os.pipe()
        os.close(read)
    with _text(_Output(number, "w"), line_buffering=False) as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        done = gate(*AB)
    assert done.code == code
    assert ("warning: the verdict could not be written" in done.err) == (where == "full")
    assert ("regressed: at least" in done.err) == bool(code)


def test_a_candidate_that_fails_its_proof_is_no_regression(gate, folder, monkeypatch):
    """Exit code 1 of a gate says that the candidate got slower, and nothing else."""

    def fail(*_):
        raise CheckFailed("ghostnetv2.tflite: not the torch network's function")

    monkeypatch.setattr("ghostdeploy.commands.gate.plan.prepare_contenders", fail)
    done = gate("--baseline", "a.tflite", "--candidate", "ghostnetv2")
    assert done.code == 3
    assert done.complaint.startswith("nothing was measured: ghostnetv2.tflite: not the torch")
    assert gate("accept", "ghostnetv2").code == 3


@pytest.mark.parametrize("error", [OutputError("disk full"), UsageError("cannot write r.json")])
def test_records_that_cannot_be_written_any_more_are_invalid(gate, script, monkeypatch, error):
    real, written = trial.Session._write, []

    def write(self, arm):
        written.append(arm)
        if len(written) > 9:
            raise error
        real(self, arm)

    monkeypatch.setattr(trial.Session, "_write", write)
    done = gate(*AB)
    assert (done.code, script.closed) == (3, 1)
    assert done.complaint == f"invalid: {error}"
    assert done.out.startswith("INVALID  b.tflite")


def test_a_fault_while_the_cause_is_looked_for_costs_no_verdict(gate, script, monkeypatch):
    monkeypatch.setattr(trial, "find_slowdown", lambda *_: {}["no such operator"])
    script.factor["b"] = 1.2
    done = gate(*AB, "--json")
    assert (done.code, json.loads(done.out)["verdict"]) == (1, "regressed")
    assert "could not be looked for" in json.loads(done.out)["where"]["why_no_ops"]


SUITE = """
[[gate]]
name = "first"
baseline = "a.tflite"
candidate = "b.tflite"
[[gate]]
name = "second"
baseline = "a.tflite"
candidate = "{candidate}"
"""


@pytest.mark.parametrize(("factor", "code"), [(1.0, 2), (1.08, 1)])
def test_a_gate_of_a_suite_that_cannot_run_costs_the_others_nothing(
    gate, folder, script, factor, code
):
    script.factor["b"] = factor
    (folder / "s.toml").write_text(SUITE.format(candidate="gone.tflite"))
    done = gate("--suite", "s.toml", "--json")
    assert done.code == code
    (only,) = json.loads(done.out)["gates"]
    assert (only["name"], only["verdict"]) == ("first", "regressed" if code == 1 else "pass")
    assert "a gate could not be run: gone.tflite" in done.err
    assert [run.name for run in read_history(folder / "reports/gate-history.jsonl")[0]] == ["first"]


def test_a_proof_that_fails_in_a_suite_is_no_regression(gate, folder, monkeypatch):
    def fail(*_):
        raise CheckFailed("not the torch network's function")

    monkeypatch.setattr("ghostdeploy.commands.gate.plan.prepare_contenders", fail)
    (folder / "s.toml").write_text(SUITE.format(candidate="ghostnetv2"))
    done = gate("--suite", "s.toml", "--json")
    assert done.code == 3
    assert json.loads(done.out)["verdict"] == "pass"
    (said,) = json.loads(done.out)["errors"]
    assert said == "nothing was measured: not the torch network's function"


def test_a_suite_whose_options_make_no_sense_measures_nothing(gate, folder, script):
    text = SUITE.format(candidate="b.tflite") + "threads = 0\n"
    (folder / "s.toml").write_text(text)
    done = gate("--suite", "s.toml")
    assert (done.code, script.opened) == (2, 0)


def test_records_are_there_before_the_first_round(gate, folder, script):
    """A session that is killed in its first round can be resumed as any other."""
    seen = []

    def look(number, launch):
        records = [read_record(path) for path in sorted(Path("reports").glob("*_*.json"))]
        seen.append([len(record.launches) for record in records])
        return launch

    script.spoil = look
    gate(*AB)
    assert seen[:6] == [[], [], [0, 0], [1, 0], [1, 1], [1, 2]]
