"""Maps that lie the same in NCHW and NHWC as far as their shape tells: onnx2tf goes by shapes."""

from __future__ import annotations

import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter
from onnx import TensorProto, helper, numpy_helper

from ghostdeploy.lowering.tflite import start_converter

# Each map: its channels, its side, and what it is made of, with the channels of that.
MAPS = {"cube": (16, 16, "image", 3), "small": (8, 8, "cube", 16), "flat": (16, 8, "cube", 16)}


def network() -> bytes:
    """Three maps of a backbone, two of them cubes; each is a sum, as behind a shortcut."""
    random, value = np.random.RandomState(0), helper.make_tensor_value_info
    nodes, weights = [], []
    for name, (channels, _, source, before) in MAPS.items():
        kernel = random.randn(channels, before, 3, 3).astype(np.float32)
        weights.append(numpy_helper.from_array(kernel, f"{name}_w"))
        settings = {"strides": [2, 2], "pads": [1, 1, 1, 1]}
        nodes += [
            helper.make_node("Conv", [source, f"{name}_w"], [f"{name}_c"], **settings),
            helper.make_node("Relu", [f"{name}_c"], [f"{name}_r"]),
            helper.make_node("Add", [f"{name}_c", f"{name}_r"], [name]),
        ]
    outputs = [
        value(name, TensorProto.FLOAT, [1, channels, side, side])
        for name, (channels, side, _, _) in MAPS.items()
    ]
    image = value("image", TensorProto.FLOAT, [1, 3, 32, 32])
    graph = helper.make_graph(nodes, "maps", [image], outputs, weights)
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def test_cubes_come_in_nhwc_like_every_other_map():
    model = network()
    with start_converter() as converter:
        converter.start(model, "fp32")
        raw = converter.finish()
    image = np.random.RandomState(7).rand(1, 3, 32, 32).astype(np.float32)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    expected = session.run(None, {"image": image})
    interpreter = Interpreter(model_content=raw)
    interpreter.allocate_tensors()
    (source,) = interpreter.get_input_details()
    interpreter.set_tensor(source["index"], np.ascontiguousarray(image.transpose(0, 2, 3, 1)))
    interpreter.invoke()
    got = [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
    for want in expected:
        nhwc = want.transpose(0, 2, 3, 1)
        assert any(x.shape == nhwc.shape and np.allclose(x, nhwc, atol=1e-3) for x in got)
