#!/usr/bin/env bash
# onnx 1.23.2: the reference evaluator computes Softmax of opset 11 as if it were of opset 13.
#
# Expected: onnx.reference is the definition that runs. Up to opset 12 Softmax flattens the input at
#   `axis` and sums over all later dimensions together; from opset 13 on it sums along `axis` alone.
# Seen: for an input of shape 1x2x2 and axis=1 onnxruntime gives four shares of one sum at opset 11, the
#   reference evaluator two sums of two, the values of opset 13. LogSoftmax and Hardmax have the same history.
# Who meets it: who proves an old file, or a converter, against the reference evaluator: the right
#   one is blamed.
# Instead: judge files below opset 13 by onnxruntime, or raise the opset first.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here "$work/venv/bin/python" - >"$work/seen" 2>"$work/log" <<'PYTHON'
import numpy as np
from one_graph import make, run
from onnx.reference import ReferenceEvaluator

x = np.log(np.array([1, 2, 3, 4], np.float32)).reshape(1, 2, 2)
for opset in (11, 13):
    model = make([("Softmax", ["x"], "y", {"axis": 1})], [1, 2, 2], opset=opset)
    for name, y in (
        ("onnxruntime", run(model, x)),
        ("reference evaluator", ReferenceEvaluator(model).run(None, {"x": x})[0]),
    ):
        print(f"opset {opset}", name, [round(float(v), 4) for v in y.ravel()])
PYTHON
diff "$work/seen" - <<'SEEN'
opset 11 onnxruntime [0.1, 0.2, 0.3, 0.4]
opset 11 reference evaluator [0.25, 0.3333, 0.75, 0.6667]
opset 13 onnxruntime [0.25, 0.3333, 0.75, 0.6667]
opset 13 reference evaluator [0.25, 0.3333, 0.75, 0.6667]
SEEN
echo "as described"
