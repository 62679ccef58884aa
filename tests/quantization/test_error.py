"""The error report's numbers, by hand and by scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cosine

from ghostdeploy.quantization import error


def test_snr_by_hand():
    reference = np.array([3.0, 4.0], np.float32)  # energy 25
    assert error.snr_db(reference, reference + np.array([0.3, 0.4])) == pytest.approx(
        20.0, abs=1e-4
    )
    assert error.snr_db(reference, reference) == error.MAX_DB


def test_cosine_is_scipys():
    random = np.random.RandomState(0)
    a, b = random.randn(5, 7).astype(np.float32), random.randn(5, 7).astype(np.float32)
    expected = np.mean([1 - cosine(x, y) for x, y in zip(a, b, strict=True)])
    assert error.cosine(a, b) == pytest.approx(expected, abs=1e-6)


def test_top1_agreement_counts_rows():
    a = np.eye(4, dtype=np.float32)
    b = a.copy()
    b[0] = [0, 9, 0, 0]
    assert error.output_error(a, b).top1_agreement == 0.75


@pytest.mark.parametrize(
    ("reference", "got", "constant", "answers"),
    [
        ([[1, 2], [2, 1]], [[1, 2], [2, 1]], (), 2),
        ([[1, 2], [2, 1]], [[0, 0], [0, 0]], ("quantized",), 2),
        ([[1, 2], [2, 1]], [[3, 4], [3, 4]], ("quantized",), 2),
        ([[1, 2], [1, 2 + 1e-7]], [[1, 2], [1, 3]], ("fp32",), 1),
        ([[1, 2], [1, 2]], [[1, 2], [1, 2]], ("fp32", "quantized"), 1),
        ([[1, 2]], [[1, 2]], (), 1),  # of one image nobody can tell
    ],
)
def test_outputs_that_never_change_are_told(reference, got, constant, answers):
    a, b = (np.array(x, np.float32) for x in (reference, got))
    found = error.output_error(a, b)
    assert (found.constant, found.answers) == (constant, answers)


def test_what_is_not_finite_is_as_far_off_as_can_be():
    a = np.array([[1, 2], [2, 1]], np.float32)
    for value in (np.nan, np.inf):
        b = np.full_like(a, value)
        for x, y in ((a, b), (b, a), (b, b)):
            assert error.snr_db(x, y) == -error.MAX_DB
            assert error.cosine(x, y) == 0.0


def test_layers_are_summed_over_inputs_and_saturation_is_a_share():
    sums = error.LayerSums()
    for _ in range(2):
        sums.add(
            {"a.b/conv": np.array([3.0, 4.0], np.float32), "gone": np.zeros(1, np.float32)},
            {"a.b/conv": np.array([3.0, 3.5], np.float32)},
            {"a.b/conv": (3.5,)},
        )
    (layer,) = sums.errors()
    assert (layer.module, layer.saturated) == ("a.b", 0.5)
    assert layer.snr_db == pytest.approx(10 * np.log10(25 / 0.25), abs=1e-6)
