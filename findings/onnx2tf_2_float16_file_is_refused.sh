#!/usr/bin/env bash
# The float16 file that onnx2tf 2.6.9 writes beside each conversion is refused by LiteRT 2.1.2.
#
# Expected: model_float16.tflite holds weights of half precision behind DEQUANTIZE, as TensorFlow's
#   converter (and onnx2tf 1) makes it, and runs on every CPU with float32 inputs.
# Seen: of one Conv and one Relu the float32 file runs; the float16 file has a CONV_2D whose input is
#   float16, and LiteRT (the version that onnx2tf 2.6.9 itself pins) says
#   "input_type == kTfLiteFloat32 || … was not true … CONV_2D failed to prepare".
#   The conversion ends well and prints no warning. Both kinds of kernels refuse it, XNNPACK's and
#   the builtin ones.
# Who meets it: whoever ships the float16 file untried. ghostdeploy halves the weights itself.
# Needs Python 3.12 or newer, as onnx2tf 2 does: PYTHON names another one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.12}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnx2tf==2.6.9 onnx==1.20.1 onnxruntime==1.26.0 numpy==2.2.6 ai-edge-litert==2.1.2
cd "$work"
"$work/venv/bin/python" - >seen 2>said <<'PYTHON'
import contextlib
import io

import numpy as np
import onnx
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
import onnx2tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

with contextlib.redirect_stdout(io.StringIO()):
    onnx2tf.convert(input_onnx_file_path="one.onnx", output_folder_path="made",
                    not_use_onnxsim=True, non_verbose=True)
for precision in ("float32", "float16"):
    for kernels in ("AUTO", "BUILTIN_WITHOUT_DEFAULT_DELEGATES"):
        try:
            model = Interpreter(f"made/one_{precision}.tflite",
                                experimental_op_resolver_type=OpResolverType[kernels])
            model.allocate_tensors()
            given = model.get_input_details()[0]
            model.set_tensor(given["index"], np.zeros(given["shape"], given["dtype"]))
            model.invoke()
            print(precision, kernels, "runs")
        except RuntimeError as error:
            told = "CONV_2D" in str(error) and "failed to prepare" in str(error)
            print(precision, kernels, "refused" if told else error)
PYTHON
diff seen - <<'SEEN'
float32 AUTO runs
float32 BUILTIN_WITHOUT_DEFAULT_DELEGATES runs
float16 AUTO refused
float16 BUILTIN_WITHOUT_DEFAULT_DELEGATES refused
SEEN
echo "as described"
