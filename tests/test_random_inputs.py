"""Values that a model's inputs take: small numbers of things, whole types of quanta."""

from __future__ import annotations

import numpy as np
import pytest

from ghostdeploy.random_inputs import draw_input, draw_values, try_ranges

INTEGERS = ["int8", "uint8", "int16", "int32", "int64", "uint64"]


def drawn(dtype: str, **how: object) -> np.ndarray:
    values = draw_values(np.random.default_rng(0), dtype, (20_000,), **how)
    assert values.dtype == dtype
    return values


@pytest.mark.parametrize("dtype", INTEGERS)
def test_unquantized_integers_are_those_of_benchmark_model(dtype: str) -> None:
    assert set(drawn(dtype).tolist()) == set(range(100))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
def test_quantized_integers_are_of_their_whole_type(dtype: str) -> None:
    values, limits = drawn(dtype, scaling=(0.5, 3)), np.iinfo(dtype)
    span = float(limits.max) - float(limits.min)
    assert values.min() < limits.min + 0.01 * span
    assert values.max() > limits.max - 0.01 * span


def test_a_given_range_is_of_real_values() -> None:
    assert set(drawn("int32", given=(-3.5, 2.5)).tolist()) == {-3, -2, -1, 0, 1, 2}
    quanta = drawn("int8", scaling=(0.5, 10), given=(-1.0, 2.0))
    assert set(quanta.tolist()) == set(range(8, 15))  # x / 0.5 + 10
    assert set(drawn("uint8", scaling=(1.0, 0), given=(-9.0, 1.0)).tolist()) == {0, 1}
    reals = drawn("float32", given=(10.0, 30.0))
    assert 10 <= reals.min() < 10.1 < 29.9 < reals.max() <= 30


def test_a_range_outside_of_the_type_has_its_nearest_value() -> None:
    assert set(drawn("int8", scaling=(0.01, 0), given=(5.0, 6.0)).tolist()) == {127}
    with pytest.raises(ValueError, match=r"no int32 lies between 0\.2 and 0\.8"):
        drawn("int32", given=(0.2, 0.8))
    with pytest.raises(ValueError, match="no uint8 lies between -3 and -1"):
        drawn("uint8", given=(-3.0, -1.0))


def test_other_types() -> None:
    generator = np.random.default_rng(0)
    assert draw_values(generator, "float16", (2, 3)).shape == (2, 3)
    assert draw_values(generator, "float32", ()).shape == ()
    assert set(drawn("bool").tolist()) == {True, False}
    with pytest.raises(ValueError, match="complex64"):
        draw_values(generator, "complex64", (1,))
    with pytest.raises(ValueError, match="cannot be filled"):
        draw_values(generator, "S1", (1,))


def test_an_input_is_drawn_as_litert_describes_it() -> None:
    detail = {"dtype": np.int8, "shape": np.array([500]), "quantization": (1.0, -1)}
    values = draw_input(np.random.default_rng(0), detail, (0.0, 1.0), (0.0, 99.0))
    assert set(values.tolist()) == {-1, 0}


def test_a_model_with_a_short_table_gets_smaller_numbers() -> None:
    tried = []

    def run(integers: tuple[float, float]) -> str:
        tried.append(integers)
        if integers[1] > 1:
            raise RuntimeError("out of bounds")
        return "done"

    assert try_ranges(run, None) == "done"
    assert tried == [(0.0, 99.0), (0.0, 1.0)]
    with pytest.raises(RuntimeError, match="out of bounds"):
        try_ranges(run, (0.0, 50.0))
    assert len(tried) == 3
