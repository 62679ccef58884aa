"""onnx2tf 2, which writes TFLite without TensorFlow, in a process of its own.

``python -m ghostdeploy.lowering.direct_worker PARENT`` is that process; what it reads and writes,
and when it ends, is as in ``onnx2tf_worker``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostdeploy.lifeline import die_with
from ghostdeploy.lowering.model_ends import Turn, draw_inputs, find_turns, shapes_of_ends

if TYPE_CHECKING:
    from onnx import ModelProto

    from ghostdeploy.flatbuffer import ModelT, SubGraphT

MENDED, FOLDER = "mended.onnx", "converted"


def main() -> int:
    """Convert the one job on standard input; returns the exit code."""
    die_with(int(sys.argv[1]))
    import onnx2tf  # noqa: F401

    line = sys.stdin.readline()
    if not line:  # the caller gave up
        return 1
    job = json.loads(line)
    for precision, path in job["outputs"].items():
        Path(path).write_bytes(tflite_bytes(job["onnx"], precision))
    return 0


def tflite_bytes(onnx_path: str, precision: str) -> bytes:
    """Return the TFLite flatbuffer, with ends as we have them; ``precision`` is fp16, else fp32.

    Its tensors are called after the ONNX values that they hold. onnx2tf's own fp16 file computes in
    fp16, which LiteRT refuses, so that its fp32 file is taken and its weights are halved.
    """
    import onnx
    from onnx2tf import convert

    from ghostdeploy import flatbuffer
    from ghostdeploy.lowering.correspondence import Correspondence
    from ghostdeploy.lowering.direct_mends import mend
    from ghostdeploy.lowering.half_weights import halve_weights

    mended = mend(onnx.load(onnx_path))
    onnx.save(mended, MENDED)  # onnx2tf writes over it
    inputs, outputs = shapes_of_ends(onnx_path)
    kept = [name for name, shape in inputs.items() if len(shape) != 4]
    convert(
        input_onnx_file_path=MENDED,
        output_folder_path=FOLDER,
        # It would call a program of that name, whichever PATH has.
        not_use_onnxsim=True,
        non_verbose=True,
        **({"keep_shape_absolutely_input_names": kept} if kept else {}),
    )
    stem = f"{FOLDER}/{Path(MENDED).stem}"
    model = flatbuffer.load(Path(f"{stem}_float32.tflite").read_bytes(), "what onnx2tf wrote")
    order_ends(model.subgraphs[0], list(inputs), list(outputs))
    truth, got = run_both(mended, flatbuffer.dump(model))
    report = json.loads(Path(f"{stem}_tensor_correspondence_report.json").read_text())
    found = Correspondence(model, report, mended, truth, got)
    found.adopt_outputs(list(outputs))
    turn_outputs(model, [truth[name] for name in outputs], found.computed_outputs())
    found.name_tensors()
    if precision == "fp16":
        halve_weights(model)
    return flatbuffer.dump(model)


def order_ends(graph: SubGraphT, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Bring the graph's inputs and outputs into the order of these names, which onnx2tf keeps."""
    import numpy as np

    from ghostdeploy.flatbuffer import tensor_name

    for ends, names in (("inputs", inputs), ("outputs", outputs)):
        places = {tensor_name(graph.tensors[i]): i for i in getattr(graph, ends)}
        setattr(graph, ends, np.array([places[name] for name in names], np.int32))


def run_both(model: ModelProto, tflite: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return every value that onnxruntime and LiteRT compute of the same random inputs, by name."""
    import onnxruntime

    from ghostdeploy.lowering.inference import load_onnx, load_tflite_layers
    from ghostdeploy.lowering.onnx_models import with_all_values

    values = [name for node in model.graph.node for name in node.output if name]
    data, providers = model.SerializeToString(), ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(data, providers=providers)
    feed = draw_inputs(session.get_inputs())
    truth = load_onnx(with_all_values(model, values), values, optimize=False)(feed)
    return truth, load_tflite_layers(tflite, "what onnx2tf wrote")(feed)


def turn_outputs(model: ModelT, truth: Sequence[Any], got: Sequence[Any]) -> None:
    """Turn the outputs' axes to where they shall lie; ``channels-last`` then cancels what it can.

    ``truth`` and ``got`` are the outputs as onnxruntime and the file compute them.
    """
    from ghostdeploy.lowering.rewrites.build import GraphBuilder

    graph = model.subgraphs[0]
    builder = GraphBuilder(model, graph)
    have = [builder.shape(int(i)) for i in graph.outputs]
    turns = find_turns(have, [each.shape for each in truth], lambda: (truth, got))
    for place, turn in enumerate(turns):
        if turn:
            graph.outputs[place] = _turned(builder, int(graph.outputs[place]), turn)


def _turned(builder: Any, source: int, turn: Turn) -> int:
    from ghostdeploy.lowering.rewrites.operators import make_transpose

    shape = builder.shape(source)
    turned: int = builder.add_like(source, [shape[axis] for axis in turn])
    builder.graph.operators.append(make_transpose(builder, source, turned, turn))
    return turned


if __name__ == "__main__":
    sys.exit(main())
