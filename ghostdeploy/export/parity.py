"""Proof that an exported file computes what the torch network computes.

Outputs are compared over random and image-like inputs, in the runtime that will be used.
Inner tensors are compared too, by name: on a network whose gates hardly vary, or through a
loose tolerance, a wrong inner operator moves the logits too little to be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.errors import MissingExtraError
from ghostdeploy.images.examples import example_images
from ghostdeploy.images.preprocessing import normalize
from ghostdeploy.schema import ExportOptions, ModelSpec, Parity
from ghostdeploy.tensors import dequantize_values, quantize_values, to_nhwc

Array = NDArray[np.float32]
Outputs = Sequence[Array]
INPUTS = 8


@dataclass(frozen=True)
class Tolerance:
    """Largest accepted ‖a−b‖₂/‖b‖₂, of the outputs and of any inner tensor."""

    outputs: float
    layers: float


# fp32: other summation orders reach some 1e-6 over these depths; the smallest real defect
# known, the 3→7 nearest resize, moves its own tensor by 1e-1. fp16 weights carry 11 bits.
# Eight bits are judged by their error report; here, on images that they were not calibrated for,
# they only must not be another function, whose outputs are as far off as they are large.
TOLERANCES: dict[str, Tolerance] = {
    "fp32": Tolerance(outputs=1e-4, layers=1e-3),
    "fp16": Tolerance(outputs=1e-2, layers=2e-2),
    "dynamic": Tolerance(outputs=0.3, layers=1.0),
    "int8": Tolerance(outputs=0.8, layers=3.0),
    "int8-float-io": Tolerance(outputs=0.8, layers=3.0),
    "int16x8": Tolerance(outputs=0.1, layers=1.0),
    "int8-qdq": Tolerance(outputs=0.8, layers=3.0),
}


def example_inputs(spec: ModelSpec, export: ExportOptions, count: int = INPUTS) -> list[Array]:
    """Seeded inputs (1, 3, H, W): noise and pictures by turns, as the model expects them."""
    images = example_images(np.random.RandomState(20220), count, *spec.resolution)
    images = 255.0 * images if export.embed_preprocessing else normalize(images)
    return [image[None].astype(np.float32) for image in images]


def compare(
    subject: str,
    runtime: str,
    precision: str,
    pairs: Sequence[tuple[Outputs, Outputs]],
    layers: Mapping[str, float],
) -> Parity:
    """Judge (reference, candidate) outputs, one pair an input, and ``layer_errors``' result."""
    tolerance = TOLERANCES[precision]
    flat = [(a, b) for reference, got in pairs for a, b in zip(reference, got, strict=True)]
    rel_l2 = max(relative_l2(a, b) for a, b in flat)
    worst = max(layers, key=lambda name: layers[name], default="")
    return Parity(
        subject=subject,
        runtime=runtime,
        inputs=len(pairs),
        max_abs=max(float(np.abs(a - b).max()) for a, b in flat),
        rel_l2=rel_l2,
        top1_agreement=_agreement(pairs),
        tolerance_rel_l2=tolerance.outputs,
        passed=rel_l2 <= tolerance.outputs and layers.get(worst, 0.0) <= tolerance.layers,
        layers=len(layers),
        worst_layer=worst,
        worst_layer_rel_l2=layers.get(worst, 0.0),
        tolerance_layer_rel_l2=tolerance.layers,
    )


def relative_l2(reference: Array, got: Array) -> float:
    """‖got − reference‖₂ / ‖reference‖₂; infinite for NaN or another shape."""
    if reference.shape != got.shape or not np.isfinite(got).all():
        return float("inf")
    norm = float(np.linalg.norm(reference.astype(np.float64)))
    return float(np.linalg.norm(got.astype(np.float64) - reference)) / max(norm, 1e-12)


def _agreement(pairs: Sequence[tuple[Outputs, Outputs]]) -> float | None:
    if any(a[0].ndim != 2 for a, _ in pairs):
        return None
    return float(np.mean([np.argmax(a[0]) == np.argmax(b[0]) for a, b in pairs]))


def layer_errors(reference: Mapping[str, Array], got: Mapping[str, Array]) -> dict[str, float]:
    """Relative L2 of every tensor that both sides name, in the reference's order.

    A 4-D tensor of TFLite is NHWC where torch's is NCHW; a tensor whose shape fits in
    neither layout (inside attention's reshapes) is left out.
    """
    errors = {}
    for name, expected in reference.items():
        if name not in got:
            continue
        candidates = [c for c in _layouts(got[name]) if c.shape == expected.shape]
        if candidates:
            errors[name] = min(relative_l2(expected, c) for c in candidates)
    return errors


def _layouts(array: Array) -> list[Array]:
    return [array, array.transpose(0, 3, 1, 2)] if array.ndim == 4 else [array]


def onnx_runner(
    model: bytes, outputs: Sequence[str], threads: int = 0
) -> Callable[[Array], dict[str, Array]]:
    """A function from an image (1, 3, H, W) to the named outputs, through onnxruntime.

    ``threads`` 0 leaves their number to it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(image: Array) -> dict[str, Array]:
        return dict(zip(outputs, session.run(list(outputs), {name: image}), strict=True))

    return run


def tflite_runner(model: bytes, threads: int = 2) -> Callable[[Array], dict[str, Array]]:
    """A function from an image (1, 3, H, W) to the outputs in torch's layout, through LiteRT.

    It speaks to the model through its signature, or, where a file of others has none, its tensors.
    """
    interpreter = _interpreter(model, threads)
    call = _by_signature if interpreter.get_signature_list() else _by_tensors
    outputs_of = call(interpreter)

    def run(image: Array) -> dict[str, Array]:
        found = outputs_of(to_nhwc(image))
        return {k: v.transpose(0, 3, 1, 2) if v.ndim == 4 else v for k, v in found.items()}

    return run


def _by_signature(interpreter: Any) -> Callable[[Array], dict[str, Array]]:
    signature = interpreter.get_signature_runner()
    ((name, source),) = signature.get_input_details().items()
    details = signature.get_output_details()

    def run(image: Array) -> dict[str, Array]:
        found = signature(**{name: quantize_values(source, image)})
        return {key: dequantize_values(details[key], value) for key, value in found.items()}

    return run


def _by_tensors(interpreter: Any) -> Callable[[Array], dict[str, Array]]:
    interpreter.allocate_tensors()
    (source,), outputs = interpreter.get_input_details(), interpreter.get_output_details()

    def run(image: Array) -> dict[str, Array]:
        interpreter.set_tensor(source["index"], quantize_values(source, image))
        interpreter.invoke()
        return {
            d["name"]: dequantize_values(d, interpreter.get_tensor(d["index"])) for d in outputs
        }

    return run


def tflite_layers(model: bytes, image: Array) -> dict[str, Array]:
    """Every tensor by name after one run of the builtin kernels, which keep them all."""
    return tflite_inspector(model)(image)


def tflite_inspector(model: bytes) -> Callable[[Array], dict[str, Array]]:
    """A function from an image (1, 3, H, W) to every tensor by name, as real numbers."""
    from ai_edge_litert.interpreter import OpResolverType

    interpreter = _interpreter(
        model,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]
    produced = {int(i) for op in interpreter._get_ops_details() for i in op["outputs"]}
    details = [d for d in interpreter.get_tensor_details() if d["index"] in produced]

    def run(image: Array) -> dict[str, Array]:
        interpreter.set_tensor(source["index"], quantize_values(source, to_nhwc(image)))
        interpreter.invoke()
        return {
            d["name"]: dequantize_values(d, interpreter.get_tensor(d["index"])) for d in details
        }

    return run


def _interpreter(model: bytes, threads: int = 2, **options: object) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ModuleNotFoundError as error:
        raise MissingExtraError("ai-edge-litert", "local") from error
    return Interpreter(model_content=model, num_threads=threads, **options)


def random_outputs(model: bytes, seeds: int) -> tuple[list[Array], bool]:
    """All outputs of a TFLite model on ``seeds`` random inputs, and whether it is quantized.

    Quantized outputs come without their zero point, so that distances are relative to the signal.
    """
    interpreter = _interpreter(model)
    interpreter.allocate_tensors()
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    found: list[Array] = []
    for seed in range(seeds):
        random = np.random.RandomState(seed)
        for detail in inputs:
            interpreter.set_tensor(detail["index"], _random(random, detail))
        interpreter.invoke()
        for detail in outputs:
            value = interpreter.get_tensor(detail["index"]).astype(np.float32)
            found.append(value - detail["quantization"][1])
    scales = (detail["quantization"][0] for detail in interpreter.get_tensor_details())
    return found, any(scales)


def _random(random: np.random.RandomState, detail: dict[str, Any]) -> NDArray[Any]:
    shape, dtype = detail["shape"], np.dtype(detail["dtype"])
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        return np.asarray(random.randint(limits.min, limits.max + 1, shape, dtype=dtype))
    return np.asarray(random.standard_normal(shape), dtype)
