"""``ghostdeploy export``: what is made again, what is not, and what is never written."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ghostdeploy import zoo
from ghostdeploy.commands.export import ExportRequest, export, pipeline
from ghostdeploy.errors import CheckFailed, ConversionError
from ghostdeploy.lowering.provenance import content_key, tool_versions
from ghostdeploy.schema import ExportOptions
from tests.command_line import PROGRAM, ROOT, complaint, ghostdeploy
from tests.optional_packages import NEEDS_TORCH

SPEC = zoo.make_spec(width=0.5, resolution=(64, 64), num_classes=10)


class MadeAnew(Exception):
    """In place of the work itself, where only the decision is looked at."""


@pytest.fixture
def folder(small_onnx, tmp_path):
    return shutil.copytree(small_onnx.folder, tmp_path / "models")


def request_for(folder: Path, **changes: object) -> ExportRequest:
    return replace(ExportRequest(SPEC, ("onnx",), out=folder), **changes)


@contextmanager
def deciding(monkeypatch):
    def make(*args):
        raise MadeAnew

    monkeypatch.setattr(pipeline.Export, "run", make)
    yield


# --- reuse -----------------------------------------------------------------------------------


def test_what_is_there_already_is_reused(folder):
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    (result,) = export(request_for(folder))
    assert result.reused
    assert [Path(result.artifact.path)] == list(folder.glob("*.onnx"))
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} == before


def test_a_damaged_file_is_mended(folder):
    """With the very bytes that it had, and so has its sidecar."""
    good = {p.name: p.read_bytes() for p in folder.iterdir()}
    (path,) = folder.glob("*.onnx")
    data = path.read_bytes()
    path.write_bytes(data[:5000] + bytes([data[5000] ^ 1]) + data[5001:])
    (result,) = export(request_for(folder))
    assert not result.reused
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == good


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def other_key(path: Path) -> None:
    known = json.loads(path.read_text())
    path.write_text(json.dumps(known | {"content_key": "0" * 64}))


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [
        (".onnx", truncate),
        (".onnx", empty),
        (".onnx", Path.unlink),
        (".json", truncate),
        (".json", empty),
        (".json", other_key),
        (".json", Path.unlink),
        (".json", to_folder),
    ],
)
def test_nothing_doubtful_is_reused(folder, monkeypatch, suffix, damage):
    (path,) = folder.glob(f"*{suffix}")
    damage(path)
    with deciding(monkeypatch), pytest.raises(MadeAnew):
        export(request_for(folder))


@pytest.mark.parametrize("changes", [{"force": True}, {"export": ExportOptions(softmax=True)}])
def test_another_request_is_not_answered_with_it(folder, monkeypatch, changes):
    with deciding(monkeypatch), pytest.raises(MadeAnew):
        export(request_for(folder, **changes))


# --- the content key -------------------------------------------------------------------------


def test_everything_that_matters_is_in_the_content_key():
    spec = zoo.make_spec()
    plain = ExportOptions()
    keys = [
        content_key(spec, plain, "seed:0", "onnx", "fp32"),
        content_key(spec, plain, "seed:1", "onnx", "fp32"),
        content_key(spec, plain, "sha256:00", "onnx", "fp32"),
        content_key(spec, plain, "seed:0", "tflite", "fp32"),
        content_key(spec, plain, "seed:0", "onnx", "fp16"),
        content_key(spec, ExportOptions(softmax=True), "seed:0", "onnx", "fp32"),
        content_key(spec, ExportOptions(labels=("a",)), "seed:0", "onnx", "fp32"),
        content_key(replace(spec, width=1.3), plain, "seed:0", "onnx", "fp32"),
        content_key(zoo.make_spec(changes={"scale": "clip"}), plain, "seed:0", "onnx", "fp32"),
    ]
    assert len(set(keys)) == len(keys)
    assert keys[0] == content_key(zoo.make_spec(), ExportOptions(), "seed:0", "onnx", "fp32")


def test_the_tools_versions_are_in_the_content_key(monkeypatch):
    args = (zoo.make_spec(), ExportOptions(), "seed:0", "onnx", "fp32")
    before = content_key(*args)
    monkeypatch.setitem(tool_versions(), "onnx2tf", "0.0.0")
    assert content_key(*args) != before


@pytest.mark.parametrize(
    ("edited", "matters"),
    [
        ("zoo/layers.py", True),
        ("lowering/rewrites/depthwise.py", True),
        ("flatbuffer.py", True),
        ("commands/export/pipeline.py", True),
        ("commands/proof.py", True),
        ("linting/rules/layout_ops.py", True),
        ("report/html.py", False),
        ("cli/app.py", False),
    ],
)
def test_an_edited_source_is_another_content_key(tmp_path, edited, matters):
    """On a copy of the package."""
    source = ROOT / "ghostdeploy"
    ignored = shutil.ignore_patterns("__pycache__", "paper")
    shutil.copytree(source, tmp_path / "ghostdeploy", ignore=ignored)

    def digest() -> str:
        code = "from ghostdeploy.lowering import provenance; print(provenance.__file__)"
        code += "; print(provenance.source_digest())"
        env = {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        place, found = done.stdout.split()
        assert place.startswith(str(tmp_path))
        return found

    before = digest()
    with (tmp_path / "ghostdeploy" / edited).open("a") as file:
        file.write("\n# another line\n")
    assert (digest() != before) == matters


# --- nothing is written ----------------------------------------------------------------------


def test_a_graph_that_breaks_the_contract_is_refused(tmp_path, monkeypatch):
    """A DFC branch that someone has rewritten with a reshape."""
    from ghostdeploy.zoo.layers import DfcUp

    plain = DfcUp.forward

    def reshaping(self, gate, size):
        flat = gate.reshape(gate.shape[0], gate.shape[1], gate.shape[2] * gate.shape[3])
        return plain(self, flat.sigmoid().reshape(gate.shape), size)

    monkeypatch.setattr(DfcUp, "forward", reshaping)
    with pytest.raises(CheckFailed) as failed:
        export(request_for(tmp_path))
    assert failed.value.exit_code == 1
    text = str(failed.value)
    assert "\n" not in text
    assert "Reshape" in text
    assert "blocks.3.0.ghost1" in text or "blocks.2.0.ghost1" in text
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_another_function_is_refused(tmp_path, monkeypatch, converted):
    """onnx2tf's own output, without the rewrite that mends its up-sampling."""
    from ghostdeploy.lowering import rewrites, tflite

    class Replay:
        """What the converter gave for this very network."""

        def start(self, onnx, precision):
            assert len(onnx) > 1e6

        def finish(self):
            return converted.raw

    @contextmanager
    def replayed():
        yield Replay()

    monkeypatch.setattr(tflite, "start_converter", replayed)
    others = {name: row for name, row in rewrites.REWRITES.items() if name != "nearest-floor"}
    monkeypatch.setattr(rewrites, "REWRITES", others)
    with pytest.raises(CheckFailed) as failed:
        export(ExportRequest(converted.spec, ("tflite",), out=tmp_path))
    assert str(failed.value).startswith(
        "ghostnetv2_0.5_160_fp32.tflite: not the torch network's function:"
        " blocks.8.0.ghost1.up/resize is the first layer that differs"
    )
    assert failed.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []


@NEEDS_TORCH
def test_a_full_disk_leaves_nothing(tmp_path):
    """Every file that this process writes may have a megabyte at most."""

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    out, temporary = tmp_path / "out", tmp_path / "tmp"
    temporary.mkdir()
    words = ("--width", "0.5", "--resolution", "64", "--format", "onnx")
    done = subprocess.run(
        [*PROGRAM, "export", *words, "--out", str(out)],
        env={"TMPDIR": str(temporary), "HOME": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=small_disk,
        timeout=300,
    )
    assert done.returncode == 3
    assert complaint(done).startswith(f"cannot write {out}/ghostnetv2_0.5_64_fp32.onnx: File too")
    assert list(out.iterdir()) == []
    assert list(temporary.glob("ghostdeploy-*")) == []


def test_no_room_for_the_converter_is_told(tmp_path):
    from ghostdeploy.lowering.tflite import start_converter

    with start_converter() as converter:
        shutil.rmtree(converter.folder)
        with pytest.raises(ConversionError, match=r"^no room for onnx2tf in .*: No such file"):
            converter.start(b"model", "fp32")


# --- the command's own words -----------------------------------------------------------------


def test_the_whole_command_says_only_its_own_lines(whole):
    """No line of TensorFlow, absl, onnx2tf or torch."""
    progress = whole.done.stderr.splitlines()
    assert progress[0] == "[  0 %] building ghostnetv2_1.0_224_fp32.onnx"
    assert progress[-1] == "[100 %] done"
    percents = [int(line[1:4]) for line in progress]
    assert percents == sorted(percents)
    first, onnx, onnx_proof, onnx_use, *rest = whole.done.stdout.splitlines()
    tflite, tflite_proof, mended, more, tflite_use = rest
    assert onnx_use.startswith("  ")
    assert tflite_use.startswith("  ")
    assert first == "seeded random weights (seed 0); give trained ones with --weights"
    assert onnx == f"{whole.path('onnx')} 24.64 MB"
    assert tflite.startswith(f"{whole.path('tflite')} 24.5")
    assert onnx_proof.startswith("  equal to torch in onnxruntime 1.23.0: relative L2 ")
    assert tflite_proof.startswith("  equal to torch in LiteRT 2.1.0: relative L2 ")
    assert mended.startswith("  rewrites: nearest-floor ×14")
    assert "depthwise ×5" in mended
    assert "--opt fast" in more


def test_it_leaves_the_files_and_nothing_else(whole):
    stem = "ghostnetv2_1.0_224_fp32"
    names = {f"{stem}.{format}{end}" for format in ("onnx", "tflite") for end in ("", ".json")}
    assert {p.name for p in whole.folder.iterdir()} == names


def test_a_second_command_reuses_and_says_so(small_onnx):
    args = ("--width", "0.5", "--num-classes", "10", "--resolution", "64", "--format", "onnx")
    done = ghostdeploy("export", *args, "--out", small_onnx.folder, "--json")
    assert done.returncode == 0
    assert done.stderr == ""
    (found,) = json.loads(done.stdout)
    assert found["reused"] is True
    assert found["path"] == str(small_onnx.path("onnx"))
    plain = ghostdeploy("export", *args, "--out", small_onnx.folder)
    assert "(there already)" in plain.stdout
