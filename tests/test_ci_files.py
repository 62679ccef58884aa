"""The action and the workflows call what is there: their own scripts, run as CI runs them."""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
from pathlib import Path

import pytest

from ghostdeploy.cli.app import cli
from ghostdeploy.commands.gate.suite import read_suite
from tests import small_models
from tests.command_line import PROGRAM, ROOT

ACTION = (ROOT / "action.yml").read_text()
WORKFLOWS = sorted((ROOT / "docs/ci").glob("*.yml"))


def script(name: str) -> str:
    """The ``run: |`` block of the action's step ``name``."""
    step = ACTION.split(f"- name: {name}\n")[1].split("\n    - name:")[0]
    return textwrap.dedent(step.split("run: |\n")[1])


@pytest.fixture
def runner(tmp_path):
    """A runner's folders; its ghostdeploy is this one."""
    command = tmp_path / "temp/ghostdeploy/bin/ghostdeploy"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nexec {" ".join(PROGRAM)} "$@"\n')
    command.chmod(0o755)
    (tmp_path / "m.tflite").write_bytes(small_models.tflite())
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "TMPDIR": str(tmp_path / "temp"),
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }
    for name, default in re.findall(
        r"^  ([a-z-]+):\n(?:    .*\n)*?    default: (.*)$", ACTION, re.M
    ):
        environment[name.upper().replace("-", "_")] = default.strip('"')

    def run(**inputs: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script("Gate")],
            cwd=tmp_path,
            env={**environment, **inputs},
            capture_output=True,
            text=True,
        )

    return run


def test_the_action_says_at_once_that_another_python_is_needed(tmp_path):
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\n[ "$1" != -V ] || echo Python 3.14.0\nexit 1\n')
    python.chmod(0o755)
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script("Install ghostdeploy")],
        env={**os.environ, "PYTHON": str(python), "RUNNER_TEMP": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert f"::error::Python 3.10 to 3.13 is needed, {python} is Python 3.14.0." in done.stdout
    assert done.stdout.count("\n") == 1
    assert list(tmp_path.iterdir()) == [python]


def test_the_actions_script_gates_and_leaves_everything(runner, tmp_path):
    arguments = "--runs 10 --warmup 2 --max-size-mb 1"
    done = runner(DEVICE="local", CANDIDATE="m.tflite", BASELINE="none", ARGUMENTS=arguments)
    assert done.returncode == 0, done.stderr
    left = {path.name for path in (tmp_path / "gate-reports").iterdir()}
    assert {"gate.xml", "gate.md", "badge.json", "gate-history.jsonl"} <= left
    assert (tmp_path / "output").read_text() == "verdict=pass\n"
    assert (tmp_path / "summary.md").read_text().startswith("## ✅ Latency gate: pass")


def test_the_actions_script_fails_on_a_broken_budget(runner, tmp_path):
    arguments = "--runs 10 --warmup 2 --max-size-mb 0.000001"
    done = runner(DEVICE="local", CANDIDATE="m.tflite", BASELINE="none", ARGUMENTS=arguments)
    assert done.returncode == 1
    assert (tmp_path / "output").read_text() == "verdict=regressed\n"


def test_an_input_is_no_command(runner, tmp_path):
    done = runner(DEVICE="local", CANDIDATE="$(touch pwned)`touch pwned`;touch pwned", SUITE="")
    assert done.returncode == 2
    assert not (tmp_path / "pwned").exists()


def test_inputs_reach_scripts_by_the_environment_only():
    for name in ("Install ghostdeploy", "Gate"):
        assert "${{" not in script(name)
    for path in WORKFLOWS:
        for block in re.findall(r"run: \|\n((?: {10,}.*\n)+)", path.read_text()):
            assert "${{" not in block


@pytest.mark.parametrize("path", [ROOT / "action.yml", *WORKFLOWS], ids=lambda path: path.name)
def test_every_option_exists(path: Path):
    gate = cli.commands["gate"]
    commands = [gate, gate.commands["accept"], cli.commands["export"]]
    known = {option for command in commands for p in command.params for option in p.opts}
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    of_others = re.compile(r"\bpip\b|\bgit\b|\bgh\b|disable-pip")
    used = {o for x in lines if not of_others.search(x) for o in re.findall(r"--[a-z][a-z-]+", x)}
    assert used <= known


def test_the_example_suite_is_one():
    path = ROOT / "docs/ci/gates.toml"
    suite = read_suite(path)
    assert suite.time_s == 45 * 60
    assert len(suite.gates) == path.read_text().count("[[gate]]")
