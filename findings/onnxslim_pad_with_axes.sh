#!/usr/bin/env bash
# onnxslim 0.1.98 joins a Pad that names its axes (opset 18) with a Conv to a file that nothing loads.
#
# Expected: Pad's fourth input, axes, is read: pads has two values an axis that is named, not two a
#   dimension. torch's and tf2onnx's padding at the right and below only ("SAME" at stride 2) is written so.
# Seen: FusionPadConv cuts the list [0, 0, 1, 1] of axes [2, 3] as if it were of four dimensions and
#   writes a Conv with pads [1, 1]; slim ends without a word, onnxruntime refuses the file. With other
#   values the sum is a list of the right length that pads elsewhere.
# Who meets it: exports at opset 18 or later with a Pad of two named axes before a strided convolution.
# Instead: onnxslim.slim(model, skip_fusion_patterns=["FusionPadConv"]), or write all axes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 onnxslim==0.1.98
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here "$work/venv/bin/python" - >"$work/seen" 2>"$work/log" <<'PYTHON'
import numpy as np
import onnxslim
from onnx import helper
from one_graph import make, operators, run

pads = np.array([0, 0, 1, 1], np.int64)  # one row below, one column at the right
before = make(
    [
        ("Pad", ["x", "pads", "", "axes"], "a", {}),
        ("Conv", ["a", "w"], "y", {"strides": [2, 2], "kernel_shape": [3, 3]}),
    ],
    [1, 3, 8, 8],
    {"pads": pads, "axes": np.array([2, 3]), "w": np.ones((4, 3, 3, 3), np.float32)},
    opset=18,
)
image = np.ones((1, 3, 8, 8), np.float32)
print(operators(before), run(before, image).shape)
after = onnxslim.slim(before)
attributes = {a.name: helper.get_attribute_value(a) for a in after.graph.node[0].attribute}
print(operators(after), "pads", attributes["pads"])
try:
    print(run(after, image).shape)
except Exception as error:
    print("onnxruntime refuses:", "Attribute pads has incorrect size" in str(error))
PYTHON
diff "$work/seen" - <<'SEEN'
['Pad', 'Conv'] (1, 4, 4, 4)
['Conv'] pads [1, 1]
onnxruntime refuses: True
SEEN
echo "as described"
