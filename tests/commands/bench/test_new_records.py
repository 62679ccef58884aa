"""Artifacts of files, and the names that their records get."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ghostdeploy import records
from ghostdeploy.commands.bench.new_records import artifact_of, record_name
from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import InputFileError
from ghostdeploy.schema import Artifact, ModelSpec
from tests.commands.bench.hand_made import DEVICE


def test_a_file_without_a_sidecar_is_a_bare_artifact(models, tmp_path):
    path = tmp_path / "a.tflite"
    assert models[0] == Artifact(
        str(path), file_sha256(path), path.stat().st_size, "tflite", "unknown"
    )
    assert models[0].name == "a.tflite"


def test_a_sidecar_counts_only_for_its_own_file(models, tmp_path):
    path = tmp_path / "a.tflite"
    sidecar = tmp_path / "a.tflite.json"
    full = replace(models[0], path="elsewhere", precision="fp16", spec=ModelSpec("ghostnetv1"))
    sidecar.write_text(records.to_json(full))
    assert artifact_of(path) == replace(full, path=str(path))
    sidecar.write_text(records.to_json(replace(full, sha256="0" * 64)))
    assert artifact_of(path) == models[0]
    for damage in ("", "{", "[]", "{}"):
        sidecar.write_text(damage)
        assert artifact_of(path) == models[0]
    sidecar.unlink()
    sidecar.mkdir()
    assert artifact_of(path) == models[0]


def test_what_is_no_model_file_is_refused(tmp_path):
    (tmp_path / "d.tflite").mkdir()
    (tmp_path / "e.tflite").touch()
    (tmp_path / "w.pth").write_bytes(b"x")
    for name in ("d.tflite", "e.tflite", "w.pth", "absent.onnx"):
        with pytest.raises(InputFileError, match=r"^[^\n]+$"):
            artifact_of(tmp_path / name)


def test_a_records_name_is_safe_and_says_what_it_is():
    ours = Artifact("x.tflite", "", 1, "tflite", "int8", ModelSpec("ghostnetv2"))
    assert (
        record_name("20250102-030405-abcdef", 1, ours, DEVICE)
        == "20250102-030405-abcdef_2-ghostnetv2_1.0_224-int8.tflite_adb-10.0.0.2-5555.json"
    )
    odd = Artifact("../é /" + "n" * 300 + ";rm.tflite", "", 1, "tflite", "unknown")
    name = record_name("s", 0, odd, replace(DEVICE, serial="../../x"))
    assert name.endswith("_adb-..-..-x.json")
    assert len(name) < 200
    assert name.isascii()
    assert not set(name) & set(" /;\\:")
