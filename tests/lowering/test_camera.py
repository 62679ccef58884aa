"""A uint8 input in front of int8: the same answers for the same bytes."""

from __future__ import annotations

import numpy as np
import pytest

from ghostdeploy import flatbuffer
from ghostdeploy.errors import ConversionError
from ghostdeploy.lowering.camera import give_bytes, take_bytes
from tests.lowering.rewrites.tiny import ops, run, tiny


def model(zero_point: int = -128) -> bytes:
    """A byte minus 128 → ReLU."""
    t = tiny()
    a, b = t.tensor((1, 4, 4, 3), "int8", scale=1.0), t.tensor((1, 4, 4, 3), "int8", scale=1.0)
    t.graph.tensors[a].quantization.zeroPoint[:] = zero_point
    t.graph.tensors[b].quantization.zeroPoint[:] = zero_point
    t.op("RELU", [a], [b])
    return t.bytes(a, b)


def takes_bytes(data: bytes) -> bytes:
    tree = flatbuffer.load(data, "tiny")
    take_bytes(tree)
    return flatbuffer.dump(tree)


@pytest.mark.parametrize("xnnpack", [False, True])
def test_every_byte_comes_in_unrounded(xnnpack):
    frame = np.resize(np.arange(256), (6, 1, 4, 4, 3)).astype(np.uint8)
    made = takes_bytes(model())
    assert ops(made) == ["QUANTIZE", "RELU"]
    for bytes_ in frame:
        expected = run(model(), (bytes_.astype(np.int16) - 128).astype(np.int8), xnnpack=xnnpack)
        np.testing.assert_array_equal(run(made, bytes_, xnnpack=xnnpack), expected)


@pytest.mark.parametrize("xnnpack", [False, True])
def test_the_same_values_come_out_as_bytes(xnnpack):
    frame = np.resize(np.arange(-128, 128), (6, 1, 4, 4, 3)).astype(np.int8)
    tree = flatbuffer.load(model(zero_point=3), "tiny")
    give_bytes(tree)
    made = flatbuffer.dump(tree)
    assert ops(made) == ["RELU", "QUANTIZE"]
    before = flatbuffer.load(model(), "tiny").subgraphs[0]
    after = tree.subgraphs[0]
    names = [graph.tensors[int(graph.outputs[0])].name for graph in (before, after)]
    assert names[0] == names[1]
    assert after.tensors[int(after.outputs[0])].quantization.zeroPoint == [131]
    for values in frame:
        expected = run(model(zero_point=3), values, xnnpack=xnnpack).astype(np.int16) + 128
        found = run(made, values, xnnpack=xnnpack)
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, expected)


def test_the_input_keeps_its_name_and_is_the_signatures():
    before, after = (flatbuffer.load(data, "tiny") for data in (model(), takes_bytes(model())))
    names = [m.subgraphs[0].tensors[int(m.subgraphs[0].inputs[0])].name for m in (before, after)]
    assert names[0] == names[1]
    (signature,) = after.signatureDefs
    assert signature.inputs[0].tensorIndex == after.subgraphs[0].inputs[0]


def test_another_input_is_refused():
    with pytest.raises(ConversionError, match="not a byte minus 128"):
        takes_bytes(model(zero_point=0))
