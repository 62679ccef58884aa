"""The two mending rewrites on models of one operator, against torch and the untouched model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ghostdeploy import flatbuffer
from ghostdeploy.flatbuffer import schema
from ghostdeploy.lowering.rewrites import depthwise, nearest_floor
from tests.lowering.networks import litert


class OneOperator:
    """A model of one operator, behind a DEQUANTIZE where the weights are fp16."""

    def __init__(self) -> None:
        s = schema()
        self.model, self.graph = s.ModelT(), s.SubGraphT()
        self.model.version, self.model.operatorCodes = 3, []
        self.model.buffers, self.model.subgraphs = [s.BufferT()], [self.graph]
        self.graph.tensors, self.graph.operators = [], []

    def tensor(self, shape, dtype="FLOAT32", data=None) -> int:
        tensor = schema().TensorT()
        tensor.name = f"t{len(self.graph.tensors)}".encode()
        tensor.shape, tensor.buffer = np.array(shape, np.int32), 0
        tensor.type = getattr(schema().TensorType, dtype)
        if data is not None:
            buffer = schema().BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def operator(self, name, inputs, output, version=1, **options) -> None:
        s = schema()
        code, op = s.OperatorCodeT(), s.OperatorT()
        code.builtinCode = getattr(s.BuiltinOperator, name)
        code.deprecatedBuiltinCode, code.version = code.builtinCode, version
        op.opcodeIndex = len(self.model.operatorCodes)
        self.model.operatorCodes.append(code)
        op.inputs, op.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        kind = options.pop("kind", None)
        if kind:
            op.builtinOptionsType = getattr(s.BuiltinOptions, kind)
            op.builtinOptions = getattr(s, f"{kind}T")()
            for field, value in options.items():
                assert hasattr(op.builtinOptions, field)
                setattr(op.builtinOptions, field, value)
        self.graph.operators.append(op)

    def data(self, source, target) -> bytes:
        self.graph.inputs = np.array([source], np.int32)
        self.graph.outputs = np.array([target], np.int32)
        return flatbuffer.dump(self.model)


def applied(rewrite, data: bytes) -> tuple[bytes, int]:
    model = flatbuffer.load(data, "one operator")
    count = rewrite.apply(model)
    return flatbuffer.dump(model), count


def names(data: bytes) -> list[str]:
    model = flatbuffer.load(data, "one operator")
    known = {v: k for k, v in vars(schema().BuiltinOperator).items() if isinstance(v, int)}
    ops = model.subgraphs[0].operators
    return [known[model.operatorCodes[op.opcodeIndex].builtinCode] for op in ops]


# --- nearest up-sampling ---------------------------------------------------------------------


def resize(small, large) -> bytes:
    m = OneOperator()
    source, target = m.tensor((1, *small, 3)), m.tensor((1, *large, 3))
    size = m.tensor((2,), "INT32", np.array(large, np.int32))
    kind = "ResizeNearestNeighborOptions"
    m.operator(
        "RESIZE_NEAREST_NEIGHBOR", [source, size], target, 3, kind=kind, halfPixelCenters=True
    )
    return m.data(source, target)


@pytest.mark.parametrize("builtin", [False, True])
@pytest.mark.parametrize(
    ("small", "large", "was_wrong"),
    [
        ((3, 3), (7, 7), True),
        ((5, 5), (11, 11), True),
        ((2, 2), (5, 5), True),
        ((2, 2), (4, 4), False),
        ((7, 7), (14, 14), False),
        ((3, 4), (7, 8), True),
        ((1, 1), (3, 3), False),
        ((16, 24), (33, 49), True),
    ],
)
def test_nearest_reads_the_pixels_that_torch_reads(small, large, was_wrong, builtin):
    x = np.random.default_rng(3).normal(size=(1, *small, 3)).astype(np.float32)
    nchw = torch.from_numpy(x.transpose(0, 3, 1, 2))
    expected = torch.nn.functional.interpolate(nchw, large, mode="nearest")
    expected = expected.permute(0, 2, 3, 1).numpy()
    rows, columns = ([i * n // m for i in range(m)] for n, m in zip(small, large, strict=True))
    np.testing.assert_array_equal(expected, x[:, rows][:, :, columns])

    before = resize(small, large)
    after, count = applied(nearest_floor, before)
    assert count == 1
    np.testing.assert_array_equal(litert(after, x, builtin=builtin)[0], expected)
    assert np.array_equal(litert(before, x, builtin=builtin)[0], expected) != was_wrong


def test_a_right_resize_is_not_counted():
    once, _ = applied(nearest_floor, resize((3, 3), (7, 7)))
    twice, count = applied(nearest_floor, once)
    assert (twice, count) == (once, 0)


# --- grouped convolutions --------------------------------------------------------------------

SAME, VALID = 0, 1
NONE, RELU, RELU6 = 0, 1, 3


def grouped(size, channels, kernel, stride, padding, activation, *, half):
    random = np.random.default_rng(7)
    m = OneOperator()
    source = m.tensor((1, *size, channels))
    values = random.normal(size=(channels, *kernel, 1))
    if half:
        packed = m.tensor(values.shape, "FLOAT16", values.astype(np.float16))
        weights = m.tensor(values.shape)
        m.operator("DEQUANTIZE", [packed], weights, 3)
    else:
        weights = m.tensor(values.shape, data=values.astype(np.float32))
    offset = m.tensor((channels,), data=random.normal(size=channels).astype(np.float32))
    out = [
        -(-n // s) if padding == SAME else (n - k) // s + 1
        for n, k, s in zip(size, kernel, stride, strict=True)
    ]
    target = m.tensor((1, *out, channels))
    m.operator(
        "CONV_2D",
        [source, weights, offset],
        target,
        kind="Conv2DOptions",
        padding=padding,
        strideH=stride[0],
        strideW=stride[1],
        dilationHFactor=1,
        dilationWFactor=1,
        fusedActivationFunction=activation,
    )
    return m.data(source, target)


@pytest.mark.parametrize(
    ("size", "channels", "kernel", "stride", "padding", "activation"),
    [
        ((9, 9), 4, (3, 3), (1, 1), SAME, NONE),
        ((9, 8), 16, (3, 3), (2, 2), SAME, RELU),
        ((12, 9), 5, (5, 5), (2, 2), VALID, NONE),
        ((7, 11), 24, (1, 5), (1, 1), SAME, RELU6),
        ((11, 7), 3, (5, 1), (2, 1), SAME, RELU),
        ((6, 6), 2, (1, 1), (2, 2), VALID, NONE),
    ],
)
@pytest.mark.parametrize("half", [False, True])
def test_depthwise_computes_what_the_grouped_one_did(
    size, channels, kernel, stride, padding, activation, half
):
    before = grouped(size, channels, kernel, stride, padding, activation, half=half)
    after, count = applied(depthwise, before)
    assert count == 1
    assert names(before)[-1] == "CONV_2D"
    assert names(after)[-1] == "DEPTHWISE_CONV_2D"
    x = np.random.default_rng(1).normal(size=(1, *size, channels)).astype(np.float32)
    expected = litert(before, x, builtin=True)[0]
    assert np.abs(expected).max() > 0.5
    for builtin in (False, True):
        got = litert(after, x, builtin=builtin)[0]
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def test_an_ordinary_convolution_stays_as_it_is():
    m = OneOperator()
    source, target = m.tensor((1, 4, 4, 1)), m.tensor((1, 4, 4, 1))
    weights = m.tensor((1, 3, 3, 1), data=np.ones((1, 3, 3, 1), np.float32))
    bias = m.tensor((1,), data=np.zeros(1, np.float32))
    m.operator(
        "CONV_2D", [source, weights, bias], target, kind="Conv2DOptions", strideH=1, strideW=1
    )
    _, count = applied(depthwise, m.data(source, target))
    assert count == 0  # one channel: both kinds are the same


def test_a_filter_that_two_convolutions_share_is_moved_for_the_one_that_needs_it():
    m = OneOperator()
    values = np.random.default_rng(2).normal(size=(3, 3, 3, 1)).astype(np.float32)
    options = {"kind": "Conv2DOptions", "strideH": 1, "strideW": 1, "padding": SAME}
    options |= {"dilationHFactor": 1, "dilationWFactor": 1}
    source = m.tensor((1, 5, 5, 3))
    weights = m.tensor(values.shape, data=values)
    bias = m.tensor((3,), data=np.zeros(3, np.float32))
    middle, target = m.tensor((1, 5, 5, 3)), m.tensor((1, 5, 5, 3))
    m.operator("CONV_2D", [source, weights, bias], middle, **options)
    m.operator("CONV_2D", [middle, weights, bias], target, **options)
    before = m.data(source, target)
    after, count = applied(depthwise, before)
    assert count == 2
    x = np.random.default_rng(1).normal(size=(1, 5, 5, 3)).astype(np.float32)
    expected, got = (litert(d, x, builtin=True)[0] for d in (before, after))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)
