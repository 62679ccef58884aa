"""Files for the viewers that people have open: a trace, node data, a page of a diff."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import small_models
from tests.command_line import complaint, ghostdeploy


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    (folder / "tiny.tflite").write_bytes(small_models.tflite("tiny"))
    return folder


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give --profile, too"),
        (("--profile", "--device", "qemu:cortex-a76"), "counts instructions"),
    ],
)
def test_a_trace_that_cannot_be_is_refused_at_once(
    folder: Path, options: tuple[str, ...], said: str
) -> None:
    done = ghostdeploy("bench", "tiny.tflite", "--trace", "t.json", *options, cwd=folder)
    assert done.returncode == 2
    assert said in complaint(done)
    assert not (folder / "t.json").exists()


def test_a_trace_and_the_command_line_of_a_profile(folder: Path) -> None:
    options = "--device fake:kirin980 --profile --launches 2 --runs 2 --warmup 1 --trace t.json"
    done = ghostdeploy("bench", "tiny.tflite", *options.split(), "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    events = json.loads((folder / "t.json").read_text())["traceEvents"]
    assert [event["args"]["name"] for event in events[:1]] == ["tiny.tflite on kirin980"]
    assert any(event["ph"] == "X" for event in events)
    document = json.loads(done.stdout)
    assert document["files"] == ["t.json"]
    command = document["models"][0]["evidence"]["command"]
    assert command == f"ghostdeploy bench tiny.tflite {options} --json"


def test_node_data_beside_the_findings(folder: Path) -> None:
    done = ghostdeploy("lint", "tiny.tflite", "--model-explorer", "nodes.json", cwd=folder)
    assert json.loads((folder / "nodes.json").read_text())["main"]["results"]
    assert "wrote nodes.json" in done.stderr
    both = ghostdeploy(
        "lint", "tiny.tflite", "tiny.tflite", "--model-explorer", "x.json", cwd=folder
    )
    assert (both.returncode, "one FILE" in both.stderr) == (2, True)


def test_a_diff_is_a_page_too(folder: Path) -> None:
    done = ghostdeploy("lint", "tiny.tflite", "tiny.tflite", "--diff", "--html", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "wrote lint.html\n")
    assert "do not differ" in (folder / "lint.html").read_text()
