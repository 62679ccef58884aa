"""The file that a finding names is the one that defines the module."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from torch import nn

import ghostdeploy
from ghostdeploy.linting import lint_graph
from ghostdeploy.linting.graph import Graph, Node
from ghostdeploy.linting.readers.onnx_modules import parse_path
from ghostdeploy.linting.source_files import (
    NETWORK_FILES,
    PART_FILES,
    SOURCE_FILES,
    source_file_of,
)
from ghostdeploy.zoo import MODELS, build, make_spec

ROOT = Path(ghostdeploy.__file__).parents[1]


def defined_in(network: nn.Module, path: str) -> str:
    """The file of the innermost class of ours that ``path`` is, or that makes it."""
    parts = path.split(".")
    for length in range(len(parts), -1, -1):
        kind = type(network.get_submodule(".".join(parts[:length])))
        # A part may be made by a class that this one is derived from.
        for base in kind.__mro__ if kind.__module__.startswith("ghostdeploy.") else ():
            if length == len(parts) or f"self.{parts[length]}" in inspect.getsource(base):
                return Path(inspect.getfile(base)).relative_to(ROOT).as_posix()
    raise AssertionError(path)


@pytest.mark.parametrize(
    ("variant", "file"), [("cbam", "attention"), ("ca", "attention"), ("se", "layers")]
)
def test_attention_in_the_place_of_squeeze_and_excitation(variant: str, file: str) -> None:
    spec = make_spec("mobilenetv2", width=0.25, variant=variant)
    inside = [path for path, _ in build(spec).named_modules() if ".se." in path]
    assert inside
    assert {source_file_of(path, spec) for path in inside} == {f"ghostdeploy/zoo/{file}.py"}


@pytest.mark.parametrize("arch", MODELS)
def test_every_module_that_computes(arch: str) -> None:
    spec = make_spec(arch, width=0.5)
    network = build(spec)
    for path, module in network.named_modules():
        if not list(module.children()) and not isinstance(module, nn.Identity):
            found = source_file_of(path, spec)
            if arch.startswith("ghostnet"):
                assert found == defined_in(network, path), path
            else:  # the class of a module that it stands in
                parts = path.split(".")
                around = [".".join(parts[: n + 1]) for n in range(len(parts))]
                assert found in {defined_in(network, part) for part in around}, path


def test_the_files_exist() -> None:
    files = {**SOURCE_FILES, **NETWORK_FILES, **PART_FILES}.values()
    assert all((ROOT / file).is_file() for file in files)


def test_a_finding_carries_module_and_file() -> None:
    node = Node("n", "reshape", "RESHAPE", ("x",), ("y",), "blocks.3.0.ghost1.short_conv")
    graph = Graph("", "onnx", (node,), {}, ("x",), ("y",))
    (finding,) = (f for f in lint_graph(graph, make_spec()).findings if f.rule == "layout-ops")
    assert finding.module == "blocks.3.0.ghost1.short_conv"
    assert finding.source == "ghostdeploy/zoo/layers.py"
    (finding,) = lint_graph(graph).findings
    assert (finding.module, finding.source) == ("blocks.3.0.ghost1.short_conv", "")


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("/blocks/blocks.0/blocks.0.0/ghost1/Concat", "blocks.0.0.ghost1"),
        ("/conv_stem/Conv", "conv_stem"),
        ("/features/features.1/conv/conv.0/conv.0.0/Conv", "features.1.conv.0.0"),
        ("/Flatten", ""),
        ("Conv_3", ""),
        ("", ""),
    ],
)
def test_names_of_the_legacy_exporter(name: str, module: str) -> None:
    assert parse_path(name) == module
