"""Many gates in one: order, time, combined verdict, and files that are wrong."""

from __future__ import annotations

import json

import pytest

from ghostdeploy.cli.app import cli
from ghostdeploy.commands.gate.suite import KEYS

SUITE = """
[defaults]
baseline = "a.tflite"
[[gate]]
name = "first"
candidate = "a.tflite"
[[gate]]
name = "second"
candidate = "b.tflite"
max_latency_ms = 40
"""


def test_all_are_run_and_combined(gate, folder, script):
    (folder / "gates.toml").write_text(SUITE)
    done = gate("--suite", "gates.toml", "--junit", "j.xml", "--markdown", "s.md")
    assert done.code == 0, done.err
    assert done.out.endswith("PASS: 2 pass\n")
    assert (folder / "j.xml").read_text().count("<testcase ") == 2
    assert "| second | scripted |" in (folder / "s.md").read_text()
    script.factor["b"] = 1.2
    done = gate("--suite", "gates.toml", "--json")
    said = json.loads(done.out)
    assert (done.code, said["verdict"]) == (1, "regressed")
    assert {g["name"]: g["verdict"] for g in said["gates"]} == {
        "first": "pass",
        "second": "regressed",
    }
    assert done.complaint == "regressed: 1 pass, 1 regressed"


def test_what_tells_most_comes_first(gate, folder, script):
    (folder / "gates.toml").write_text(SUITE)

    def names():
        said = json.loads(gate("--suite", "gates.toml", "--json").out)
        return [g["name"] for g in said["gates"]]

    assert names() == ["first", "second"]  # never run: as written
    script.factor["b"] = 1.2
    assert names() == ["first", "second"]  # both passed: the one longest ago
    assert names() == ["second", "first"]  # it regressed


def test_a_damaged_history_does_not_stop_a_suite(gate, folder):
    (folder / "gates.toml").write_text(SUITE)
    (folder / "log.jsonl").write_bytes(b"\xff\n{}\n")
    assert gate("--suite", "gates.toml", "--history", "log.jsonl").code == 0
    assert len((folder / "log.jsonl").read_bytes().splitlines()) == 4


def test_a_gate_that_cannot_be_run_is_told_without_control_characters(gate, folder):
    third = '[[gate]]\nname = "third"\ncandidate = "a.tflite"\nbaseline = "\\u0000\\u001b[31m"\n'
    (folder / "gates.toml").write_text(SUITE + third)
    done = gate("--suite", "gates.toml")
    assert done.code == 2
    told = [line for line in done.err.splitlines() if line.startswith("a gate could not be run: ")]
    assert len(told) == 1
    assert all(character.isprintable() for character in told[0])


def test_a_spent_time_is_never_green(gate, folder, script):
    (folder / "gates.toml").write_text("time_budget_min = 0.0001\n" + SUITE)
    done = gate("--suite", "gates.toml")
    assert done.code == 3
    assert "the time of" in done.out
    assert len(script.seen) < 2 * 12


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty: it needs at least one [[gate]]"),
        ("gate = []", "is empty"),
        ("[[gate]]\n", "[[gate]] 1 needs a candidate"),
        ("x =", "not TOML"),
        ("speed = 1\n[[gate]]\ncandidate='a'", "no key is called 'speed'"),
        ("[[gate]]\ncandidate='a'\nspeed=1", "[[gate]] 1 has no key 'speed'; there are alpha"),
        ("[[gate]]\ncandidate='a'\nthreads='1'", "threads must be int, not '1'"),
        ("[[gate]]\ncandidate='a'\nthreads=true", "threads must be int, not True"),
        ("[[gate]]\ncandidate='a'\n[[gate]]\ncandidate='a'", "two gates are called 'a'"),
        ("time_budget_min=0\n[[gate]]\ncandidate='a'", "time_budget_min must be minutes above 0"),
        ("defaults=3\n[[gate]]\ncandidate='a'", "[defaults] must be a table"),
    ],
)
def test_a_wrong_suite_gets_one_line(gate, folder, script, text, says):
    (folder / "gates.toml").write_text(text)
    done = gate("--suite", "gates.toml")
    assert done.code == 2
    assert done.complaint.startswith("gates.toml: ")
    assert says in done.complaint
    assert script.seen == []


def test_every_key_is_an_option_of_the_gate():
    options = {parameter.name for parameter in cli.commands["gate"].params}
    assert KEYS.keys() <= options


def test_a_suite_and_a_candidate_exclude_each_other(gate, folder):
    done = gate("--suite", "gates.toml", "--candidate", "a.tflite")
    assert (done.code, "exclude each other" in done.complaint) == (2, True)
