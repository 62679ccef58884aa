#!/usr/bin/env bash
# onnxslim 0.1.98 takes a factor for each column of a map for a factor for each channel.
#
# Expected: Conv followed by Mul with a constant is folded into the weights only where the constant
#   stands along the channels, shape [C, 1, 1]. A constant of shape [W] stands along the width by ONNX's
#   rules of broadcasting (the last dimensions align).
# Seen: with W equal to the number of channels (a 4x4 map of 4 channels) the constant [0, 1, 2, 3] is
#   multiplied into the weights of the channels; the output differs everywhere, without a message.
#   FusionConvAdd of the same version looks at the alignment, FusionConvMul does not; ConvTranspose
#   alike.
# Who meets it: windows and positional weights on small maps as wide as they have channels (16, 32),
#   spectrogram networks with a factor for each frequency.
# Instead: onnxslim.slim(model, skip_fusion_patterns=["FusionConvMul"]), or write the constant as [1, 1, 1, W].
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
from one_graph import make, operators, run

weights = np.ones((4, 3, 3, 3), np.float32)
columns = np.array([0, 1, 2, 3], np.float32)  # one factor a column of the 4x4 map
before = make(
    [("Conv", ["x", "w"], "a", {}), ("Mul", ["a", "columns"], "y", {})],
    [1, 3, 6, 6],
    {"w": weights, "columns": columns},
)
image = np.ones((1, 3, 6, 6), np.float32)
for model in (before, onnxslim.slim(before)):
    y = run(model, image)
    print(operators(model), "row of channel 0", y[0, 0, 0].tolist(), "of 3", y[0, 3, 0].tolist())
PYTHON
diff "$work/seen" - <<'SEEN'
['Conv', 'Mul'] row of channel 0 [0.0, 27.0, 54.0, 81.0] of 3 [0.0, 27.0, 54.0, 81.0]
['Conv'] row of channel 0 [0.0, 0.0, 0.0, 0.0] of 3 [81.0, 81.0, 81.0, 81.0]
SEEN
echo "as described"
