"""A model file's artifact: what its sidecar may say of it, and how weights are known."""

from __future__ import annotations

import resource
from dataclasses import replace
from pathlib import Path

import pytest

from ghostdeploy.commands.artifacts import (
    artifact_of,
    sidecar_path,
    weights_identity,
    write_artifact,
)
from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import InputFileError, OutputError
from ghostdeploy.schema import Artifact, ModelSpec
from ghostdeploy.typed_json import to_json
from tests import small_models


@pytest.fixture
def bare(tmp_path) -> Artifact:
    """Of a.tflite, which has no sidecar."""
    path = tmp_path / "a.tflite"
    path.write_bytes(small_models.tflite())
    return artifact_of(path)


def test_a_file_without_a_sidecar_is_a_bare_artifact(bare, tmp_path):
    path = tmp_path / "a.tflite"
    assert bare == Artifact(str(path), file_sha256(path), path.stat().st_size, "tflite", "unknown")
    assert bare.name == "a.tflite"


def test_a_sidecar_counts_only_for_its_own_file(bare, tmp_path):
    path = tmp_path / "a.tflite"
    sidecar = tmp_path / "a.tflite.json"
    full = replace(bare, path="elsewhere", precision="fp16", spec=ModelSpec("ghostnetv1"))
    sidecar.write_text(to_json(full))
    assert artifact_of(path) == replace(full, path=str(path))
    sidecar.write_text(to_json(replace(full, sha256="0" * 64)))
    assert artifact_of(path) == bare
    for damage in ("", "{", "[]", "{}"):
        sidecar.write_text(damage)
        assert artifact_of(path) == bare
    sidecar.unlink()
    sidecar.mkdir()
    assert artifact_of(path) == bare


def test_what_is_no_model_file_is_refused(tmp_path):
    (tmp_path / "d.tflite").mkdir()
    (tmp_path / "e.tflite").touch()
    (tmp_path / "w.pth").write_bytes(b"x")
    for name in ("d.tflite", "e.tflite", "w.pth", "absent.onnx"):
        with pytest.raises(InputFileError, match=r"^[^\n]+$"):
            artifact_of(tmp_path / name)


def test_the_sidecar_is_named_after_the_whole_file_name():
    assert sidecar_path(Path("out/a_1.0.onnx")) == Path("out/a_1.0.onnx.json")


def test_weights_are_known_by_their_content(tmp_path):
    one, two = tmp_path / "one.pth", tmp_path / "two.pth"
    one.write_bytes(b"x")
    two.write_bytes(b"x")
    assert weights_identity(one, 0) == weights_identity(two, 5)
    assert weights_identity(one, 0).startswith("sha256:2d711642b726b044")
    assert weights_identity(None, 5) == "seed:5"


def test_a_model_and_its_sidecar_stay_together_where_one_cannot_be_written(bare, tmp_path):
    path = tmp_path / "b.tflite"
    write_artifact(path, b"old", bare)
    before = sidecar_path(path).read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 1000, limit[1]))
    try:
        with pytest.raises(OutputError, match="cannot write"):
            write_artifact(path, b"n" * 100_000, bare)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert path.read_bytes() == b"old"
    assert sidecar_path(path).read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} == {"a.tflite", "b.tflite", "b.tflite.json"}
