#!/usr/bin/env bash
# onnx 1.23.2's version_converter turns Resize 10 into another function, without a word.
#
# Expected: a version converter keeps the function. Resize of opset 10 reads x_in = floor(x_out /
#   scale); opset 11 made that the attributes coordinate_transformation_mode and nearest_mode, with
#   other defaults (half_pixel, round_prefer_floor), so the converted node must carry
#   "asymmetric" and "floor".
# Seen: the node is written without both attributes. Nearest 3 → 7 reads source pixels
#   [0 0 1 1 1 2 2] instead of [0 0 0 1 1 2 2]; linear is off as well. The checker passes, the exit
#   code is 0. The same for Upsample 7 and 9, which pass through Resize 10.
# Who meets it: whoever raises the opset of an older export (many tools want 13 or more), with any
#   up-sampling whose factor is not whole, and any linear one.
# Instead: convert again from the source, or write the two attributes by hand afterwards.
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


def resize(mode):
    node = helper.make_node("Resize", ["x", "scales"], ["y"], mode=mode)
    graph = helper.make_graph(
        [node],
        "resize",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 1, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 1, 7])],
        [helper.make_tensor("scales", TensorProto.FLOAT, [4], [1, 1, 1, 7 / 3 + 1e-4])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 10)])
    model.ir_version = 5
    return model


def pixels(model):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    image = np.arange(3, dtype=np.float32).reshape(1, 1, 1, 3)
    return [round(float(value), 2) for value in session.run(None, {"x": image})[0].ravel()]


for mode in ("nearest", "linear"):
    before = resize(mode)
    after = version_converter.convert_version(before, 13)
    checker.check_model(after)
    node = next(n for n in after.graph.node if n.op_type == "Resize")
    print(mode, "opset 10", pixels(before))
    print(mode, "opset 13", pixels(after), [a.name for a in node.attribute])
PYTHON
diff "$work/seen" - <<'SEEN'
nearest opset 10 [0.0, 0.0, 0.0, 1.0, 1.0, 2.0, 2.0]
nearest opset 13 [0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0] ['mode']
linear opset 10 [0.0, 0.43, 0.86, 1.29, 1.71, 2.0, 2.0]
linear opset 13 [0.0, 0.14, 0.57, 1.0, 1.43, 1.86, 2.0] ['mode']
SEEN
echo "as described"
