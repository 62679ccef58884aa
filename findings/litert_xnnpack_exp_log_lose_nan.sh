#!/usr/bin/env bash
# LiteRT 2.3.0 with XNNPACK: EXP turns NaN into 0, and LOG turns infinity and NaN into 88.4 and 88.8.
#
# Expected: NaN stays NaN through every float operator, so that a broken input or an overflow shows in
#   the output; the builtin kernels keep both.
# Seen (x86-64 with AVX2): exp(NaN) = 0, log(inf) = 88.38, log(NaN) = 88.78, and log(3e38) = 88.38
#   instead of 88.60: the polynomial runs on whatever bits there are.
# Who meets it: who looks for NaN or infinity in a network's output to find an overflow on the device
#   (box regressions end in EXP, losses and log-probabilities in LOG): it has become a plain number.
# Instead: look at the tensor before the operator, or run with XNNPACK off to search.
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

x = np.array([1, np.nan, np.inf, 3e38], np.float32).reshape(1, 1, 4, 1)
for op in ("EXP", "LOG"):
    data = make(op, [x.shape], x.shape)
    for name, kernels in (("XNNPACK", XNNPACK), ("builtin", BUILTIN)):
        print(op, name, [f"{v:.4g}" for v in run(data, kernels, x).ravel()])
PYTHON
diff "$work/seen" - <<'SEEN'
EXP XNNPACK ['2.718', '0', 'inf', 'inf']
EXP builtin ['2.718', 'nan', 'inf', 'inf']
LOG XNNPACK ['0', '88.78', '88.38', '88.38']
LOG builtin ['0', 'nan', 'inf', '88.6']
SEEN
echo "as described"
