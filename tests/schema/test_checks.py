"""The range check: what it takes, and what it says of the rest."""

from __future__ import annotations

import math

import pytest

from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.schema.checks import check_range, check_seed


@pytest.mark.parametrize("value", [0, 100, 0.5])
def test_the_limits_are_in_the_range(value):
    check_range("it", value, 0, 100)


@pytest.mark.parametrize("value", [1, 10**400])
def test_a_range_without_an_end_takes_any_finite_number(value):
    check_range("it", value, 1)


@pytest.mark.parametrize(
    ("value", "limits", "more", "said"),
    [
        (-1, (0, 100), {}, "it must be 0 to 100, not -1"),
        (math.nan, (0, 1), {}, "it must be 0 to 1, not nan"),
        (10**400, (0, 1), {}, f"it must be 0 to 1, not {10**400}"),
        (2, (0.1, 1), {"unit": "of the image"}, "it must be 0.1 to 1 of the image, not 2"),
        (0, (1,), {}, "it must be at least 1, not 0"),
        (math.inf, (1,), {}, "it must be at least 1, not inf"),
        (math.nan, (0,), {"unit": "seconds"}, "it must be 0 or more seconds, not nan"),
        (9, (0, 1), {"shown": "9x1"}, "it must be 0 to 1, not 9x1"),
    ],
)
def test_what_it_says(value, limits, more, said):
    with pytest.raises(UsageError) as caught:
        check_range("it", value, *limits, **more)
    assert str(caught.value) == said


def test_a_files_error_where_the_number_comes_from_a_file():
    with pytest.raises(InputFileError, match="it must be"):
        check_range("it", 2, 0, 1, error=InputFileError)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_that_numpy_does_not_take(seed):
    with pytest.raises(UsageError) as caught:
        check_seed("seed", seed)
    assert str(caught.value) == f"seed must be 0 to 2**32-1, not {seed}"
    check_seed("seed", seed % 2**32)
