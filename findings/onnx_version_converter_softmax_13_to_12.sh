#!/usr/bin/env bash
# onnx 1.23.2's version_converter lowers Softmax and LogSoftmax from 13 to 12 as another function.
#
# Expected: up to opset 12 Softmax coerces its input to two dimensions at `axis` and sums over all
#   that follow; from 13 on it sums along `axis` alone. The way up (11 → 13) is right: Flatten,
#   Softmax and Reshape are written. Most expect the way down to do the like, or to refuse.
# Seen: the node is copied. Each row of a (1, 2, 3) input along axis 1 summed to 1 before; after
#   it, all six elements together do. The checker passes, the exit code is 0. Hardmax is refused.
# Who meets it: whoever brings an attention block or a segmentation head (softmax over channels of
#   NCHW) down for an older runtime or NPU compiler that takes opset 11 or 12.
# Instead: transpose so that the axis is the last one before lowering the opset.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
"$work/venv/bin/python" - >"$work/seen" <<'PYTHON'
import numpy as np
import onnxruntime as ort
from onnx import TensorProto, checker, helper, version_converter

SHAPE = (1, 2, 3)


def softmax(op, opset):
    graph = helper.make_graph(
        [helper.make_node(op, ["x"], ["y"], axis=1)],
        "softmax",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, SHAPE)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 7
    return model


def total(model, op):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    values = session.run(None, {"x": np.arange(6, dtype=np.float32).reshape(SHAPE)})[0]
    return round(float((np.exp(values) if op == "LogSoftmax" else values).sum()), 3)


for op in ("Softmax", "LogSoftmax"):
    before = softmax(op, 13)
    after = version_converter.convert_version(before, 12)
    checker.check_model(after)
    nodes = [node.op_type for node in after.graph.node]
    print(op, "13 sums to", total(before, op), "and 12 to", total(after, op), nodes)
up = version_converter.convert_version(softmax("Softmax", 11), 13)
print("up:", [node.op_type for node in up.graph.node])
PYTHON
diff "$work/seen" - <<'SEEN'
Softmax 13 sums to 3.0 and 12 to 1.0 ['Softmax']
LogSoftmax 13 sums to 3.0 and 12 to 1.0 ['LogSoftmax']
up: ['Shape', 'Flatten', 'Softmax', 'Reshape']
SEEN
echo "as described"
