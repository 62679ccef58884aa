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
