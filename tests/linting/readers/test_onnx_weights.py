"""The bytes of ONNX weights, whichever field they lie in."""

from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper

from ghostdeploy.linting.readers.onnx_weights import read_constant
from tests.linting.rules.hand_made import Onnx

KINDS = [
    (TensorProto.INT4, 0.5),
    (TensorProto.UINT4, 0.5),
    (TensorProto.INT8, 1),
    (TensorProto.FLOAT8E4M3FN, 1),
    (TensorProto.FLOAT16, 2),
    (TensorProto.BFLOAT16, 2),
    (TensorProto.FLOAT, 4),
    (TensorProto.INT64, 8),
]


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("count", [7, 8, 5001])
@pytest.mark.parametrize(("kind", "size"), KINDS)
def test_the_size_is_that_of_the_type(kind: int, size: float, count: int, raw: bool) -> None:
    nbytes = -int(-count * size // 1)
    values = bytes(nbytes) if raw else [count % 2] * count
    tensor = helper.make_tensor("w", kind, [count], values, raw=raw)
    assert read_constant(tensor, "w").nbytes == nbytes


@pytest.mark.parametrize("count", [7, 9000])
def test_packed_or_not_int4_has_the_same_content(count: int) -> None:
    """Of a small tensor and of one that is stripped first."""
    values = [n % 16 - 8 for n in range(count)]
    typed = helper.make_tensor("w", TensorProto.INT4, [count], values)
    packed = onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(typed), "w")
    assert packed.HasField("raw_data")
    digests = set()
    for tensor in (typed, packed):
        o = Onnx((1, count))
        o.weights.append(tensor)
        scale = o.constant(0.5)
        graph = o.graph(o.op("Add", o.input, o.op("DequantizeLinear", "w", scale)))
        digests.add((graph.values["w"].digest, graph.values["w"].nbytes))
    assert len(digests) == 1
    assert next(iter(digests))[1] == (count + 1) // 2
