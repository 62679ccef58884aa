#!/usr/bin/env bash
# onnxruntime 1.31.1 and earlier moves a Pad of zeros into a MaxPool, whose padding is minus infinity.
#
# Expected: default optimizations keep the function. "ZeroPadding2D, MaxPooling2D" lets a window of
#   negative numbers at the border give 0.
# Seen: from ORT_ENABLE_BASIC on (the default is ORT_ENABLE_ALL) an input of -1 everywhere gives -1 and
#   not 0. Right in 1.32.0. 1.23.0 to 1.31.1 were tried and do the same.
# Who meets it: networks with leaky, hard-swish or no activation before the padding; also who takes
#   onnxruntime's output for the truth when a converter's file is proven.
# Instead: onnxruntime 1.32.0, or SessionOptions.graph_optimization_level = ORT_DISABLE_ALL for a proof.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 onnxruntime==1.31.1 numpy==2.4.6
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here "$work/venv/bin/python" - >"$work/seen" 2>"$work/log" <<'PYTHON'
import numpy as np
import onnxruntime as ort
from one_graph import make, run

model = make(
    [
        ("Pad", ["x", "pads"], "a", {}),
        ("MaxPool", ["a"], "y", {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ],
    [1, 1, 2, 2],
    {"pads": np.array([0, 0, 1, 1, 0, 0, 1, 1])},
)
x = np.full((1, 1, 2, 2), -1, np.float32)
for level in ("ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_ALL"):
    y = run(model, x, getattr(ort.GraphOptimizationLevel, level))
    print(level, y.ravel().tolist())
PYTHON
diff "$work/seen" - <<'SEEN'
ORT_DISABLE_ALL [0.0, 0.0, 0.0, 0.0]
ORT_ENABLE_BASIC [-1.0, -1.0, -1.0, -1.0]
ORT_ENABLE_ALL [-1.0, -1.0, -1.0, -1.0]
SEEN
echo "as described"
