#!/usr/bin/env bash
# onnxoptimizer 0.4.2 joins two Reshapes although the second one copies a size of the first.
#
# Expected: in a Reshape's shape, 0 copies that dimension of its *input*. Two in a row may be joined
#   only where the second has no 0 or the first leaves that dimension as it was.
# Seen: the first is dropped whatever the second says. (2,3,4,5) → (6,20) → (0,4,5), which is
#   (6,4,5), becomes (2,3,4,5) → (0,4,5), that is (2,4,5): 40 elements for 120. optimize() and the
#   checker say nothing; the runtime refuses the file when it runs.
# Who meets it: attention blocks, channel shuffles and flattened heads, which torch's exporter
#   writes as chains of Reshapes with 0 and -1.
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
    helper.make_node("Reshape", ["x", "first"], ["flat"]),
    helper.make_node("Reshape", ["flat", "second"], ["y"]),
]
graph = helper.make_graph(
    nodes,
    "reshapes",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3, 4, 5])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [6, 4, 5])],
    [
        helper.make_tensor("first", TensorProto.INT64, [2], [6, 20]),
        helper.make_tensor("second", TensorProto.INT64, [3], [0, 4, 5]),
    ],
)
before = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
before.ir_version = 8
after = onnxoptimizer.optimize(before)
onnx.checker.check_model(after)
quiet = ort.SessionOptions()
quiet.log_severity_level = 4
for model in (before, after):
    try:
        session = ort.InferenceSession(
            model.SerializeToString(), quiet, providers=["CPUExecutionProvider"]
        )
        said = session.run(None, {"x": np.zeros((2, 3, 4, 5), np.float32)})[0].shape
    except Exception as error:
        said = type(error).__name__
    print(len(model.graph.node), "Reshape:", said)
PYTHON
diff "$work/seen" - <<'SEEN'
2 Reshape: (6, 4, 5)
1 Reshape: Fail
SEEN
echo "as described"
