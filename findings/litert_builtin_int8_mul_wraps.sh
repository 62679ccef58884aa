#!/usr/bin/env bash
# LiteRT 2.3.0: the builtin int8 MUL gives -128 for a product that is far too large, XNNPACK gives 127.
#
# Expected: a quantized result that does not fit saturates: 127, as the reference kernel and XNNPACK say.
# Seen: the builtin kernel (x86-64) saturates the product to 16 bits and then adds the output's zero point,
#   which wraps: with zero point 100 every product above 32667 quanta becomes -128. The sign flips
#   where the value is largest. With zero point 0 it saturates.
# Who meets it: an int8 gate or squeeze-and-excitation product whose output range was calibrated far too
#   narrow (few images, a percentile); on a phone with XNNPACK the same file merely clips, so a proof
#   against the builtin kernels (BUILTIN_WITHOUT_DEFAULT_DELEGATES) differs by 255 quanta.
# Instead: judge such a file by the reference kernel, and widen the range of that output.
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

SHAPE = (1, 1, 1, 64)
ramp = np.linspace(-128, 127, 64).astype(np.int8).reshape(SHAPE)
full = np.full(SHAPE, 127, np.int8)
for zero_point in (0, 100):
    for scale in (0.3, 0.6, 1.0):
        given = [Q8(SHAPE, scale, -128), Q8(SHAPE, 1.0, -128)]
        data = make("MUL", given, Q8(SHAPE, 1.0, zero_point), schema.MulOptionsT(), 2)
        print(f"output zero point {zero_point}, scale {scale}: last number", end="")
        for name, kernels in (("XNNPACK", XNNPACK), ("builtin", BUILTIN), ("reference", REFERENCE)):
            print(f" {name}", int(run(data, kernels, ramp, full).ravel()[-1]), end="")
        print()
PYTHON
diff "$work/seen" - <<'SEEN'
output zero point 0, scale 0.3: last number XNNPACK 127 builtin 127 reference 127
output zero point 0, scale 0.6: last number XNNPACK 127 builtin 127 reference 127
output zero point 0, scale 1.0: last number XNNPACK 127 builtin 127 reference 127
output zero point 100, scale 0.3: last number XNNPACK 127 builtin 127 reference 127
output zero point 100, scale 0.6: last number XNNPACK 127 builtin -128 reference 127
output zero point 100, scale 1.0: last number XNNPACK 127 builtin -128 reference 127
SEEN
echo "as described"
