"""Keys of content: the same key stands for the same bytes, whatever decides them is in it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from ghostdeploy.lowering import provenance
from ghostdeploy.lowering.provenance import content_key
from ghostdeploy.schema import ExportOptions
from ghostdeploy.zoo import make_spec
from tests.optional_packages import ABSENT

SPEC, OPTIONS = make_spec(width=0.5), ExportOptions()
GIVEN = {
    "spec": SPEC,
    "export": OPTIONS,
    "weights": "seed:0",
    "format": "tflite",
    "precision": "fp32",
    "quantized": None,
}


@pytest.mark.parametrize(
    "change",
    [
        {"spec": replace(SPEC, width=0.6)},
        {"spec": replace(SPEC, resolution=(224, 225))},
        {"spec": replace(SPEC, num_classes=10)},
        {"export": replace(OPTIONS, softmax=True)},
        {"export": replace(OPTIONS, labels=("a",))},
        {"weights": "seed:1"},
        {"format": "onnx"},
        {"precision": "fp16"},
        {"quantized": ("minmax", "a photo")},
    ],
    ids=str,
)
def test_whatever_decides_the_bytes_changes_the_key(change) -> None:
    assert content_key(**GIVEN) == content_key(**GIVEN)
    assert content_key(**{**GIVEN, **change}) != content_key(**GIVEN)


def test_a_key_is_a_sha256_that_other_processes_find_too() -> None:
    key = content_key(**GIVEN)
    assert len(key) == 64
    assert set(key) <= set("0123456789abcdef")
    assert key == content_key(**{name: GIVEN[name] for name in reversed(GIVEN)})


@pytest.mark.parametrize("what", ["tool_versions", "source_digest"])
def test_another_tool_or_source_is_another_key(what: str, monkeypatch) -> None:
    before = content_key(**GIVEN)
    other = {"torch": "0"} if what == "tool_versions" else "0" * 64
    monkeypatch.setattr(provenance, what, lambda: other)
    assert content_key(**GIVEN) != before


def test_tools_are_told_with_the_versions_that_are_installed() -> None:
    found = provenance.tool_versions()
    assert "torch" in ABSENT or found["torch"] == version("torch")
    assert found["onnx2tf"] == version("onnx2tf")
    assert set(found) == {"ghostdeploy", *provenance.TOOLS} - {*ABSENT.values()}
    assert json.dumps(found)


def test_the_digest_is_of_every_source_that_makes_artifacts() -> None:
    root = Path(provenance.__file__).parents[1]
    digest = hashlib.sha256()
    for name in provenance.SOURCES:
        path = root / name
        assert path.exists(), name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(str(file.relative_to(root)).encode() + b"\0")
            digest.update(file.read_bytes())
    assert provenance.source_digest() == digest.hexdigest()
    assert {"zoo", "lowering", "quantization"} <= set(provenance.SOURCES)
