#!/usr/bin/env bash
# onnx2tf 2.6.9 writes into the ONNX file that it converts.
#
# Expected: a converter reads its input; what it makes goes to output_folder_path.
# Seen: convert(input_onnx_file_path="one.onnx", output_folder_path="made", not_use_onnxsim=True)
#   ends well, and one.onnx has other bytes than before: 631 for 597, with the same two nodes and the
#   same outputs to the bit. Nothing says so. The file's hash, and with it every cache, sidecar or
#   signature that goes by the hash, no longer fits.
# Who meets it: whoever converts a published model in place. ghostdeploy converts a copy.
# Needs Python 3.12 or newer, as onnx2tf 2 does: PYTHON names another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.12}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx2tf==2.6.9 onnx==1.20.1 onnxruntime==1.26.0 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - >seen 2>said <<'PYTHON'
import contextlib
import io
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

# Only onnx2tf's quantizer reads it, and it would be downloaded.
np.save("calibration_image_sample_data_20x128x128x3_float32.npy", np.zeros((20, 128, 128, 3)))
weights = np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype(np.float32)
ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, channels, 8, 8))
        for name, channels in (("image", 3), ("out", 4))]
nodes = [helper.make_node("Conv", ["image", "w"], ["conv"], name="c", pads=[1, 1, 1, 1]),
         helper.make_node("Relu", ["conv"], ["out"], name="r")]
graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [numpy_helper.from_array(weights, "w")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
model.ir_version = 8
onnx.checker.check_model(model, full_check=True)
onnx.save(model, "one.onnx")
image = {"image": np.random.default_rng(1).random((1, 3, 8, 8), np.float32)}


def run():
    return onnxruntime.InferenceSession("one.onnx").run(None, image)[0]


before, expected = Path("one.onnx").read_bytes(), run()
import onnx2tf

with contextlib.redirect_stdout(io.StringIO()):
    onnx2tf.convert(input_onnx_file_path="one.onnx", output_folder_path="made",
                    not_use_onnxsim=True, non_verbose=True)
after = Path("one.onnx").read_bytes()
print("the same bytes:", before == after, len(before), len(after))
print("the same outputs:", bool((run() == expected).all()))
print("nodes:", [node.op_type for node in onnx.load("one.onnx").graph.node])
PYTHON
diff seen - <<'SEEN'
the same bytes: False 597 631
the same outputs: True
nodes: ['Conv', 'Relu']
SEEN
echo "as described"
