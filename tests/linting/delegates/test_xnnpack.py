"""The table of XNNPACK's operators against the installed LiteRT, and how a node finds its row."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from benchmarks.one_operator_files import CASES, ask, make
from ghostdeploy import flatbuffer
from ghostdeploy.linting.delegates import xnnpack
from ghostdeploy.linting.delegates.xnnpack import TYPES, find_table_version, read_table
from ghostdeploy.linting.needed_versions import HYBRID, WEIGHTED
from ghostdeploy.linting.readers.tflite_graph import build_tflite_graph
from tests.linting.rules.hand_made import ONE_BY_ONE, Tflite

INSTALLED = version("ai-edge-litert")


def one_operator(operator: str, form: str, dtype: str):
    data = make(operator, form, dtype)
    return data, build_tflite_graph(flatbuffer.load(data, operator), operator)


@pytest.mark.skipif(INSTALLED not in read_table(), reason="the table has no such LiteRT")
@pytest.mark.parametrize("dtype", TYPES)
def test_the_runtime_and_the_table_say_the_same(dtype: str) -> None:
    """Every row, and by the very lookup that lint makes."""
    wrong = []
    for operator, form in CASES:
        if dtype == HYBRID and operator not in WEIGHTED:
            continue
        data, graph = one_operator(operator, form, dtype)
        told = not xnnpack.why_not_taken(graph.nodes[0], graph)
        if told != (ask(data) == "yes"):
            wrong.append((operator, form, told))
    assert wrong == []


def test_every_version_has_every_row() -> None:
    for rows in read_table().values():
        assert set(rows) == set(CASES)


@pytest.mark.parametrize(
    ("litert", "operator", "form", "dtype", "taken"),
    [
        ("2.1.0", "HARD_SWISH", "", "float32", True),
        ("2.1.0", "HARD_SWISH", "", "int8", False),
        ("2.1.0", "AVERAGE_POOL_2D", "", "int8", False),
        ("2.1.0", "LOGISTIC", "", "int8", True),
        ("2.1.0", "BATCH_MATMUL", "", "int8", True),
        ("2.1.0", "EXPAND_DIMS", "", "float32", False),
        ("2.1.0", "STRIDED_SLICE", "stepped", "float32", False),
        ("2.1.0", "DEPTHWISE_CONV_2D", "", HYBRID, False),
        ("2.1.0", "LOG", "", "float32", False),
        ("2.3.0", "LOG", "", "float32", True),
        ("2.1.0", "ADD", "", "float16", False),
        ("2.3.0", "ADD", "", "float16", True),
    ],
)
def test_some_rows(litert: str, operator: str, form: str, dtype: str, taken: bool) -> None:
    assert (dtype in read_table()[litert][operator, form]) is taken


@pytest.mark.parametrize(
    ("installed", "asked"),
    [
        ("2.1.0", "2.1.0"),
        ("2.1.2", "2.1.0"),
        ("2.3.0", "2.3.0"),
        ("9.0", "2.3.0"),
        ("1.0", "2.1.0"),
    ],
)
def test_the_version_that_is_asked(monkeypatch, installed: str, asked: str) -> None:
    monkeypatch.setattr(xnnpack, "version", lambda package: installed)
    assert find_table_version.__wrapped__() == asked


def reasons(t: Tflite, *outputs: int) -> list[str]:
    graph = t.graph(*outputs)
    return [xnnpack.why_not_taken(node, graph) for node in graph.nodes]


def test_the_reason_names_operator_type_and_version() -> None:
    t = Tflite(dtype="int8", scale=[0.1])
    (reason,) = reasons(t, t.op("HARD_SWISH", [t.input], scale=[0.1]))
    assert reason == f"XNNPACK of LiteRT {find_table_version()} has no HARD_SWISH in int8"


def test_a_slice_with_steps() -> None:
    t = Tflite()
    bounds = [t.constant([0, 0, 0, 0], "int32"), t.constant([1, 8, 8, 4], "int32")]
    plain = t.op("STRIDED_SLICE", [t.input, *bounds, t.constant([1, 1, 1, 1], "int32")])
    stepped = t.op("STRIDED_SLICE", [plain, *bounds, t.constant([1, 2, 2, 1], "int32")])
    first, second = reasons(t, stepped)
    assert first == ""
    assert second.endswith("has no STRIDED_SLICE stepped")


def test_weights_that_are_unpacked_are_xnnpacks_own() -> None:
    """A DEQUANTIZE of half-precision weights, as every fp16 file has them."""
    t = Tflite()
    packed = t.random(4, 1, 1, 4, dtype="float16")
    weights = t.op("DEQUANTIZE", [packed], (4, 1, 1, 4), "float32")
    assert reasons(t, t.op("CONV_2D", [t.input, weights], **ONE_BY_ONE)) == ["", ""]


@pytest.mark.parametrize("native", ["STRIDED_SLICE", "BATCH_MATMUL", "QUANTIZE", "CONV_2D"])
def test_an_operator_that_lacks_most_of_its_inputs(native: str) -> None:
    """Whatever a file leaves out, there is an answer."""
    t = Tflite()
    (answer,) = reasons(t, t.op(native, [t.input]))
    assert isinstance(answer, str)
