#!/usr/bin/env bash
# LiteRT 2.3.0: XNNPACK takes a CONCATENATION with a fused activation and leaves the activation out.
#
# Expected: the schema gives ConcatenationOptions a fused_activation_function; a runtime applies it, or
#   refuses as the builtin kernels do ("params->activation != kTfLiteActNone").
# Seen: with XNNPACK, which is on by default, the file loads and RELU is ignored: -1 stays -1. With
#   XNNPACK off the same file does not load.
# Who meets it: writers of TFLite files that fuse a ReLU into whatever made its input (the schema
#   allows it for CONCATENATION and L2_NORMALIZATION), and who check the result by whether it loads.
# Instead: write the ReLU as an operator of its own.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  ai-edge-litert==2.3.0 flatbuffers==25.12.19 numpy==2.4.6
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here "$work/venv/bin/python" - >"$work/seen" 2>"$work/log" <<'PYTHON'
import numpy as np
from one_operator import BUILTIN, XNNPACK, make, run, schema

options = schema.ConcatenationOptionsT()
options.axis, options.fusedActivationFunction = 3, schema.ActivationFunctionType.RELU
a, b = (np.array([v], np.float32).reshape(1, 1, 1, 1) for v in (-1, 2))
data = make("CONCATENATION", [a.shape, b.shape], (1, 1, 1, 2), options)
print("XNNPACK", run(data, XNNPACK, a, b).ravel().tolist())
try:
    print("builtin", run(data, BUILTIN, a, b).ravel().tolist())
except RuntimeError as error:
    print("builtin refuses:", "activation != kTfLiteActNone" in str(error))
PYTHON
diff "$work/seen" - <<'SEEN'
XNNPACK [-1.0, 2.0]
builtin refuses: True
SEEN
echo "as described"
