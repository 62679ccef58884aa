#!/usr/bin/env bash
# LiteRT 2.3.0's builtin float kernels turn infinity into the largest float, and MaxPool drops NaN.
#
# Expected: an operator without a fused activation leaves infinity and NaN as they are, so that
#   `isfinite(output)` finds a network that overflows, whatever kernels ran it.
# Seen: "no activation" is a clamp to [-3.4028235e38, 3.4028235e38] in the builtin and reference
#   kernels of ADD, SUB, MUL, DIV, AVERAGE_POOL_2D, MAX_POOL_2D, CONV_2D: infinity becomes the
#   largest float, which is finite. MAX_POOL_2D starts from the lowest float and so gives that for
#   a window of NaN alone. XNNPACK, the default, keeps both. 2.1.0 does the same.
# Who meets it: whoever compares outputs of XNNPACK with builtin kernels, or checks for overflow in
#   a fp16 or badly scaled network with XNNPACK off (old phones, --use_xnnpack=false).
# Instead: compare with 3.4028235e38 as well as with isfinite.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  ai-edge-litert==2.3.0 flatbuffers==25.12.19 numpy==2.4.6
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here "$work/venv/bin/python" - >"$work/seen" 2>"$work/log" <<'PYTHON'
import numpy as np
from one_operator import BUILTIN, REFERENCE, XNNPACK, make, run, schema

SHAPE = (1, 1, 4, 1)
x = np.array([np.inf, -np.inf, np.nan, 1], np.float32).reshape(SHAPE)
pool = schema.Pool2DOptionsT()
pool.filterWidth = pool.filterHeight = pool.strideW = pool.strideH = 1
for op, options, second in (
    ("ADD", schema.AddOptionsT(), 0),
    ("MUL", schema.MulOptionsT(), 1),
    ("AVERAGE_POOL_2D", pool, None),
    ("MAX_POOL_2D", pool, None),
):
    given = [x] if second is None else [x, np.full_like(x, second)]
    data = make(op, [SHAPE] * len(given), SHAPE, options)
    for name, kernels in (("XNNPACK", XNNPACK), ("builtin", BUILTIN), ("reference", REFERENCE)):
        print(op, name, [float(v) for v in run(data, kernels, *given).ravel()])
PYTHON
diff "$work/seen" - <<'SEEN'
ADD XNNPACK [inf, -inf, nan, 1.0]
ADD builtin [3.4028234663852886e+38, -3.4028234663852886e+38, nan, 1.0]
ADD reference [3.4028234663852886e+38, -3.4028234663852886e+38, nan, 1.0]
MUL XNNPACK [inf, -inf, nan, 1.0]
MUL builtin [3.4028234663852886e+38, -3.4028234663852886e+38, nan, 1.0]
MUL reference [3.4028234663852886e+38, -3.4028234663852886e+38, nan, 1.0]
AVERAGE_POOL_2D XNNPACK [inf, -inf, nan, 1.0]
AVERAGE_POOL_2D builtin [3.4028234663852886e+38, -3.4028234663852886e+38, nan, 1.0]
AVERAGE_POOL_2D reference [3.4028234663852886e+38, -3.4028234663852886e+38, nan, 1.0]
MAX_POOL_2D XNNPACK [inf, -inf, nan, 1.0]
MAX_POOL_2D builtin [3.4028234663852886e+38, -3.4028234663852886e+38, -3.4028234663852886e+38, 1.0]
MAX_POOL_2D reference [3.4028234663852886e+38, -3.4028234663852886e+38, -3.4028234663852886e+38, 1.0]
SEEN
echo "as described"
