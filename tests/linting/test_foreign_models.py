"""Graphs of other converters: what is in them is known, and the linter must say so, no more."""

from __future__ import annotations

import gzip
import warnings
from collections import Counter
from pathlib import Path

import pytest

from ghostdeploy.linting import lint_graph, read_graph
from ghostdeploy.schema import Finding, GraphReport
from ghostdeploy.zoo import build, make_spec

MODELS = Path(__file__).with_name("foreign_models")  # make_foreign_models.py made them


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("foreign")
    for packed in MODELS.glob("*.tflite.gz"):
        (path / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    return path


@pytest.fixture(scope="session")
def report(folder):
    def of(name: str) -> GraphReport:
        return lint_graph(read_graph(folder / f"{name}.tflite"))

    return of


def serious(report: GraphReport) -> list[Finding]:
    return [finding for finding in report.findings if finding.severity != "info"]


def test_mobilenetv2_gives_no_false_alarm(report) -> None:
    found = report("mobilenetv2_fp32")
    assert serious(found) == []
    assert {f.rule for f in found.findings} == {"batch"}  # keras leaves it free
    assert sum(found.op_counts.values()) > 60
    # 1.66 million parameters, of which the file holds equal biases once.
    assert found.weights_mb == pytest.approx(6.2, abs=0.02)


def test_dynamic_range_depthwise_convolutions_split_the_graph(report) -> None:
    found = report("mobilenetv2_dynamic")
    assert {f.rule for f in serious(found)} == {"xnnpack"}
    assert all("DEPTHWISE_CONV_2D of float activations" in f.message for f in serious(found))


def test_mobilenetv2_int8(report) -> None:
    """A softmax at the end, which XNNPACK has in float only."""
    (finding,) = serious(report("mobilenetv2_int8"))
    assert finding.rule == "xnnpack"
    assert "SOFTMAX" in finding.message
    assert "outside (1 partition)" in finding.message


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_mobilenetv3s_flatten_is_a_reshape(report, precision: str) -> None:
    found = report(f"mobilenetv3small_{precision}")
    (finding,) = [f for f in serious(found) if f.rule == "layout-ops"]
    assert finding.node.endswith("flatten/Reshape")
    assert finding.severity == "warning"  # no network of ours
    assert "HARD_SWISH" in found.op_counts
    assert "hard-activations" not in {f.rule for f in found.findings}


def test_mobilenetv3_large_in_dynamic_range(report) -> None:
    assert {f.rule for f in serious(report("mobilenetv3large_dynamic"))} == {
        "xnnpack",
        "layout-ops",
    }


def test_efficientnets_reshapes_to_a_free_batch(report) -> None:
    """Sixteen squeeze-and-excite blocks, each with a shape chain for its reshape."""
    found = report("efficientnetb0_int8")
    layout = [f for f in serious(found) if f.rule == "layout-ops"]
    assert Counter(f.message.split()[0] for f in layout) == dict.fromkeys(
        ("SHAPE", "STRIDED_SLICE", "PACK", "RESHAPE"), 16
    )
    splitting = [f for f in serious(found) if f.rule == "xnnpack"]
    assert splitting
    assert all("splits the graph" in f.message for f in splitting)


def test_nasnets_cropping_is_a_slice(report) -> None:
    found = report("nasnetmobile_fp32")
    assert {f.rule for f in serious(found)} == {"layout-ops"}
    assert all("STRIDED_SLICE" in f.message and "cropping2d" in f.node for f in serious(found))


def test_padding_that_same_does_not_do_is_left_alone(report) -> None:
    """The converter folds SAME's own; torch's symmetric one and a max pool's must stay."""
    found = report("padded_fp32")
    assert found.op_counts["PAD"] == 2
    assert found.findings == ()


def test_every_file_has_numbers(folder, report) -> None:
    for path in folder.glob("*.tflite"):
        found = report(path.stem)
        assert 0 < found.weights_mb < path.stat().st_size / 1e6 + 0.01
        assert 0 < found.activations_mb < 2
        assert not found.errors


@pytest.fixture(scope="session")
def legacy(tmp_path_factory) -> Path:
    """Our network by torch's older exporter, with sizes that are computed in the graph."""
    import torch

    path = tmp_path_factory.mktemp("legacy") / "ghostnetv2.onnx"
    network = build(make_spec(width=0.1, resolution=(96, 96), num_classes=10))
    free = {"image": {0: "batch", 2: "height", 3: "width"}}
    image = torch.zeros(1, 3, 96, 96)
    how = {"input_names": ["image"], "dynamic_axes": free, "opset_version": 17}
    with warnings.catch_warnings():  # of sizes that become constants
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (image,), str(path), dynamo=False, **how)
    return path


def test_the_legacy_exporters_shape_chains(legacy: Path) -> None:
    graph = read_graph(legacy)
    found = lint_graph(graph)
    natives = {f.message.split()[0] for f in found.findings if f.rule == "layout-ops"}
    assert {"Shape", "Gather", "Slice", "Cast"} <= natives
    assert any(f.rule == "dynamic-shapes" and f.node == "image" for f in found.findings)
    assert any(f.rule == "batch" for f in found.findings)
    assert not found.errors


def test_the_legacy_exporters_modules_are_ours(legacy: Path) -> None:
    network = build(make_spec(width=0.1, resolution=(96, 96), num_classes=10))
    modules = {name for name, _ in network.named_modules()}
    named = {node.module for node in read_graph(legacy).nodes if node.module}
    assert "blocks.2.0.ghost1.short_conv.0" in named
    assert named <= modules
