#!/usr/bin/env bash
# LiteRT 2.3.0: the reference kernel of int8 SUM ignores scales and zero points.
#
# Expected: BUILTIN_REF is what other kernels are judged by; sum(scale * (q - zero_point)), rescaled to
#   the output: -2, -42 and 78 for these files. XNNPACK and the builtin kernel give that.
# Seen: the reference kernel gives -1 for all three.
# Who meets it: who proves an int8 graph with a global sum (attention scores, an L1 norm, a SUM that a
#   converter made of a mean) against the reference kernels, or debugs with them.
# Instead: judge SUM by the builtin kernel; MEAN is right in all three.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  ai-edge-litert==2.3.0 flatbuffers==25.12.19 numpy==2.4.6
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here "$work/venv/bin/python" - >"$work/seen" 2>"$work/log" <<'PYTHON'
import numpy as np
from one_operator import BUILTIN, REFERENCE, XNNPACK, Q8, make, run, schema

options = schema.ReducerOptionsT()
options.keepDims = True
axes = np.array([1, 2], np.int32)
x = np.arange(-8, 8, dtype=np.int8).reshape(1, 4, 4, 1)
for zero_point in (0, 10, -20):
    given = [Q8((1, 4, 4, 1), 0.1, zero_point), (axes, None)]
    data = make("SUM", given, Q8((1, 1, 1, 1), 0.4, 0), options, 2)
    print(f"right {(x.astype(int) - zero_point).sum() * 0.1 / 0.4:.2f}", end="")
    for name, kernels in (("XNNPACK", XNNPACK), ("builtin", BUILTIN), ("reference", REFERENCE)):
        print(f" {name}", int(run(data, kernels, x).ravel()[0]), end="")
    print()
PYTHON
diff "$work/seen" - <<'SEEN'
right -2.00 XNNPACK -2 builtin -2 reference -1
right -42.00 XNNPACK -42 builtin -42 reference -1
right 78.00 XNNPACK 78 builtin 78 reference -1
SEEN
echo "as described"
