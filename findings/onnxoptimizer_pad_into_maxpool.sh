#!/usr/bin/env bash
# onnxoptimizer 0.4.2 moves a Pad of zeros into a MaxPool, which pads with minus infinity.
#
# Expected: the default passes keep the function. A Pad of zeros before a MaxPool is the lowering
#   of many frameworks' "ZeroPadding2D, MaxPooling2D"; it lets a window of negative numbers at the
#   border give 0. MaxPool's own `pads` never win, so the two are only equal behind a ReLU.
# Seen: pass fuse_pad_into_pool, which is among the defaults, writes one MaxPool with pads
#   whatever comes before. On an input of -1 everywhere the border was 0 and becomes -1.
# Who meets it: networks with pre-activation, hard-swish or leaky activations before the pooling.
# Instead: leave that pass out, or use onnxsim 0.8.1 or onnxslim 0.1.98, which keep both nodes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnxoptimizer==0.4.2 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
"$work/venv/bin/python" - >"$work/seen" <<'PYTHON'
import numpy as np
import onnx
import onnxoptimizer
import onnxruntime as ort
from onnx import TensorProto, helper

nodes = [
    helper.make_node("Pad", ["x", "pads"], ["padded"]),
    helper.make_node("MaxPool", ["padded"], ["y"], kernel_shape=[2, 2], strides=[2, 2]),
]
graph = helper.make_graph(
    nodes,
    "pool",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 4, 4])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 3, 3])],
    [helper.make_tensor("pads", TensorProto.INT64, [8], [0, 0, 1, 1, 0, 0, 1, 1])],
)
before = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
before.ir_version = 8
after = onnxoptimizer.optimize(before)
onnx.checker.check_model(after)
for model in (before, after):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    image = np.full((1, 1, 4, 4), -1, np.float32)
    print([n.op_type for n in model.graph.node], session.run(None, {"x": image})[0][0, 0].tolist())
PYTHON
diff "$work/seen" - <<'SEEN'
['Pad', 'MaxPool'] [[0.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 0.0]]
['MaxPool'] [[-1.0, -1.0, -1.0], [-1.0, -1.0, -1.0], [-1.0, -1.0, -1.0]]
SEEN
echo "as described"
