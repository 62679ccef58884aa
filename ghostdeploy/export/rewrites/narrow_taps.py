"""narrow-taps: five taps in a row as three and three.

What: a DEPTHWISE_CONV_2D of 1×5 or 5×1, stride 1 and SAME padding, becomes a PAD by two pixels on
    either side and two convolutions of three taps without padding. Convolutions in a row multiply
    as polynomials do, and every real polynomial of degree four is the product of two of degree
    two. The PAD is read as part of the first.
Why: XNNPACK's depthwise kernels have 3, 4, 9 or 25 taps: five cost nine, three and three cost six.
Exact: up to rounding. The factors' norms cannot exceed √6 times that of their product (Bombieri's
    inequality; Beauzamy, Bombieri, Enflo, Montgomery, J. Number Theory 36, 1990), so nothing
    cancels badly whatever the weights are.
Holds for: float tensors whose side along the taps is at least five; below, padding costs more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.export.rewrites.build import GraphBuilder, replace_operators
from ghostdeploy.export.rewrites.operators import make_pad
from ghostdeploy.flatbuffer import ModelT, OperatorT, schema

KEEPS_FUNCTION = True
TAPS, HALF = 5, 3
REFINEMENTS, RCOND = 3, 1e-9
NEGLIGIBLE = 1e-12  # of the largest tap; what is stored has 24 bits
Taps = NDArray[np.float64]


def apply(model: ModelT) -> int:
    """Replace every convolution of five taps that fits and return their number."""
    return replace_operators(model, "DEPTHWISE_CONV_2D", _fits, _replacement)


def _fits(builder: GraphBuilder, op: OperatorT) -> bool:
    options, weights = op.builtinOptions, builder.float_values(int(op.inputs[1]))
    if weights is None:
        return False
    _, height, width, _ = builder.shape(int(op.inputs[0]))
    kernel = (weights.shape[1], weights.shape[2])
    plain = options.strideH == options.strideW == 1 == options.dilationHFactor
    same = options.padding == schema().Padding.SAME and options.dilationWFactor == 1
    long = {(1, TAPS): width, (TAPS, 1): height}.get(kernel, 0) >= TAPS
    return bool(plain and same and long)


def _replacement(builder: GraphBuilder, op: OperatorT) -> list[OperatorT]:
    source, target = int(op.inputs[0]), int(op.outputs[0])
    weights = builder.float_values(int(op.inputs[1]))
    assert weights is not None
    vertical = weights.shape[1] == TAPS
    channels = weights.shape[3]
    first, second = factor_taps(weights.reshape(TAPS, channels).astype(np.float64))
    shape = (1, HALF, 1, channels) if vertical else (1, 1, HALF, channels)
    axis = 1 if vertical else 2
    padded, between = (_longer(builder, source, axis, by) for by in (4, 2))
    zeros = builder.add_constant(np.zeros(channels, np.float32), "zeros")
    kernels = [
        builder.add_constant(half.astype(np.float32).reshape(shape), "three taps")
        for half in (first, second)
    ]
    one = builder.copy_operator(op, [padded, kernels[0], zeros], between)
    two = builder.copy_operator(op, [between, kernels[1], int(op.inputs[2])], target)
    one.builtinOptions.fusedActivationFunction = 0
    for half in (one, two):
        half.builtinOptions.padding = schema().Padding.VALID
    amounts = np.zeros((4, 2), np.int32)
    amounts[axis] = 2
    return [
        builder.name_output(make_pad(builder, source, padded, amounts), target, "padded"),
        builder.name_output(one, target, "three"),
        two,
    ]


def _longer(builder: GraphBuilder, tensor: int, axis: int, by: int) -> int:
    shape = list(builder.shape(tensor))
    shape[axis] += by
    return builder.add_like(tensor, shape)


def factor_taps(taps: Taps) -> tuple[Taps, Taps]:
    """Return two kernels (3, channels) whose convolutions are the columns of ``taps``.

    ``taps`` is (5, channels). Both factors of a column have the same norm.
    """
    pairs = [_factor(column) for column in taps.T]
    return np.array([a for a, _ in pairs]).T, np.array([b for _, b in pairs]).T


def _factor(column: Taps) -> tuple[Taps, Taps]:
    if not column.any():
        return np.zeros(HALF), np.zeros(HALF)
    one, two = (q / np.linalg.norm(q) for q in _quadratics(_roots(column)))
    product = np.convolve(one, two)
    scale = float(product @ column / (product @ product))
    size = np.sqrt(abs(scale))
    return _refined(column, np.copysign(size, scale) * one, size * two)


def _refined(column: Taps, one: Taps, two: Taps) -> tuple[Taps, Taps]:
    """Improve the factors (Gauss-Newton): roots far apart in size, or double, are only rough."""
    for _ in range(REFINEMENTS):
        slopes = np.array([np.convolve(unit, two) for unit in np.eye(HALF)])
        slopes = np.vstack([slopes, [np.convolve(one, unit) for unit in np.eye(HALF)]])
        step = np.linalg.lstsq(slopes.T, column - np.convolve(one, two), rcond=RCOND)[0]
        one, two = one + step[:HALF], two + step[HALF:]
    return one, two


def _roots(column: Taps) -> NDArray[np.complex128]:
    """Return the roots of Σ column[k]·x^k; fewer than four where the last coefficients are zero."""
    kept = np.where(np.abs(column) < NEGLIGIBLE * np.abs(column).max(), 0.0, column)
    return np.roots(kept[::-1]).astype(np.complex128)


def _quadratics(roots: NDArray[np.complex128]) -> list[Taps]:
    """Return the two factors, ascending, of the polynomial with these roots.

    Those missing of four roots are infinite. Conjugates stay together, and of the real roots the
    smallest goes with the largest.
    """
    found = [
        np.array([abs(r) ** 2, -2 * r.real, 1.0]) if abs(r) <= 1 else _reversed_quadratic(1 / r)
        for r in roots
        if r.imag > 0
    ]
    real = sorted((float(r.real) for r in roots if r.imag == 0), key=abs)
    linear = [np.array([-r, 1.0]) if abs(r) <= 1 else np.array([1.0, -1 / r]) for r in real]
    linear += [np.array([1.0, 0.0])] * (TAPS - 1 - len(roots))
    while linear:
        found.append(np.convolve(linear.pop(0), linear.pop()))
    return found


def _reversed_quadratic(inverse: complex) -> Taps:
    return np.array([1.0, -2 * inverse.real, abs(inverse) ** 2])
