"""What a model file gives for an image, through the runtime that will be used: onnxruntime, LiteRT.

A model is loaded once, into a function from its inputs, such as an image (1, 3, H, W), to arrays by
name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.errors import GhostdeployError, InputFileError, error_line
from ghostdeploy.litert import Interpreter, TensorDetails, open_interpreter, operators_of
from ghostdeploy.tensors import dequantize_values, quantize_values, to_nhwc

Array = NDArray[np.float32]
# One image (1, 3, H, W), the only input of a model, or every input by its name.
Inputs = Array | Mapping[str, Array]
Infer = Callable[[Inputs], dict[str, Array]]
THREADS = 2


@contextmanager
def tell_refusal(runtime: str, name: str = "the model") -> Iterator[None]:
    """Raise InputFileError with the runtime's own reason for whatever it raises.

    LiteRT raises Python's own kinds, onnxruntime a dozen of its own.
    """
    try:
        yield
    except GhostdeployError:
        raise
    except Exception as error:
        said = error_line(" ".join(str(error).split()) or error)
        raise InputFileError(f"{runtime} cannot run {name}: {said}") from error


def load_onnx(
    model: bytes | str,
    outputs: Sequence[str] = (),
    threads: int = 0,
    name: str = "the model",
    *,
    optimize: bool = True,
) -> Infer:
    """Load an ONNX model, or the file of that path, into onnxruntime.

    It is asked for the named ``outputs``, or for all. ``threads`` 0 leaves their number to it,
    ``optimize`` False has it run the operators as they stand.
    Raises InputFileError, which calls the model ``name``, for what it cannot load, and so does the
    returned function for what it cannot run.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    with tell_refusal("onnxruntime", name):
        session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
    sources = [source.name for source in session.get_inputs()]
    wanted = list(outputs) or [output.name for output in session.get_outputs()]

    def infer(inputs: Inputs) -> dict[str, Array]:
        with tell_refusal("onnxruntime", name):
            found = session.run(wanted, _by_name(inputs, sources[:1]))
        return dict(zip(wanted, found, strict=True))

    return infer


def load_tflite(model: bytes, threads: int = THREADS, name: str = "the model") -> Infer:
    """Load a TFLite model into LiteRT, to be asked for its outputs in torch's layout.

    It is spoken to through its signature, or, where a file of others has none or several, the
    tensors of its first graph. An output (1, H, W, C) comes as (1, C, H, W), a quantized one as
    real numbers. Raises InputFileError as ``load_onnx`` does, and MissingExtraError without LiteRT.
    """
    with tell_refusal("LiteRT", name):
        interpreter = open_interpreter(model, threads=threads)
        one = len(interpreter.get_signature_list()) == 1
        infer_nhwc = (_speak_by_signature if one else _speak_by_tensors)(interpreter)

    def infer(inputs: Inputs) -> dict[str, Array]:
        with tell_refusal("LiteRT", name):
            found = infer_nhwc(inputs)
        return {k: v.transpose(0, 3, 1, 2) if v.ndim == 4 else v for k, v in found.items()}

    return infer


def _speak_by_signature(interpreter: Interpreter) -> Infer:
    signature = interpreter.get_signature_runner()
    sources = signature.get_input_details()
    details = signature.get_output_details()

    def infer(inputs: Inputs) -> dict[str, Array]:
        found = signature(**_as_held(inputs, sources))
        return {key: dequantize_values(details[key], value) for key, value in found.items()}

    return infer


def _speak_by_tensors(interpreter: Interpreter) -> Infer:
    interpreter.allocate_tensors()
    sources = {source["name"]: source for source in interpreter.get_input_details()}
    outputs = interpreter.get_output_details()

    def infer(inputs: Inputs) -> dict[str, Array]:
        _set_inputs(interpreter, inputs, sources)
        interpreter.invoke()
        return {
            d["name"]: dequantize_values(d, interpreter.get_tensor(d["index"])) for d in outputs
        }

    return infer


def _by_name(inputs: Inputs, names: Sequence[str]) -> Mapping[str, Array]:
    """Return the inputs by name. Raises ValueError for one image where several are taken."""
    if isinstance(inputs, Mapping):
        return inputs
    if len(names) != 1:
        raise ValueError(f"it takes {len(names)} inputs, not one image")
    return {names[0]: inputs}


def _as_held(inputs: Inputs, sources: Mapping[str, TensorDetails]) -> dict[str, Array]:
    """Return the inputs as a TFLite model's tensors hold them: maps are (1, H, W, C) there."""
    given = _by_name(inputs, list(sources))
    return {name: _hold(sources[name], values) for name, values in given.items()}


def _hold(source: TensorDetails, values: Array) -> Array:
    held = to_nhwc(values) if values.ndim == 4 else values
    return quantize_values(source, held)


def _set_inputs(
    interpreter: Interpreter, inputs: Inputs, sources: Mapping[str, TensorDetails]
) -> None:
    for name, values in _as_held(inputs, sources).items():
        interpreter.set_tensor(sources[name]["index"], values)


def load_tflite_layers(model: bytes, name: str = "the model") -> Infer:
    """Load a TFLite model into LiteRT, to be asked for every computed tensor as real numbers.

    The builtin kernels run it, which keep them all; a map is (1, H, W, C), as TFLite has it. Raises
    as ``load_tflite`` does.
    """
    with tell_refusal("LiteRT", name):
        interpreter = open_interpreter(model, threads=THREADS, xnnpack=False, keep_tensors=True)
        interpreter.allocate_tensors()
        sources = {source["name"]: source for source in interpreter.get_input_details()}
    produced = {int(i) for op in operators_of(interpreter) for i in op["outputs"]}
    details = [d for d in interpreter.get_tensor_details() if d["index"] in produced]

    def infer(inputs: Inputs) -> dict[str, Array]:
        with tell_refusal("LiteRT", name):
            _set_inputs(interpreter, inputs, sources)
            interpreter.invoke()
        return dict(_read_tensors(interpreter, details))

    return infer


def _read_tensors(
    interpreter: Interpreter, details: Sequence[TensorDetails]
) -> Iterator[tuple[str, Array]]:
    for detail in details:
        try:
            values = interpreter.get_tensor(detail["index"])
        except ValueError:  # one that holds nothing, in a branch that was not taken
            continue
        yield detail["name"], dequantize_values(detail, values)
