"""ONNX and TFLite files as neutral graphs: operators, windows, values, modules."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper

from ghostdeploy import flatbuffer
from ghostdeploy.errors import InputFileError
from ghostdeploy.linting import read_graph
from tests.linting.conftest import GOOD
from tests.linting.models import CHANNELS, SIDE, OnnxGraph, TfliteGraph, gated_module

OPS = [
    *("conv2d", "relu", "depthwise_conv2d", "relu"),
    *("average_pool", "conv2d", "depthwise_conv2d", "depthwise_conv2d", "sigmoid", "resize"),
    "mul",
]
KERNELS = [(1, 1), None, (3, 3), None, (2, 2), (1, 1), (1, 5), (5, 1), None, None, None]


def test_both_formats_read_as_the_same_graph(builder, read) -> None:
    graph = read(builder, gated_module(builder, builder.input, GOOD))
    assert graph.format == builder.suffix[1:]
    assert graph.source.endswith(f"model{builder.suffix}")
    assert [node.op for node in graph.nodes] == OPS
    assert [node.kernel for node in graph.nodes] == KERNELS
    assert {node.module for node in graph.nodes} == {"blocks.2.0.ghost1"}
    assert graph.inputs == ("image",)
    assert graph.outputs == graph.nodes[-1].outputs
    assert [n.name for n in graph.consumers["image"]] == [graph.nodes[i].name for i in (0, 4)]


def test_shapes_types_and_constants(builder, read) -> None:
    graph = read(builder, gated_module(builder, builder.input, GOOD))
    onnx = graph.format == "onnx"
    whole = (1, CHANNELS, SIDE, SIDE) if onnx else (1, SIDE, SIDE, CHANNELS)
    half = (1, CHANNELS, SIDE // 2, SIDE // 2) if onnx else (1, SIDE // 2, SIDE // 2, CHANNELS)
    shapes = [graph.values[node.outputs[0]].shape for node in graph.nodes]
    assert shapes[:10] == [whole] * 4 + [half] * 5 + [whole]
    assert {graph.values[n.outputs[0]].dtype for n in graph.nodes} == {"float32"}
    weights = [v for v in graph.values.values() if v.constant]
    assert all(name.startswith("weight_") for name in (v.name for v in weights))
    assert len(weights) == (6 if onnx else 11)  # TFLite's convolutions have biases
    assert set(graph.constants) == {v.name for v in weights}
    for node in graph.nodes[:-1]:
        assert len(graph.activations(node)) == 1
    assert len(graph.activations(graph.nodes[-1])) == 2


def test_a_depthwise_convolution_needs_as_many_groups_as_channels(tmp_path) -> None:
    def op(channels: int, out: int, groups: int) -> str:
        weights = np.zeros((out, channels // groups, 3, 3), np.float32)
        tensor = helper.make_tensor("w", TensorProto.FLOAT, weights.shape, weights.flatten())
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, channels, 8, 8])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["a", "b", "c", "d"])
        node = helper.make_node("Conv", ["x", "w"], ["y"], group=groups)
        model = helper.make_model(helper.make_graph([node], "g", [x], [y], [tensor]))
        (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
        (read,) = read_graph(tmp_path / "m.onnx").nodes
        assert read.kernel == (3, 3)  # from the weights: there is no attribute
        return read.op

    assert op(8, 8, 8) == "depthwise_conv2d"
    assert op(8, 16, 8) == "depthwise_conv2d"
    assert op(8, 8, 2) == "conv2d"
    assert op(8, 8, 1) == "conv2d"
    assert op(1, 8, 1) == "conv2d"


def test_constant_nodes_are_constants_not_operators(tmp_path) -> None:
    value = helper.make_tensor("c", TensorProto.FLOAT, [1], [2.0])
    nodes = [
        helper.make_node("Constant", [], ["two"], value=value),
        helper.make_node("Mul", ["x", "two"], ["y"], name="double"),
    ]
    info = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1]) for n in "xy"]
    model = helper.make_model(helper.make_graph(nodes, "g", info[:1], info[1:]))
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    graph = read_graph(tmp_path / "m.onnx")
    assert [n.name for n in graph.nodes] == ["double"]
    assert graph.activations(graph.nodes[0]) == ("x",)


def test_initializers_listed_as_inputs_are_none(tmp_path) -> None:
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1], [2.0])
    info = {n: helper.make_tensor_value_info(n, TensorProto.FLOAT, [1]) for n in "xwy"}
    node = helper.make_node("Mul", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "g", [info["x"], info["w"]], [info["y"]], [weight])
    (tmp_path / "m.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    assert read_graph(tmp_path / "m.onnx").inputs == ("x",)


def write(tmp_path, model) -> str:
    path = tmp_path / "m.tflite"
    path.write_bytes(flatbuffer.dump(model))
    return path


def test_old_tflite_files_keep_the_operator_in_the_one_byte_field(tmp_path) -> None:
    graph = TfliteGraph()
    model = graph.model_t(gated_module(graph, graph.input, GOOD))
    for code in model.operatorCodes:
        code.builtinCode = 0
    assert [n.op for n in read_graph(write(tmp_path, model)).nodes] == OPS


def test_tensors_of_one_name_stay_apart(tmp_path) -> None:
    graph = TfliteGraph()
    model = graph.model_t(gated_module(graph, graph.input, GOOD))
    names = [b"x", b"x#3", b"x", b"", b"x", None, b"x#3"]
    for tensor, name in zip(graph.tensors, names * 9, strict=False):
        tensor.name = name
    read = read_graph(write(tmp_path, model))
    assert len(read.values) == len(graph.tensors)
    assert [n.op for n in read.nodes] == OPS
    assert [n.op for n in read.chain_behind(read.nodes[9].outputs[0])] == OPS[9:3:-1]


def test_custom_operators_keep_their_name(tmp_path) -> None:
    graph = TfliteGraph()
    model = graph.model_t(graph.step("relu", graph.input))
    model.operatorCodes[0].builtinCode = graph.schema.BuiltinOperator.CUSTOM
    model.operatorCodes[0].customCode = b"Mystery"
    (node,) = read_graph(write(tmp_path, model)).nodes
    assert node.native == "CUSTOM:Mystery"


def test_vectors_that_a_file_leaves_out(tmp_path) -> None:
    graph = TfliteGraph()
    model = graph.model_t(graph.step("1×1", graph.input))
    model.subgraphs[0].inputs = model.subgraphs[0].outputs = None
    read = read_graph(write(tmp_path, model))
    assert (read.inputs, read.outputs, read.nodes[0].kernel) == ((), (), (1, 1))
    operator = model.subgraphs[0].operators[0]
    operator.inputs = operator.outputs = None
    with pytest.raises(InputFileError, match="its CONV_2D lacks an input"):
        read_graph(write(tmp_path, model))


def test_an_optional_input_that_is_absent_is_left_out(tmp_path) -> None:
    graph = TfliteGraph()
    model = graph.model_t(graph.step("1×1", graph.input))
    model.subgraphs[0].operators[0].inputs[2] = -1
    (node,) = read_graph(write(tmp_path, model)).nodes
    assert len(node.inputs) == 2
    assert node.kernel == (1, 1)


def test_the_hand_made_tflite_model_is_one_that_runs() -> None:
    from ai_edge_litert.interpreter import Interpreter

    graph = TfliteGraph()
    steps = (*GOOD[:4], "+3", "relu6", "·1/6", "up bilinear", "transpose", "max", "up nearest")
    interpreter = Interpreter(
        model_content=graph.model(gated_module(graph, graph.input, steps)), num_threads=1
    )
    interpreter.allocate_tensors()
    index = interpreter.get_input_details()[0]["index"]
    interpreter.set_tensor(index, np.ones((1, SIDE, SIDE, CHANNELS), np.float32))
    interpreter.invoke()
    out = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    assert out.shape == (1, SIDE, SIDE, CHANNELS)
    assert out.std() > 0


def test_the_hand_made_onnx_model_is_one_that_runs() -> None:
    import onnxruntime

    graph = OnnxGraph()
    data = graph.model(gated_module(graph, graph.input, GOOD))
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    image = np.ones((1, CHANNELS, SIDE, SIDE), np.float32)
    (out,) = session.run(None, {"image": image})
    assert out.shape == image.shape


def test_what_is_not_a_model_file(tmp_path) -> None:
    for name, said in (
        ("missing.onnx", "does not exist"),
        ("missing.tflite", "does not exist"),
        ("notes.txt", "a model file ends in .onnx or .tflite"),
        ("", "is a folder"),
        ("x" * 300 + ".onnx", "File name too long"),
    ):
        path = tmp_path / name
        if name == "notes.txt":
            path.write_text("hello")
        with pytest.raises(InputFileError, match=said) as caught:
            read_graph(path)
        assert str(path) in str(caught.value)
