#!/usr/bin/env bash
# LiteRT 2.3.0: the reference kernel of LOCAL_RESPONSE_NORMALIZATION leaves out each window's last channel.
#
# Expected: reference kernels are what the others are judged by: sum over the channels c - radius to
#   c + radius, both included (tf.nn.local_response_normalization).
# Seen: BUILTIN_REF sums up to c + radius - 1; the builtin kernel equals the definition to 1e-7. With
#   radius 1 on [1, 2, 3, 4], alpha = beta = 1: 0.5 instead of 0.1667 in the first channel.
# Who meets it: who proves AlexNet, GoogLeNet or an old face network against the reference kernels, or
#   runs on TFLite Micro's or a vendor's copy of them.
# Instead: judge this operator by the definition, or by the builtin kernels.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  ai-edge-litert==2.3.0 flatbuffers==25.12.19 numpy==2.4.6
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here "$work/venv/bin/python" - >"$work/seen" 2>"$work/log" <<'PYTHON'
import numpy as np
from one_operator import BUILTIN, REFERENCE, make, run, schema

options = schema.LocalResponseNormalizationOptionsT()
options.radius, options.bias, options.alpha, options.beta = 1, 1.0, 1.0, 1.0
x = np.array([1, 2, 3, 4], np.float32).reshape(1, 1, 1, 4)
data = make("LOCAL_RESPONSE_NORMALIZATION", [x.shape], x.shape, options)
row = x.ravel()
near = [row[max(0, c - 1) : c + 2] for c in range(4)]
print("definition", [f"{row[c] / (1 + (near[c] ** 2).sum()):.4f}" for c in range(4)])
for name, kernels in (("builtin", BUILTIN), ("reference", REFERENCE)):
    print(name, [f"{v:.4f}" for v in run(data, kernels, x).ravel()])
short = [row[max(0, c - 1) : c + 1] for c in range(4)]
print("without the last channel of each window", end=" ")
print([f"{row[c] / (1 + (short[c] ** 2).sum()):.4f}" for c in range(4)])
PYTHON
diff "$work/seen" - <<'SEEN'
definition ['0.1667', '0.1333', '0.1000', '0.1538']
builtin ['0.1667', '0.1333', '0.1000', '0.1538']
reference ['0.5000', '0.3333', '0.2143', '0.1538']
without the last channel of each window ['0.5000', '0.3333', '0.2143', '0.1538']
SEEN
echo "as described"
