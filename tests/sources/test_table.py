"""Which string names which source."""

from __future__ import annotations

import pytest

from ghostdeploy.sources import SOURCES, find_source


@pytest.mark.parametrize(
    ("text", "kind", "place", "function"),
    [
        ("timm:mobilenetv3_large_100", "timm", "mobilenetv3_large_100", ""),
        ("timm:resnet18.a1_in1k", "timm", "resnet18.a1_in1k", ""),
        ("net.py", "file", "net.py", "build"),
        ("net.py:make", "file", "net.py", "make"),
        ("some/folder/net.py:make", "file", "some/folder/net.py", "make"),
        ("program.pt2", "program", "program.pt2", ""),
        ("a/b/PROGRAM.PT2", "program", "a/b/PROGRAM.PT2", ""),
        ("model.onnx", "onnx", "model.onnx", ""),
        ("my.package:make", "module", "my.package", "make"),
        ("my.package:", "module", "my.package", "build"),
        ("json:loads", "module", "json", "loads"),
    ],
)
def test_what_a_string_names(text, kind, place, function):
    found = find_source(text)
    assert (found.kind, found.place, found.function) == (kind, place, function)
    assert kind in {row.name for row in SOURCES}


@pytest.mark.parametrize(
    "text",
    [
        "ghostnetv2",
        "ghostnetv2:paper",
        "ghostnetv2:paper@0.5",
        "ghostnetv2@1.3",
        "model.tflite",
        "folder/model.tflite",
        "timm:",
        "no_such_module_anywhere:build",
        "my-package:build",
        "",
    ],
)
def test_what_is_no_network_of_others(text):
    assert find_source(text) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/home/somebody/net.py:make", "net.py:make"),
        ("timm:resnet18", "timm:resnet18"),
        ("a/b/program.pt2", "program.pt2"),
        ("my.package:make", "my.package:make"),
    ],
)
def test_records_are_told_no_folder(text, told):
    assert find_source(text).text == told
