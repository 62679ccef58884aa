"""What may be named on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ghostdeploy import zoo
from ghostdeploy.commands.targets import (
    FormedModel,
    SpecDefaults,
    parse_formed_target,
    parse_resolution,
    parse_target,
)
from ghostdeploy.errors import UsageError

DEFAULTS = SpecDefaults(width=1.3, resolution=(192, 320), num_classes=7)
COMMON = {"resolution": (192, 320), "num_classes": 7}


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("ghostnetv2", zoo.make_spec(width=1.3, **COMMON)),
        ("ghostnetv1@1.1", zoo.make_spec("ghostnetv1", width=1.1, **COMMON)),
        ("ghostnetv2:paper", zoo.make_spec(width=1.3, variant="paper", **COMMON)),
        ("ghostnetv2:paper@0.5", zoo.make_spec(width=0.5, variant="paper", **COMMON)),
    ],
)
def test_models(text, spec):
    assert parse_target(text, DEFAULTS) == spec


def test_a_plain_form_is_of_a_model_only():
    spec = zoo.make_spec("ghostnetv1", width=1.1, **COMMON)
    assert parse_formed_target("ghostnetv1@1.1-plain", DEFAULTS) == FormedModel(spec, "plain")
    assert parse_formed_target("ghostnetv1@1.1", DEFAULTS) == spec
    assert parse_formed_target("folder/a-plain", DEFAULTS) == Path("folder/a-plain")


@pytest.mark.parametrize("text", ["a.tflite", "x/y.onnx", "./ghostnetv2", "folder/x", "/a b.onnx"])
def test_files(text):
    assert parse_target(text, DEFAULTS) == Path(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ghostnet", "did you mean"),
        ("", "no model is called ''"),
        ("ghostnetv2@wide", "the width behind @ is not a number"),
        ("ghostnetv2@nan", "width must be between"),
        ("ghostnetv2:fast", "has the variants official, paper"),
    ],
)
def test_neither(text, message):
    with pytest.raises(UsageError, match=message):
        parse_target(text, DEFAULTS)


@pytest.mark.parametrize(
    ("text", "size"), [("224", (224, 224)), ("192x320", (192, 320)), ("33X97", (33, 97))]
)
def test_resolutions(text, size):
    assert parse_resolution(text) == size


@pytest.mark.parametrize("text", ["", "x", "224x", "x224", "2x2x2", "-5", "1.5", "²", "٣", "2e2"])
def test_no_resolutions(text):
    with pytest.raises(UsageError, match="write a resolution as 224 or 192x320"):
        parse_resolution(text)
