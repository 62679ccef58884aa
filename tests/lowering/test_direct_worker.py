"""onnx2tf 2's worker: ends, layouts and names as the other worker gives them, and its mends."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ghostdeploy import flatbuffer
from ghostdeploy.flatbuffer import operator_kind, tensor_name, tensor_shape
from ghostdeploy.lowering import metadata
from ghostdeploy.lowering.converters import DIRECT, WORKER
from ghostdeploy.lowering.inference import load_onnx, load_tflite, load_tflite_layers
from ghostdeploy.lowering.tflite import finish_tflite, start_converter

pytestmark = pytest.mark.skipif(WORKER is not DIRECT, reason="onnx2tf 2 needs Python 3.12")


def make(nodes, inputs, outputs, weights=()):
    sides = [
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in ends]
        for ends in (inputs, [(name, None) for name in outputs])
    ]
    constants = [numpy_helper.from_array(np.asarray(w, np.float32), n) for n, w in weights]
    graph = helper.make_graph(nodes, "g", *sides, constants)
    opset = [helper.make_opsetid("", 19)]
    return onnx.shape_inference.infer_shapes(
        helper.make_model(graph, opset_imports=opset, ir_version=9)
    )


def squeeze_and_excite():
    """A convolution, its gate relu6(x + 3) / 6 of the mean, their product, and a head."""
    random = np.random.RandomState(0)
    node = helper.make_node
    return make(
        [
            node("Conv", ["image", "w"], ["block/conv"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
            node("Relu", ["block/conv"], ["block/relu"]),
            node("GlobalAveragePool", ["block/relu"], ["se/mean"]),
            node("Conv", ["se/mean", "v"], ["se/conv"], kernel_shape=[1, 1]),
            node("Add", ["se/conv", "three"], ["se/add"]),
            node("Clip", ["se/add", "zero", "six"], ["se/clip"]),
            node("Mul", ["se/clip", "sixth"], ["se/gate"]),
            node("Mul", ["block/relu", "se/gate"], ["block/mul"]),
            node("Conv", ["block/mul", "v"], ["head/conv"], kernel_shape=[1, 1]),
            node("Relu", ["head/conv"], ["head/relu"]),
            node("GlobalAveragePool", ["head/relu"], ["mean"]),
            node("Flatten", ["mean"], ["logits"]),
        ],
        [("image", (1, 3, 12, 10))],
        ["logits", "block/mul"],
        [
            ("w", random.randn(8, 3, 3, 3)), ("v", random.randn(8, 8, 1, 1)),
            ("three", 3), ("zero", 0), ("six", 6), ("sixth", 1 / 6),
        ],
    )  # fmt: skip


def converted(model, precision="fp32"):
    with start_converter() as converter:
        converter.start(model.SerializeToString(), precision)
        raw = converter.finish()
    return finish_tflite(
        raw,
        values=[name for node in model.graph.node for name in node.output],
        inputs=[each.name for each in model.graph.input],
        outputs=[each.name for each in model.graph.output],
        description=metadata.Description("test", "1", "none", (), (), None),
        facts={},
    )


def compare(model, data, tolerance=1e-5):
    """Compare the outputs, by their names, on inputs that the worker did not see."""
    random = np.random.RandomState(77)
    feed = {
        each.name: random.randn(*[d.dim_value for d in each.type.tensor_type.shape.dim]).astype("f")
        for each in model.graph.input
    }
    expected, got = load_onnx(model.SerializeToString())(feed), load_tflite(data)(feed)
    assert set(got) == set(expected)
    for name, want in expected.items():
        np.testing.assert_allclose(got[name], want, rtol=tolerance, atol=tolerance)
    return feed


def kinds(data):
    model = flatbuffer.load(data, "it")
    return [operator_kind(model, op) for op in model.subgraphs[0].operators]


def test_squeeze_and_excitation_and_head_have_one_layout_and_names():
    model = squeeze_and_excite()
    made = converted(model)
    feed = compare(model, made.data)
    assert {"TRANSPOSE", "RELU"}.isdisjoint(kinds(made.data))
    assert kinds(made.data).count("RESHAPE") == 1  # Flatten
    assert made.rewrites["channels-last"] > 0
    values = [name for node in model.graph.node for name in node.output]
    from ghostdeploy.lowering.onnx_models import with_all_values

    truth = load_onnx(with_all_values(model, values), values)(feed)
    layers = load_tflite_layers(made.data)(feed)
    named = {"block/relu", "se/clip", "se/gate", "block/mul", "head/relu"}
    assert named <= set(layers)
    for name in named:
        np.testing.assert_allclose(
            layers[name].transpose(0, 3, 1, 2), truth[name], rtol=1e-4, atol=1e-4
        )


def test_halved_weights_compute_in_fp32():
    model = squeeze_and_excite()
    data = converted(model, "fp16").data
    compare(model, data, 2e-2)
    tensors = flatbuffer.load(data, "it").subgraphs[0].tensors
    halves = [t for t in tensors if t.type == flatbuffer.schema().TensorType.FLOAT16]
    assert len(halves) == kinds(data).count("DEQUANTIZE") >= 3


def test_several_inputs_of_any_rank_keep_order_names_and_layout():
    node, random = helper.make_node, np.random.RandomState(1)
    model = make(
        [
            node("Conv", ["image", "w"], ["map"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
            node("Relu", ["tokens"], ["seen"]),
            node("Reshape", ["map", "shape"], ["flat"]),
            node("Add", ["flat", "seen"], ["sum"]),
        ],
        [("tokens", (1, 5, 16)), ("image", (1, 3, 4, 4))],
        ["sum", "map"],
        [("w", random.randn(5, 3, 3, 3))],
    )
    model.graph.initializer.append(numpy_helper.from_array(np.array([1, 5, 16]), "shape"))
    data = converted(model).data
    compare(model, data)
    graph = flatbuffer.load(data, "it").subgraphs[0]
    inputs, outputs = (
        [(tensor_name(graph.tensors[i]), tensor_shape(graph.tensors[i])) for i in ends]
        for ends in (graph.inputs, graph.outputs)
    )
    assert inputs == [("tokens", (1, 5, 16)), ("image", (1, 4, 4, 3))]
    assert outputs == [("sum", (1, 5, 16)), ("map", (1, 4, 4, 5))]


@pytest.mark.parametrize("counted", [0, 1])
def test_a_pool_counts_nothing_beyond_its_input(counted):
    pool = helper.make_node(
        "AveragePool", ["image"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2],
        ceil_mode=1, count_include_pad=counted,
    )  # fmt: skip
    model = make([pool], [("image", (1, 3, 7, 7))], ["pooled"])
    compare(model, converted(model).data)


def test_a_hard_sigmoid_keeps_the_convolution_apart():
    node, random = helper.make_node, np.random.RandomState(2)
    model = make(
        [
            node("Conv", ["image", "w"], ["conv"], kernel_shape=[1, 1]),
            node("HardSigmoid", ["conv"], ["gate"], alpha=1 / 6, beta=0.5),
        ],
        [("image", (1, 3, 4, 4))],
        ["gate"],
        [("w", random.randn(4, 3, 1, 1))],
    )
    data = converted(model).data
    feed = compare(model, data)
    assert "conv" not in load_tflite_layers(data)(feed)  # its factor went into it
