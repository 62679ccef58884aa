"""Proof that an exported file computes what the torch network computes.

Outputs are compared over random and image-like inputs, in the runtime that will be used.
Inner tensors are compared too, by name: on a network whose gates hardly vary, or through a
loose tolerance, a wrong inner operator moves the logits too little to be seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.images.examples import example_images
from ghostdeploy.images.preprocessing import normalize
from ghostdeploy.schema import ExportOptions, ModelSpec, Parity

Array = NDArray[np.float32]
Outputs = Sequence[Array]
INPUTS = 8
MANY, CONSTANT = 16, 1e-4
# What brings channels from the end to where torch has them, by the number of dimensions.
TURNS = {3: (0, 2, 1), 4: (0, 3, 1, 2), 5: (0, 4, 1, 2, 3)}


@dataclass(frozen=True)
class Tolerance:
    """The largest ‖a−b‖₂/‖b‖₂ that is accepted, of the outputs and of any inner tensor."""

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
    """Return seeded inputs (1, 3, H, W): noise and pictures by turns, as the model takes them."""
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
    """Judge (reference, candidate) outputs, one pair an input, and ``layer_errors``' result.

    ``subject`` and ``runtime`` are what is compared and where it ran, in words.
    """
    tolerance = TOLERANCES[precision]
    flat = [(a, b) for reference, got in pairs for a, b in zip(reference, got, strict=True)]
    rel_l2 = max(relative_l2(a, b) for a, b in flat)
    worst = max(layers, key=lambda name: layers[name], default="")
    return Parity(
        subject=subject,
        runtime=runtime,
        inputs=len(pairs),
        max_abs=max(_largest_difference(a, b) for a, b in flat),
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
    """Return ‖got − reference‖₂ / ‖reference‖₂; infinite for NaN or another shape."""
    if reference.shape != got.shape or not np.isfinite(got).all():
        return float("inf")
    expected = reference.astype(np.float64)
    norm = float(np.linalg.norm(expected))
    return float(np.linalg.norm(got.astype(np.float64) - expected)) / max(norm, 1e-12)


def _largest_difference(reference: Array, got: Array) -> float:
    if reference.shape != got.shape:
        return float("inf")
    return float(np.abs(reference.astype(np.float64) - got.astype(np.float64)).max(initial=0.0))


def _agreement(pairs: Sequence[tuple[Outputs, Outputs]]) -> float | None:
    if any(a[0].ndim != 2 for a, _ in pairs):
        return None
    return float(np.mean([np.argmax(a[0]) == np.argmax(b[0]) for a, b in pairs]))


def layer_errors(reference: Mapping[str, Array], got: Mapping[str, Array]) -> dict[str, float]:
    """Return the relative L2 of every tensor that both sides name, in the reference's order.

    A 4-D tensor of TFLite is NHWC where torch's is NCHW, and tokens may lie the other way round; a
    tensor whose shape fits in no layout (inside attention's reshapes) is left out.
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
    turned = TURNS.get(array.ndim)
    return [array, array.transpose(turned)] if turned else [array]


def find_constant(values: Mapping[str, Array]) -> tuple[str, ...]:
    """Return the inner tensors that hardly vary: that they are alike proves nothing.

    Those are the ones of many elements whose standard deviation is below CONSTANT of their size.
    """
    return tuple(
        name
        for name, array in values.items()
        if array.size >= MANY and array.dtype.kind == "f" and _is_constant(array)
    )


def _is_constant(array: Array) -> bool:
    wide = array.astype(np.float64)
    return bool(wide.std() <= CONSTANT * max(float(np.abs(wide).mean()), 1e-30))
