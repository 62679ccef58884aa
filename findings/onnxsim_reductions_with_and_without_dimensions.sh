#!/usr/bin/env bash
# onnxsim 0.8.1 joins two Reduce nodes of which only the second drops its dimensions, and its check agrees.
#
# Expected: ReduceMax over axes 1 and 2 with keepdims=1, then over 0 and 1 with keepdims=0, leaves one
#   dimension of size 1: shape (1,). The shape of an output is part of the function.
# Seen: one ReduceMax over 0, 1 and 2 with keepdims=0: shape (). ReduceSum alike. simplify(check_n=3)
#   compares three random inputs and says True, because (1,) and () compare equal by broadcasting.
# Who meets it: pooled heads written as two reductions; a Gemm, Concat or Gather behind them then
#   fails, or an app reads a vector where there is a scalar.
# Instead: compare shapes as well as values, or write both reductions with keepdims=1 and reshape.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 onnxsim==0.8.1
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here "$work/venv/bin/python" - >"$work/seen" 2>"$work/log" <<'PYTHON'
import contextlib
import sys

import numpy as np
import onnxsim
from one_graph import make, operators, run

x = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
for op in ("ReduceMax", "ReduceSum"):
    nodes = [
        (op, ["x", "inner"], "a", {"keepdims": 1}),
        (op, ["a", "outer"], "y", {"keepdims": 0}),
    ]
    before = make(nodes, [2, 2, 3], {"inner": np.array([1, 2]), "outer": np.array([0, 1])}, 18)
    with contextlib.redirect_stdout(sys.stderr):
        after, checked = onnxsim.simplify(before, check_n=3)
    for model in (before, after):
        print(operators(model), run(model, x).shape)
    print("checked:", checked)
PYTHON
diff "$work/seen" - <<'SEEN'
['ReduceMax', 'ReduceMax'] (1,)
['ReduceMax'] ()
checked: True
['ReduceSum', 'ReduceSum'] (1,)
['ReduceSum'] ()
checked: True
SEEN
echo "as described"
