"""``model.onnx``: a graph of anyone's, proven against onnxruntime."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ghostdeploy.errors import InputFileError, MissingExtraError, UsageError, error_line
from ghostdeploy.files import check_input
from ghostdeploy.schema import ForeignSpec, InputSpec
from ghostdeploy.schema.foreign import DTYPES
from ghostdeploy.sources.examples import draw_feeds
from ghostdeploy.sources.inputs import OpenInput, bind_inputs
from ghostdeploy.sources.loaded import Feed, LoadedNetwork
from ghostdeploy.sources.reference import NetworkReference


def open_network(reference: NetworkReference) -> LoadedNetwork:
    """Read the model with every side of its inputs known.

    Raises InputFileError for a file that is no ONNX model or that onnxruntime refuses, UsageError
    for sizes that are open.
    """
    path = Path(reference.place)
    if reference.weights or reference.own.keep:
        raise UsageError(f"{path.name} has its weights in it: leave out --weights")
    if reference.own.arguments or reference.num_classes is not None:
        raise UsageError(f"{path.name} is what it is: leave out --arg and --num-classes")
    model = read_model(path)
    inputs = bind_inputs(_inputs_of(model, path), reference, path.name)
    model = fix_shapes(model, inputs, path)
    session = open_session(model.SerializeToString(), path)
    outputs = tuple(output.name for output in model.graph.output)
    feeds = draw_feeds(inputs, reference.own.normalization, reference)

    def run(feed: Feed) -> list[Any]:
        try:
            return list(session.run(list(outputs), dict(feed)))
        except Exception as error:  # onnxruntime has a dozen kinds of its own
            raise InputFileError(
                f"onnxruntime cannot run {path.name}: {error_line(error, 200)}"
            ) from error

    shapes = tuple(tuple(map(int, np.shape(value))) for value in run(feeds[0]))
    spec = ForeignSpec(
        source=reference.text,
        inputs=inputs,
        outputs=outputs,
        output_shapes=shapes,
        identity=hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest(),
        normalization=reference.own.normalization,
    )
    return LoadedNetwork(spec, "onnxruntime", run, feeds, None, model, _count_weights(model))


def read_model(path: Path) -> Any:
    """Return the ONNX model with its weights in it. Raises InputFileError."""
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise MissingExtraError("onnx", "export") from error
    check_input(path)
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model, full_check=False)
    except Exception as error:  # protobuf's and onnx's own kinds
        raise InputFileError(
            f"{path.name} is not a sound ONNX model: {error_line(error, 200)}"
        ) from error
    return model


def _inputs_of(model: Any, path: Path) -> list[OpenInput]:
    """Return the model's inputs; a batch that is left open is one."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return [
        OpenInput(value.name, _sides(value), _dtype(value, path))
        for value in model.graph.input
        if value.name not in constants
    ]


def _sides(value: Any) -> tuple[int | None, ...]:
    sides = [side.dim_value or None for side in value.type.tensor_type.shape.dim]
    return (sides[0] or 1, *sides[1:]) if sides else ()


def _dtype(value: Any, path: Path) -> str:
    from onnx.helper import tensor_dtype_to_np_dtype

    try:
        name = str(np.dtype(tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)))
    except (KeyError, TypeError, ValueError):
        name = "another type"
    if name not in DTYPES:
        raise UsageError(f"{path.name}: its input {value.name[:80]} is of {name}, not taken here")
    return name


def fix_shapes(model: Any, inputs: Sequence[InputSpec], path: Path) -> Any:
    """Return a copy whose inputs have these shapes, and whose inner shapes are inferred."""
    import onnx
    from onnx.helper import make_tensor_value_info, np_dtype_to_tensor_dtype

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.input[:]
    for each in inputs:
        kind = np_dtype_to_tensor_dtype(np.dtype(each.dtype))
        copy.graph.input.append(make_tensor_value_info(each.name, kind, each.shape))
    del copy.graph.value_info[:]
    for output in copy.graph.output:
        output.type.tensor_type.ClearField("shape")
    try:
        return onnx.shape_inference.infer_shapes(copy, data_prop=True)
    except Exception as error:
        raise InputFileError(
            f"the shapes in {path.name} cannot be inferred: {error_line(error, 200)}"
        ) from error


def open_session(data: bytes, path: Path) -> Any:
    """Open a model in onnxruntime as it is, with no optimization. Raises InputFileError."""
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingExtraError("onnxruntime", "export") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])
    except Exception as error:
        raise InputFileError(
            f"onnxruntime cannot load {path.name}: {error_line(error, 200)}"
        ) from error


def _count_weights(model: Any) -> int:
    return sum(int(np.prod(t.dims)) for t in model.graph.initializer if t.data_type in (1, 10, 11))
