#!/usr/bin/env bash
# LiteRT 2.3.0 with XNNPACK: SIN and COS of a large number are far outside -1 to 1.
#
# Expected: a sine is between -1 and 1, however badly the argument is reduced.
# Seen (x86-64 with AVX2): sin(1e10) = -4.89e3, sin(1e15) = -5.06e8, NaN at 1e38. Up to 1e4 both
#   kernels agree to three digits. The builtin kernels are right over the whole range.
# Who meets it: positional encodings and Fourier features whose position is a timestamp or a sample
#   count instead of a small number; the error is no rounding but eight orders of magnitude.
# Instead: reduce the argument in the network (position modulo the period, in integers).
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

x = np.array([1, 1e4, 1e10, 1e15, 1e38], np.float32).reshape(1, 1, 5, 1)
for op in ("SIN", "COS"):
    data = make(op, [x.shape], x.shape)
    for name, kernels in (("XNNPACK", XNNPACK), ("builtin", BUILTIN)):
        print(op, name, [f"{v:.3g}" for v in run(data, kernels, x).ravel()])
PYTHON
diff "$work/seen" - <<'SEEN'
SIN XNNPACK ['0.841', '-0.306', '-4.89e+03', '-5.06e+08', 'nan']
SIN builtin ['0.841', '-0.306', '-0.488', '0.994', '0.989']
COS XNNPACK ['0.54', '-0.952', '-4.9e+03', '-5.06e+08', 'nan']
COS builtin ['0.54', '-0.952', '0.873', '0.105', '0.147']
SEEN
echo "as described"
