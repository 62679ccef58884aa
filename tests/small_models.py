"""Real models, small enough to make in every test run."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from functools import cache

import pytest

from tests.optional_packages import ABSENT

# A process of its own: tensorflow's threads and signal handlers stay out of the tests'.
MAKE_TFLITE = """
import base64, json
import tensorflow as tf

def converted(function, *signature, custom=False):
    concrete = tf.function(function, input_signature=signature).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    converter.allow_custom_ops = custom
    return base64.b64encode(converter.convert()).decode()

def conv(x, kernel):
    return tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME"))

kernel = tf.random.stateless_normal([3, 3, 3, 8], [1, 2])
wide = tf.random.stateless_normal([5, 5, 3, 64], [1, 2])
square = tf.random.stateless_normal([3, 3, 64, 64], [1, 2])

def tiny(image):
    return tf.reduce_mean(conv(image, kernel), [1, 2])

def free(image):
    return tiny(image)

def heavy(image):
    return tf.reduce_mean(conv(image, wide), [1, 2])

def slow(image):
    features = conv(image, wide)
    for _ in range(4):
        features = conv(features, square)
    return tf.reduce_mean(features, [1, 2])

def mixed(real, byte, whole, flag):
    chosen = tf.where(flag, tf.cast(whole, tf.float32), real)
    return chosen + tf.cast(byte, tf.float32)

def foreign(a):
    return tf.raw_ops.Bincount(arr=a, size=4, weights=tf.constant([], tf.float32))

spec = tf.TensorSpec
print(json.dumps({
    "tiny": converted(tiny, spec([1, 16, 16, 3], tf.float32, name="image")),
    "heavy": converted(heavy, spec([1, 160, 160, 3], tf.float32, name="image")),
    "free": converted(free, spec([1, None, None, 3], tf.float32, name="image")),
    "slow": converted(slow, spec([1, 16, 16, 3], tf.float32, name="image")),
    "mixed": converted(
        mixed,
        spec([None, 4], tf.float32, name="real"),
        spec([None, 4], tf.uint8, name="byte"),
        spec([None, 4], tf.int64, name="whole"),
        spec([None, 4], tf.bool, name="flag"),
    ),
    "custom": converted(foreign, spec([4], tf.int32), custom=True),
}))
"""


@cache
def _tflite() -> dict[str, str]:
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    if "tensorflow" in ABSENT:
        pytest.skip("tensorflow is not installed")
    done = subprocess.run(
        [sys.executable, "-c", MAKE_TFLITE], env=quiet, capture_output=True, text=True, check=True
    )
    models: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return models


def tflite(name: str = "tiny") -> bytes:
    """A model's bytes.

    ``tiny``: microseconds a run; ``slow``: of the same input, many times as long; ``heavy``:
    milliseconds; ``free``: ``tiny`` of any height and width; ``mixed``: inputs of four types and a
    free dimension; ``custom``: an operator that no runtime has.
    """
    return base64.b64decode(_tflite()[name])


@cache
def onnx(name: str = "tiny") -> bytes:
    """``tiny``: one convolution; ``free``: of any size; ``mixed``: five types, a free batch."""
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info
    if name in ("tiny", "free"):
        sides = [1, 3, 8, 8] if name == "tiny" else ["n", 3, "height", "width"]
        inputs = [value("x", TensorProto.FLOAT, sides)]
        weights = [helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 3, 3], [0.1] * 108)]
        nodes = [helper.make_node("Conv", ["x", "w"], ["y"])]
        outputs = [value("y", TensorProto.FLOAT, None)]
    else:
        types = ("FLOAT", "FLOAT16", "INT64", "UINT8", "BOOL")
        inputs = [value(t, getattr(TensorProto, t), ["batch", 4]) for t in types]
        weights = []
        nodes = [helper.make_node("Cast", [t], [f"{t}_f"], to=1) for t in types]
        nodes.append(helper.make_node("Sum", [f"{t}_f" for t in types], ["y"]))
        outputs = [value("y", TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, name, inputs, outputs, weights)
    opset = [helper.make_opsetid("", 13)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    data: bytes = model.SerializeToString()
    return data
