#!/usr/bin/env bash
# LiteRT 2.3.0 with XNNPACK: RSQRT of 0 is NaN, and SQRT of more than 8e37 is half too large.
#
# Expected: infinity for 1/sqrt(0), as IEEE 754, torch, onnxruntime and TFLite's builtin kernels say,
#   and a square root that is right to the last digits over the whole range of float32.
# Seen (x86-64 with AVX2): NaN for 0 and for every subnormal number; SQRT(3e38) is 2.598e19 and not
#   1.732e19, as if the last Newton step had overflowed; SQRT of a subnormal number is 0.
# Who meets it: a normalization x * rsqrt(mean(x*x)) without an epsilon, on a patch of zeros (a black
#   border): the builtin kernels give 0 * inf, also NaN, but rsqrt(0) behind a minimum or a clamp is
#   fine there and NaN here. Sums of squares in the order of 1e38 come from unnormalized int images.
# Instead: add an epsilon that is no subnormal number (1e-6), before the RSQRT and in the network.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  ai-edge-litert==2.3.0 flatbuffers==25.12.19 numpy==2.4.6
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here "$work/venv/bin/python" - >"$work/seen" 2>"$work/log" <<'PYTHON'
import numpy as np
from one_operator import BUILTIN, XNNPACK, make, run

x = np.array([4, 0, 1e-40, 1e38, 3e38], np.float32).reshape(1, 1, 5, 1)
for op in ("RSQRT", "SQRT"):
    data = make(op, [x.shape], x.shape)
    for name, kernels in (("XNNPACK", XNNPACK), ("builtin", BUILTIN)):
        print(op, name, [f"{v:.4g}" for v in run(data, kernels, x).ravel()])
PYTHON
diff "$work/seen" - <<'SEEN'
RSQRT XNNPACK ['0.5', 'nan', 'nan', '1.5e-19', '8.66e-20']
RSQRT builtin ['0.5', 'inf', '1e+20', '1e-19', '5.774e-20']
SQRT XNNPACK ['2', '0', '0', '1.5e+19', '2.598e+19']
SQRT builtin ['2', '0', '1e-20', '1e+19', '1.732e+19']
SEEN
echo "as described"
