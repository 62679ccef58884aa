"""Small ONNX files, how to run them with onnxruntime as they stand, and how to print them."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper


def make(nodes, shape, constants=None, opset=17):
    """Return a checked model with input ``x`` of ``shape`` and output ``y``, both float32.

    ``nodes`` are tuples (operator, inputs, output, attributes), ``constants`` name → array.
    """
    graph = helper.make_graph(
        [helper.make_node(op, inputs, [output], **given) for op, inputs, output, given in nodes],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(v), name) for name, v in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    model = onnx.shape_inference.infer_shapes(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def run(model, x, level=ort.GraphOptimizationLevel.ORT_DISABLE_ALL):
    """Return onnxruntime's output for ``x``, by default of the very operators in the file."""
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 4
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": x})[0]


def operators(model):
    """Return the names of the operators of ``model`` in order."""
    return [node.op_type for node in model.graph.node]
