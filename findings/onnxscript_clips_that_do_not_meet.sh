#!/usr/bin/env bash
# onnxscript 0.7.2 joins two Clips, or a Clip and a Relu, whose ranges do not meet, to another function.
#
# Expected: Clip(Clip(x, -0.5, 0.5), 0.6, 1) is 0.6 everywhere, and Relu(Clip(x, -1, -0.5)) is 0.
# Seen: onnxscript.optimizer.optimize, which torch.onnx.export(dynamo=True, optimize=True) runs by
#   default, writes Clip(x, 0.6, 0.5), which by ONNX's definition is 0.5, and Clip(x, 0, -0.5), which
#   is -0.5: a Relu whose output is negative. The larger minimum and the smaller maximum are only the
#   right ones where the first range reaches the second.
# Who meets it: quantization-aware and pruned networks with learned clipping ranges; a branch that is
#   switched off by a clamp.
# Instead: export with optimize=False, or clamp both limits of the second range into the first.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 onnxscript==0.7.2
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here "$work/venv/bin/python" - >"$work/seen" 2>"$work/log" <<'PYTHON'
import numpy as np
import onnxscript.optimizer
from one_graph import make, operators, run


def clip(low, high):
    return {"low": np.float32(low), "high": np.float32(high)}


relu = ("Relu", ["a"], "y", {})
first = ("Clip", ["x", "low", "high"], "a", {})
second = ("Clip", ["a", "low2", "high2"], "y", {})
limits = {"low2": np.float32(0.6), "high2": np.float32(1)}
x = np.array([-2, 0, 2], np.float32)
for nodes, constants in (
    ([first, second], clip(-0.5, 0.5) | limits),
    ([first, relu], clip(-1, -0.5)),
):
    before = make(nodes, [3], constants)
    after = onnxscript.optimizer.optimize(before)
    for model in (before, after):
        print(operators(model), [round(float(v), 3) for v in run(model, x)])
PYTHON
diff "$work/seen" - <<'SEEN'
['Clip', 'Clip'] [0.6, 0.6, 0.6]
['Clip'] [0.5, 0.5, 0.5]
['Clip', 'Relu'] [0.0, 0.0, 0.0]
['Clip'] [-0.5, -0.5, -0.5]
SEEN
echo "as described"
