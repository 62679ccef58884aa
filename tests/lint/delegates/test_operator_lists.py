"""The lists of what delegates take name operators that TFLite has."""

from __future__ import annotations

import pytest

from ghostdeploy.lint.delegates.operator_lists import GPU, NNAPI
from tests.lint.rules.hand_made import Tflite

NATIVE = {
    name: number
    for name, number in vars(Tflite().schema.BuiltinOperator).items()
    if isinstance(number, int)
}


@pytest.mark.parametrize("operators", [GPU, NNAPI])
def test_they_exist(operators: frozenset[str]) -> None:
    assert {name for name in operators if not name.startswith("CUSTOM:")} <= NATIVE.keys()
