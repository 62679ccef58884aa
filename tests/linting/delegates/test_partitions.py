"""Partitions as the runtime here makes them, and the table held against it."""

import pytest

from ghostdeploy.linting import read_graph
from ghostdeploy.linting.delegates.partitions import find_outside_nodes, measure_partitions
from ghostdeploy.linting.delegates.xnnpack import why_not_taken
from tests.lowering.rewrites.tiny import tiny


@pytest.fixture
def split_model(tmp_path):
    """Two operators that XNNPACK takes around one that it does not."""
    t = tiny()
    a, b, c, d = (t.tensor((1, 4, 4, 3)) for _ in range(4))
    t.op("RELU", [a], [b])
    t.op("RELU_0_TO_1", [b], [c])
    t.op("TANH", [c], [d])
    path = tmp_path / "split.tflite"
    path.write_bytes(t.bytes(a, d))
    return path


def test_counts_the_kernels_and_names_what_is_outside(split_model):
    found = measure_partitions(split_model)
    assert found.kernels == 2
    assert found.outside == (("t2", "RELU_0_TO_1"),)
    assert found.runtime.startswith("LiteRT ")


def test_names_that_recur_are_told_apart_as_the_reader_does(tmp_path):
    """litert-torch calls every stage's block the same."""
    t = tiny()
    a, b, c, d = (t.tensor((1, 4, 4, 3)) for _ in range(4))
    for tensor in t.graph.tensors:
        tensor.name = b"block"
    t.op("RELU", [a], [b])
    t.op("RELU_0_TO_1", [b], [c])
    t.op("TANH", [c], [d])
    path = tmp_path / "names.tflite"
    path.write_bytes(t.bytes(a, d))
    (outside,) = measure_partitions(path).outside
    assert outside == (read_graph(path).nodes[1].name, "RELU_0_TO_1")


@pytest.mark.parametrize("content", [b"", b"TFL3" * 100, b"\x1c\0\0\0TFL3" + bytes(200)])
def test_a_file_that_the_runtime_cannot_load(tmp_path, content):
    path = tmp_path / "bad.tflite"
    path.write_bytes(content)
    assert measure_partitions(path) is None


@pytest.mark.parametrize("export", ["whole", "half", "features_v1", "features_v2", "ablation"])
def test_the_zoo_is_one_partition_and_the_table_agrees(request, export):
    path = request.getfixturevalue(export).path("tflite")
    found = measure_partitions(path)
    assert found.outside == ()
    assert found.kernels == 1
    graph = read_graph(path)
    assert not [node.native for node in graph.nodes if why_not_taken(node, graph)]


def test_what_lies_behind_an_outside_node_is_outside_too():
    def op(index, inputs, outputs):
        return {"index": index, "inputs": inputs, "outputs": outputs}

    nodes = [op(0, [0], [1]), op(1, [1], [2]), op(2, [2], [3]), op(3, [3], [4])]
    kernels = [op(4, [2], [4])]  # took the last two
    assert [n["index"] for n in find_outside_nodes(nodes, kernels, [4])] == [0, 1]
