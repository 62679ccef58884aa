#!/usr/bin/env bash
# LiteRT 2.3.0: with XNNPACK, asymmetric_quantize_inputs of dynamic int8 is not honoured.
#
# Expected: a FULLY_CONNECTED of float activations and int8 weights says in its options how the
#   activations are quantized while it runs: asymmetric_quantize_inputs false is around zero, true
#   uses the range of the row. A file gives one answer, to rounding.
# Seen: XNNPACK, the default, quantizes asymmetrically whatever the file says; the builtin kernels
#   do as it says. With all inputs positive (behind a ReLU) the two differ by 0.26 % in this file,
#   and agree to the bit once the option is true. 2.1.0 does the same.
# Who meets it: whoever compares a dynamically quantized file's outputs on two devices, or bisects
#   a delegate by switching XNNPACK off. TensorFlow's converter writes false by default.
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

random = np.random.default_rng(0)
weights = random.integers(-127, 128, (2, 8)).astype(np.int8)
x = (random.random((1, 8)) * 3 + 1).astype(np.float32)
for asymmetric in (False, True):
    options = schema.FullyConnectedOptionsT()
    options.asymmetricQuantizeInputs = asymmetric
    data = make("FULLY_CONNECTED", [(1, 8), (weights, 0.01)], (1, 2), options, version=3)
    there, here = (run(data, kernels, x).ravel() for kernels in (XNNPACK, BUILTIN))
    print("asymmetric" if asymmetric else "symmetric", "same:", np.allclose(there, here, rtol=1e-6))
    print(" XNNPACK", [round(float(v), 4) for v in there])
    print(" builtin", [round(float(v), 4) for v in here])
PYTHON
diff "$work/seen" - <<'SEEN'
symmetric same: False
 XNNPACK [-5.1866, 8.3036]
 builtin [-5.173, 8.2825]
asymmetric same: True
 XNNPACK [-5.1866, 8.3036]
 builtin [-5.1866, 8.3036]
SEEN
echo "as described"
