"""What quantization cost: a quantized model's outputs and inner tensors against fp32's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ghostdeploy import flatbuffer
from ghostdeploy.flatbuffer import ModelT, indices, operator_kind, schema, tensor_name
from ghostdeploy.schema import ConcatenationScales, LayerError, QuantizationError

Array = NDArray[np.float32]
CONSTANT = 1e-6  # of the largest output
MAX_DB = 200.0  # of two tensors that are equal


def snr_db(reference: Array, got: Array) -> float:
    """Return 10·log₁₀(Σx² / Σ(x − y)²) in dB, within ±200: 200 where both are equal.

    A silent reference that is not met gives a value near −200, and one of NaN or infinity −200.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        signal = float(np.square(reference, dtype=np.float64).sum())
        noise = float(np.square(reference.astype(np.float64) - got).sum())
    return _db(signal, noise)


def cosine(reference: Array, got: Array) -> float:
    """Return the mean cosine between rows (inputs); 0 where a value is not finite."""
    a, b = (x.reshape(len(x), -1).astype(np.float64) for x in (reference, got))
    if not np.isfinite([a, b]).all():
        return 0.0
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(np.mean((a * b).sum(1) / np.maximum(norms, 1e-30)))


def output_error(
    reference: Array, got: Array, layers: Sequence[LayerError] = ()
) -> QuantizationError:
    """Judge logits (N, classes) of the same inputs against ``reference``'s."""
    agree = float(np.mean(reference.argmax(1) == got.argmax(1)))
    return QuantizationError(
        inputs=len(reference),
        snr_db=snr_db(reference, got),
        cosine=cosine(reference, got),
        top1_agreement=agree,
        layers=tuple(layers),
        constant=tuple(
            name for name, rows in (("fp32", reference), ("quantized", got)) if _constant(rows)
        ),
        answers=len({*reference.argmax(1).tolist()}),
    )


def _constant(rows: Array) -> bool:
    """Return whether several inputs' outputs are the same, but for the last digits of fp32."""
    if len(rows) < 2:
        return False
    return bool(np.ptp(rows, axis=0).max() <= CONSTANT * np.abs(rows).max())


class LayerSums:
    """The signal, noise and saturation, summed, of every tensor that two models name alike."""

    def __init__(self) -> None:
        self._sums: dict[str, NDArray[np.float64]] = {}

    def add(
        self,
        reference: Mapping[str, Array],
        got: Mapping[str, Array],
        ends: Mapping[str, Sequence[float]],
    ) -> None:
        """Add one input's tensors by name; ``ends`` are where each one's range stops, but zero."""
        for name, expected in reference.items():
            value = got.get(name)
            if value is None or value.shape != expected.shape:
                continue
            clipped = sum(int(np.isclose(value, end).sum()) for end in ends.get(name, ()))
            row = np.array(
                [
                    np.square(expected, dtype=np.float64).sum(),
                    np.square(expected.astype(np.float64) - value).sum(),
                    clipped,
                    value.size,
                ]
            )
            self._sums[name] = self._sums.get(name, 0.0) + row

    def errors(self) -> tuple[LayerError, ...]:
        """Return every tensor's error, in the reference's graph order."""
        return tuple(
            LayerError(name, module_of(name), _db(signal, noise), clipped / max(1.0, size))
            for name, (signal, noise, clipped, size) in self._sums.items()
        )


def _db(signal: float, noise: float) -> float:
    if not np.isfinite(signal + noise):
        return -MAX_DB
    if noise == 0.0:
        return MAX_DB
    return float(np.clip(10 * np.log10(max(signal, 1e-30) / noise), -MAX_DB, MAX_DB))


def module_of(tensor: str) -> str:
    """Return the module of a tensor: of ``blocks.2.0.se/sigmoid`` it is ``blocks.2.0.se``."""
    return tensor.rpartition("/")[0]


def ends_of(model: ModelT) -> dict[str, tuple[float, ...]]:
    """Return the real values at the ends of every int8 tensor's range, by name, zero left out."""
    found = {}
    for tensor in model.subgraphs[0].tensors:
        quantization = tensor.quantization
        if tensor.type != schema().TensorType.INT8 or quantization is None:
            continue
        scales, zero_points = quantization.scale, indices(quantization.zeroPoint)
        if scales is None or len(scales) != 1:
            continue
        low, high = (float(scales[0]) * (q - zero_points[0]) for q in (-128, 127))
        found[tensor_name(tensor)] = tuple(end for end in (low, high) if end != 0.0)
    return found


def concatenation_scales(
    model: bytes, largest: Mapping[int, float]
) -> tuple[ConcatenationScales, ...]:
    """Return the magnitudes that each concatenation of ``model`` (float TFLite) joins.

    ``largest`` is the largest magnitude of each tensor, by index.
    """
    tree = flatbuffer.load(model, "the model")
    graph = tree.subgraphs[0]
    return tuple(
        ConcatenationScales(
            tensor_name(graph.tensors[op.outputs[0]]),
            tuple(float(largest[int(i)]) for i in op.inputs),
        )
        for op in graph.operators
        if operator_kind(tree, op) == "CONCATENATION"
        and len(set(map(int, op.inputs))) > 1
        and all(int(i) in largest for i in op.inputs)
    )
