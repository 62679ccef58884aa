#!/usr/bin/env bash
# TensorFlow 2.19.0's TFLiteConverter leaves out the signature where a variable has no owner.
#
# Expected: from_concrete_functions([function], owner) writes `serving_default`, so that a caller
#   addresses inputs and outputs by name, or says why it cannot.
# Seen: where the function captures one variable that the owner does not hold, saving the owner
#   fails inside convert(), the exception is swallowed, and another way is taken: exit 0, no
#   warning about it, no signature, and the input tensor has another name (`image` for
#   `serving_default_image:0`). The same call with an owner that holds the variable has both.
# Who meets it: converters that build Keras layers with variables of their own, as onnx2tf 1.29.24
#   does for depthwise convolutions: whether a file has a signature hangs on the network's layers.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  tensorflow==2.19.0 numpy==1.26.4 protobuf==4.25.5
TF_CPP_MIN_LOG_LEVEL=3 "$work/venv/bin/python" - >"$work/seen" 2>"$work/said" <<'PYTHON'
import tensorflow as tf

kept, apart = (tf.Variable(tf.ones((4, 4))) for _ in range(2))
owner = tf.Module()
owner.kept = kept


def convert(variable):
    function = tf.function(lambda x: tf.matmul(x, variable))
    concrete = function.get_concrete_function(tf.TensorSpec((1, 4), tf.float32, name="image"))
    data = tf.lite.TFLiteConverter.from_concrete_functions([concrete], owner).convert()
    model = tf.lite.Interpreter(model_content=data)
    inputs = [each["name"] for each in model.get_input_details()]
    return sorted(model.get_signature_list()), inputs


print("a variable of the owner's:", *convert(kept))
print("a variable of nobody's:", *convert(apart))
PYTHON
diff "$work/seen" - <<'SEEN'
a variable of the owner's: ['serving_default'] ['serving_default_image:0']
a variable of nobody's: [] ['image']
SEEN
! grep -iE "untracked|signature" "$work/said"
echo "as described"
