"""``ghostdeploy compare``, ``bench`` and ``report`` as commands, on small networks."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest

from ghostdeploy.commands.compare import (
    ACCURACIES,
    INTERVALS,
    SELF_ATTENTION,
    choose_notes,
    compare_with_paper,
)
from ghostdeploy.commands.models import paper_says_of
from ghostdeploy.errors import MissingExtraError
from ghostdeploy.linting import lint_graph, read_graph
from ghostdeploy.lowering.rewrites import FORMS, Form
from ghostdeploy.records import read_artifact, read_record
from ghostdeploy.schema import Artifact, ExportOptions
from ghostdeploy.zoo import make_spec
from tests.command_line import complaint, ghostdeploy
from tests.lowering.networks import distance, litert, logits, nhwc, normalized, seeded

MODELS = ("ghostnetv1_sa", "ghostnetv2")
NETWORK = ("--width", "0.5", "--resolution", "160", "--num-classes", "10")
# A busy test machine spoils no launch here.
MEASURE = ("--launches", "2", "--runs", "3", "--warmup", "1", "--max-disturbance", "1")


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare")
    done = ghostdeploy(
        "compare", "--models", ",".join(MODELS), *NETWORK, *MEASURE,
        "--out", folder / "models", "--records", folder / "reports", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder, done


def records(folder: Path) -> list[Path]:
    """In the order of measurement; the report's own JSON is not one."""
    return sorted(p for p in (folder / "reports").glob("*.json") if p.name[0].isdigit())


def test_it_says_only_its_own_lines(compared):
    _, done = compared
    found = [re.match(r"\[([ \d]{3}) %\] ", line) for line in done.stderr.splitlines()]
    assert all(found)
    percents = [int(match[1]) for match in found if match]
    assert percents == sorted(percents)  # the total of exports and rounds is one
    assert "[  0 %] exporting 2 models" in done.stderr


def test_json(compared):
    folder, done = compared
    found = json.loads(done.stdout)
    assert {Path(f).suffix for f in found["files"]} == {".html", ".json", ".md", ".png"}
    assert all(Path(f).parent == folder / "reports" for f in found["files"])
    base, second = found["models"]
    assert [m["title"] for m in found["models"]] == [
        "GhostNet + self-attention 0.5× 160×160",
        "GhostNetV2 0.5× 160×160",
    ]
    assert base["ratio"] == {"value": 1.0, "lower": 1.0, "upper": 1.0}
    assert second["latency_ms"]["value"] > 0
    assert second["valid_launches"] == 2
    assert second["paper"] == {"latency_ms": None, "ratio": None, "source": ""}  # not its size
    assert second["evidence"]["session"] == base["evidence"]["session"]
    assert second["device"]["scheme"] == "local"
    assert Path(second["file"]).is_file()


def test_the_files_say_the_same(compared):
    folder, done = compared
    found = json.loads(done.stdout)
    paths = {Path(f).suffix: Path(f) for f in found["files"]}
    for suffix in (".html", ".md"):
        text = paths[suffix].read_text()
        assert all(m["title"] in text for m in found["models"])
    assert paths[".png"].read_bytes().startswith(b"\x89PNG")
    html = paths[".html"].read_text()
    assert not re.search(r"(src|href)=[\"']https?:", html)  # it works offline
    kept = [read_record(path) for path in records(folder)]
    assert [r.artifact.path for r in kept] == [m["file"] for m in found["models"]]


def test_report_makes_the_same_table_from_the_records_alone(compared, tmp_path):
    folder, done = compared
    again = ghostdeploy(
        "report", *records(folder), "--out", tmp_path, "--name", "again", "--title", "Comparison"
    )
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.splitlines() == [f"wrote {p}" for p in written(tmp_path, again)]
    found = json.loads(done.stdout)
    before = next(Path(f) for f in found["files"] if f.endswith(".md")).read_text()
    assert table(before)
    assert table((tmp_path / "again.md").read_text()) == table(before)


def written(folder: Path, done) -> list[Path]:
    paths = [Path(line.removeprefix("wrote ")) for line in done.stdout.splitlines()]
    assert sorted(paths) == sorted(folder.iterdir())
    return paths


def table(markdown: str) -> list[str]:
    return [line for line in markdown.splitlines() if line.startswith("|")]


def test_the_papers_figures_stand_beside_floats_only(compared):
    record = read_record(records(compared[0])[0])
    files = [
        replace(record.artifact, spec=make_spec("ghostnetv2"), precision=precision)
        for precision in ("fp32", "int8")
    ]
    floats, integers = compare_with_paper([replace(record, artifact=file) for file in files])
    assert (floats.paper_latency_ms, floats.paper_ratio, floats.paper_top1) == (37.5, 1.0, 75.3)
    assert (integers.paper_latency_ms, integers.paper_ratio, integers.paper_top1) == (None,) * 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, 37.5),
        ({"export": ExportOptions(labels=("a",))}, 37.5),
        ({"export": FORMS["fast"]}, None),
        ({"export": FORMS["plain"]}, None),
        ({"export": ExportOptions(embed_preprocessing=True)}, None),
        ({"precision": "int8"}, None),
        ({"format": "onnx"}, None),
        ({"spec": make_spec(num_classes=10)}, None),
        ({"spec": None}, None),
    ],
)
def test_the_paper_stands_beside_the_form_that_it_measured_only(changes, said):
    ours = Artifact("m.tflite", "0", 1, "tflite", "fp32", make_spec("ghostnetv2"))
    if isinstance(form := changes.get("export"), Form):
        changes = {"export": ExportOptions(without=form.without, speed=form.speed)}
    assert paper_says_of(replace(ours, **changes)).latency_ms == said


def test_notes_are_of_what_is_in_the_table(compared):
    rows = compare_with_paper([read_record(path) for path in records(compared[0])])
    assert choose_notes(rows) == (INTERVALS, SELF_ATTENTION)  # the paper has not this width
    assert choose_notes(rows[1:]) == (INTERVALS,)
    told = [replace(row, paper_top1=75.3) for row in rows]
    assert choose_notes(told) == (INTERVALS, ACCURACIES, SELF_ATTENTION)


def test_an_empty_list_of_models_is_refused():
    for option in ("--models", "--precisions"):
        done = ghostdeploy("compare", option, " , ")
        assert done.returncode == 2
        assert complaint(done).startswith(f"{option} ' , ' names nothing")


def test_the_same_rows_from_the_records(compared):
    folder, done = compared
    rows = compare_with_paper([read_record(path) for path in records(folder)])
    for row, said in zip(rows, json.loads(done.stdout)["models"], strict=True):
        assert row.title == said["title"]
        assert row.latency_ms.value == said["latency_ms"]["value"]


def test_self_attention_is_exported_right_and_its_reshapes_are_told(compared, image):
    folder, _ = compared
    (path,) = (folder / "models").glob("ghostnetv1_sa*.tflite")
    spec = read_artifact(path.with_suffix(".tflite.json")).spec
    x = normalized(image(spec))
    for builtin in (False, True):
        got = litert(path.read_bytes(), nhwc(x), builtin=builtin)[0]
        assert distance(logits(seeded(spec), x), got) < 1e-4
    report = lint_graph(read_graph(path), spec)
    layout = [f for f in report.findings if f.rule == "layout-ops"]
    assert layout
    assert {f.severity for f in layout} == {"info"}
    assert any("RESHAPE" in f.message for f in layout)
    assert ghostdeploy("lint", path).returncode == 0


def test_bench_reuses_the_exports_and_prints_json(compared):
    folder, _ = compared
    done = ghostdeploy(
        "bench", "ghostnetv2", *NETWORK, "--launches", "1", "--runs", "2", "--warmup", "0",
        "--max-disturbance", "1",
        "--out", folder / "models", "--records", folder / "bench", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (model,) = json.loads(done.stdout)["models"]
    assert model["title"] == "GhostNetV2 0.5× 160×160"
    assert model["valid_launches"] == 1
    assert "building" not in done.stderr


def test_a_ratio_needs_a_common_session(compared):
    folder, _ = compared
    one, two = (read_record(path) for path in records(folder))
    other = replace(two, evidence=replace(two.evidence, session="another"))
    _, row = compare_with_paper([one, other])
    assert row.ratio is None
    assert "not measured in one session" in row.advice


def test_report_refuses_what_is_no_record(compared, tmp_path):
    folder, _ = compared
    side = next((folder / "models").glob("*.tflite.json"))
    done = ghostdeploy("report", side, "--out", tmp_path / "none")
    assert done.returncode == 2
    assert "not a benchmark record" in complaint(done)
    assert not (tmp_path / "none").exists()


def test_errors_survive_the_way_between_processes():
    """Exports side by side send them home."""
    sent = pickle.loads(pickle.dumps(MissingExtraError("onnx2tf", "export")))
    assert isinstance(sent, MissingExtraError)
    assert str(sent) == "onnx2tf is not installed; run: pip install 'ghostdeploy[export]'"
