"""Bias correction on a chain of two convolutions whose biases are known to be off."""

from __future__ import annotations

import numpy as np
import pytest

from ghostdeploy import flatbuffer
from ghostdeploy.quantize.bias import correct_biases
from tests.export.rewrites.tiny import QUANTUM, ZERO, run, tiny

C = 3
STEP = 0.02  # of every weight
OPTIONS = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1, "padding": 1}
WEIGHTS = np.random.RandomState(0).randint(-40, 40, (2, C, 1, 1, C)).astype(np.int8)
BIASES = np.array([[0.5, -0.4, 0.3], [-0.2, 0.6, 0.1]])


def chain(kind: str, shift: float = 0.0, *, shared: bool = False) -> bytes:
    """x → 1×1 → 1×1 in ``kind``, the first's biases off by ``shift``; names as in the other kind.

    With ``shared``, both have the first's bias, and the same tensor for it.
    """
    t = tiny()
    x, y, z = (t.tensor((1, 4, 4, C), kind) for _ in range(3))
    last = None
    for number, (source, target) in enumerate(((x, y), (y, z))):
        weights, bias = WEIGHTS[number], BIASES[0 if shared else number] + shift * (number == 0)
        if kind == "float32":
            parts = [t.tensor(v.shape, kind, v.astype(np.float32)) for v in (weights * STEP, bias)]
        else:
            steps = np.round(bias / (QUANTUM * STEP)).astype(np.int32)
            parts = [t.tensor(weights.shape, kind, weights, STEP),
                     t.tensor((C,), "int32", steps, QUANTUM * STEP)]  # fmt: skip
        parts[1] = last if shared and last is not None else parts[1]
        last = parts[1]
        t.op("CONV_2D", [source, *parts], [target], kind="Conv2DOptions", **OPTIONS)
    return t.bytes(x, z)


def images(count: int = 8):
    return np.random.RandomState(1).uniform(-1, 1, (count, C, 4, 4)).astype(np.float32)


def corrected(reference: bytes, model: bytes) -> bytes:
    tree = flatbuffer.load(model, "tiny")
    correct_biases(tree, reference, images())
    return flatbuffer.dump(tree)


def real(model: bytes, image) -> np.ndarray:
    steps = np.round(image.transpose(1, 2, 0)[None] / QUANTUM) + ZERO
    made = run(model, steps.clip(-128, 127).astype(np.int8), xnnpack=True)
    return (made.astype(np.float64) - ZERO) * QUANTUM


def mean_error(model: bytes, reference: bytes) -> float:
    """The largest shift of a channel's mean, over the images."""
    expected = [run(reference, x.transpose(1, 2, 0)[None], xnnpack=True) for x in images()]
    return float(np.abs(np.mean([real(model, x) for x in images()] - np.array(expected),
                                axis=(0, 1, 2, 3))).max())  # fmt: skip


@pytest.mark.parametrize("shared", [False, True])
def test_means_that_were_shifted_come_back(shared):
    reference = chain("float32", shared=shared)
    shifted = chain("int8", 0.3, shared=shared)
    assert mean_error(shifted, reference) > 0.1
    assert mean_error(corrected(reference, shifted), reference) < QUANTUM / 2


def test_what_is_right_stays_within_a_step():
    reference, model = chain("float32"), chain("int8")
    made = corrected(reference, model)
    assert np.abs(real(made, images()[0]) - real(model, images()[0])).max() <= 1.01 * QUANTUM
