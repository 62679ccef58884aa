"""What a model file gives for an image, through the runtime that will be used: onnxruntime, LiteRT.

A model is loaded once, into a function from an image (1, 3, H, W) to arrays by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.litert import Interpreter, TensorDetails, open_interpreter, operators_of
from ghostdeploy.tensors import dequantize_values, quantize_values, to_nhwc

Array = NDArray[np.float32]
Infer = Callable[[Array], dict[str, Array]]
THREADS = 2


def load_onnx(model: bytes | str, outputs: Sequence[str] = (), threads: int = 0) -> Infer:
    """Load an ONNX model, or the file of that path, into onnxruntime.

    It is asked for the named ``outputs``, or for all. ``threads`` 0 leaves their number to it.
    Raises onnxruntime's errors for what it cannot load.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    wanted = list(outputs) or [output.name for output in session.get_outputs()]

    def infer(image: Array) -> dict[str, Array]:
        return dict(zip(wanted, session.run(wanted, {name: image}), strict=True))

    return infer


def load_tflite(model: bytes, threads: int = THREADS) -> Infer:
    """Load a TFLite model into LiteRT, to be asked for its outputs in torch's layout.

    It is spoken to through its signature, or, where a file of others has none, its tensors. An
    output (1, H, W, C) comes as (1, C, H, W), a quantized one as real numbers. Raises as
    ``open_interpreter``.
    """
    interpreter = open_interpreter(model, threads=threads)
    speak = _speak_by_signature if interpreter.get_signature_list() else _speak_by_tensors
    infer_nhwc = speak(interpreter)

    def infer(image: Array) -> dict[str, Array]:
        found = infer_nhwc(to_nhwc(image))
        return {k: v.transpose(0, 3, 1, 2) if v.ndim == 4 else v for k, v in found.items()}

    return infer


def _speak_by_signature(interpreter: Interpreter) -> Infer:
    signature = interpreter.get_signature_runner()
    ((name, source),) = signature.get_input_details().items()
    details = signature.get_output_details()

    def infer(image: Array) -> dict[str, Array]:
        found = signature(**{name: quantize_values(source, image)})
        return {key: dequantize_values(details[key], value) for key, value in found.items()}

    return infer


def _speak_by_tensors(interpreter: Interpreter) -> Infer:
    interpreter.allocate_tensors()
    (source,), outputs = interpreter.get_input_details(), interpreter.get_output_details()

    def infer(image: Array) -> dict[str, Array]:
        interpreter.set_tensor(source["index"], quantize_values(source, image))
        interpreter.invoke()
        return {
            d["name"]: dequantize_values(d, interpreter.get_tensor(d["index"])) for d in outputs
        }

    return infer


def load_tflite_layers(model: bytes) -> Infer:
    """Load a TFLite model into LiteRT, to be asked for every computed tensor as real numbers.

    The builtin kernels run it, which keep them all; a map is (1, H, W, C), as TFLite has it.
    """
    interpreter = open_interpreter(model, threads=THREADS, xnnpack=False, keep_tensors=True)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]
    produced = {int(i) for op in operators_of(interpreter) for i in op["outputs"]}
    details = [d for d in interpreter.get_tensor_details() if d["index"] in produced]

    def infer(image: Array) -> dict[str, Array]:
        interpreter.set_tensor(source["index"], quantize_values(source, to_nhwc(image)))
        interpreter.invoke()
        return {
            d["name"]: dequantize_values(d, interpreter.get_tensor(d["index"])) for d in details
        }

    return infer


def run_on_noise(model: bytes, seeds: int) -> tuple[list[Array], bool]:
    """Return all outputs of a TFLite model on ``seeds`` random inputs, and whether it is quantized.

    Quantized outputs come without their zero point, so that distances are relative to the signal.
    """
    interpreter = open_interpreter(model, threads=THREADS)
    interpreter.allocate_tensors()
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    found: list[Array] = []
    for seed in range(seeds):
        random = np.random.RandomState(seed)
        for detail in inputs:
            interpreter.set_tensor(detail["index"], _noise(random, detail))
        interpreter.invoke()
        for detail in outputs:
            value = interpreter.get_tensor(detail["index"]).astype(np.float32)
            found.append(value - detail["quantization"][1])
    scales = (detail["quantization"][0] for detail in interpreter.get_tensor_details())
    return found, any(scales)


def _noise(random: np.random.RandomState, detail: TensorDetails) -> NDArray[Any]:
    shape = detail["shape"]
    dtype: np.dtype[Any] = np.dtype(detail["dtype"])
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        return np.asarray(random.randint(limits.min, limits.max + 1, shape, dtype=dtype))
    return np.asarray(random.standard_normal(shape), dtype)
