"""onnx2tf and TensorFlow in a process of its own.

``python -m ghostdeploy.lowering.onnx2tf_worker PARENT`` is that process; it ends with the one of
the id PARENT.

It starts importing at once (that takes seconds, which the caller spends on torch's export),
then reads one JSON line from standard input:
``{"onnx": PATH, "outputs": {PRECISION: PATH}}``, writes the files and exits with 0. What the
libraries print is the caller's log. It must run in an empty folder: onnx2tf writes there.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ghostdeploy.lifeline import die_with
from ghostdeploy.lowering.model_ends import Turn, draw_inputs, find_turns, shapes_of_ends

# onnx2tf fetches this file from the web during every conversion unless it lies in the
# working directory; only its own quantizer, which is not used here, reads the values.
PLACEHOLDER = "calibration_image_sample_data_20x128x128x3_float32.npy"


def main() -> int:
    """Convert the one job on standard input; returns the exit code."""
    die_with(int(sys.argv[1]))
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="-1", TF_USE_LEGACY_KERAS="1")
    import numpy as np

    np.save(PLACEHOLDER, np.zeros((20, 128, 128, 3), np.float32))
    import onnx2tf  # noqa: F401
    import tensorflow  # noqa: F401

    line = sys.stdin.readline()
    if not line:  # the caller gave up
        return 1
    job = json.loads(line)
    shapes, outputs = shapes_of_ends(job["onnx"])
    network = keras_model(job["onnx"], [name for name, shape in shapes.items() if len(shape) != 4])
    turns = turns_of_outputs(network, job["onnx"], list(outputs.values()))
    for precision, path in job["outputs"].items():
        Path(path).write_bytes(tflite_bytes(network, precision, turns, list(shapes)))
    return 0


def keras_model(onnx_path: str, keep: Sequence[str] = ()) -> Any:
    """Return onnx2tf's Keras model, each layer called after the ONNX value that it helps make.

    An input is NHWC where ONNX has it NCHW; those that ``keep`` names are as ONNX has them.
    """
    from onnx2tf import onnx2tf

    trust_shapes_of("Reshape", "Transpose")
    captured: dict[str, Any] = {}
    get_outputs = onnx2tf.get_tf_model_outputs

    def capture(tf_layers_dict: Any, output_names: Any) -> Any:
        captured.update(tf_layers_dict)
        return get_outputs(tf_layers_dict=tf_layers_dict, output_names=output_names)

    onnx2tf.get_tf_model_outputs = capture
    network = onnx2tf.convert(
        input_onnx_file_path=onnx_path,
        output_folder_path=".",
        not_use_onnxsim=True,
        not_use_opname_auto_generate=True,
        # Its search for the axis order with the least error costs half the time and finds
        # nothing on static graphs; parity is proven afterwards anyway.
        disable_strict_mode=True,
        disable_model_save=True,
        non_verbose=True,
        **({"keep_shape_absolutely_input_names": list(keep)} if keep else {}),
    )
    name_layers({name: entry.get("tf_node") for name, entry in captured.items()})
    return network


def trust_shapes_of(*operators: str) -> None:
    """Have onnx2tf believe that these operators' outputs lie as ONNX has them where shapes agree.

    It takes any tensor whose sides are all alike ([64, 2, 2, 2, 2], attention over 4×4 maps) for
    one in NHWC, and transposes it once too often. What these give it never has in NHWC.
    """
    from importlib import import_module

    def trusting(make: Callable[..., None]) -> Callable[..., None]:
        def make_node(*, graph_node: Any, tf_layers_dict: Any, **options: Any) -> None:
            make(graph_node=graph_node, tf_layers_dict=tf_layers_dict, **options)
            for output in graph_node.outputs:
                entry = tf_layers_dict[output.name]
                if list(output.shape or ()) == list(entry["tf_node"].shape):
                    entry["before_op_output_shape_trans"] = False

        return make_node

    for name in operators:
        module: Any = import_module(f"onnx2tf.ops.{name}")
        module.make_node = trusting(module.make_node)


def name_layers(values: dict[str, Any]) -> None:
    """Call every Keras layer after the first ONNX value (in graph order) that needs it."""
    named: set[int] = set()
    for name, tensor in values.items():
        waiting = [tensor]
        while waiting:
            node = getattr(waiting.pop(), "node", None)
            if node is None or id(node.layer) in named or node.is_input:
                continue
            named.add(id(node.layer))
            # Several layers may share the value; the operation's own name tells them apart.
            node.layer._name = name
            waiting.extend(node.keras_inputs)


def turns_of_outputs(
    network: Any, onnx_path: str, expected: Sequence[tuple[int, ...]]
) -> list[Turn | None]:
    """Return how each output's axes are to be turned, as ``find_turns`` does."""
    have = [tuple(tensor.shape) for tensor in network.outputs]
    return find_turns(have, expected, lambda: run_both(network, onnx_path))


def run_both(network: Any, onnx_path: str) -> tuple[list[Any], list[Any]]:
    """Return what onnxruntime and the Keras model compute of the same random inputs."""
    import numpy as np
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx_path, providers=["CPUExecutionProvider"])
    feed = draw_inputs(session.get_inputs())
    given = {n: x.transpose(0, 2, 3, 1) if x.ndim == 4 else x for n, x in feed.items()}
    made = network([given[i.name.split(":")[0]] for i in network.inputs])
    tensors = made if isinstance(made, (list, tuple)) else [made]
    return session.run(None, feed), [np.asarray(tensor) for tensor in tensors]


def turned(outputs: Any, turns: Sequence[Turn | None]) -> list[Any]:
    """Return the outputs with their axes turned; the converter cancels it against onnx2tf's."""
    import tensorflow as tf

    tensors = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return [tf.transpose(t, turn) if turn else t for t, turn in zip(tensors, turns, strict=True)]


def tflite_bytes(
    network: Any,
    precision: str,
    turns: Sequence[Turn | None],
    inputs: Sequence[str],
) -> bytes:
    """Return the TFLite flatbuffer; ``precision`` is fp16 or dynamic (weights), else fp32.

    ``turns`` are those of the outputs, ``inputs`` the inputs' names in the order that the file
    shall have; Keras has one of its own.
    """
    import tensorflow as tf

    keras = {i.name.split(":")[0]: i for i in network.inputs}
    order = [list(inputs).index(name) for name in keras]

    def compute(*given: Any) -> list[Any]:
        return turned(network([given[n] for n in order]), turns)

    function = tf.function(compute)
    specs = [tf.TensorSpec(keras[n].shape, keras[n].dtype, name=n) for n in inputs]
    concrete = function.get_concrete_function(*specs)
    # Without an owner of the variables: onnx2tf makes some that Keras does not keep, with which the
    # way by a SavedModel fails silently. This one keeps the order and the names of both ends.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    if precision == "fp16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    elif precision == "dynamic":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return bytes(converter.convert())


if __name__ == "__main__":
    sys.exit(main())
