"""One function an operator that the rewrites put into a graph: each makes it on given tensors.

Tensors are spoken of by their index in the builder's graph; ``output`` exists already.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.flatbuffer import OperatorT, schema
from ghostdeploy.lowering.rewrites.build import GraphBuilder


def make_pad(
    builder: GraphBuilder, source: int, output: int, amounts: NDArray[np.int32]
) -> OperatorT:
    """Make a PAD with zeros; ``amounts`` (4, 2) are those before and behind each axis."""
    numbers = builder.add_constant(amounts, "padding")
    return builder.make_operator("PAD", [source, numbers], output, schema().PadOptionsT())


def make_concatenation(
    builder: GraphBuilder, inputs: Sequence[int], output: int, axis: int
) -> OperatorT:
    """Make a CONCATENATION along ``axis``."""
    options = schema().ConcatenationOptionsT()
    options.axis = axis
    return builder.make_operator("CONCATENATION", inputs, output, options, version=2)


def make_depth_to_space(builder: GraphBuilder, source: int, output: int, block: int) -> OperatorT:
    """Make a DEPTH_TO_SPACE: channels become squares of ``block`` × ``block`` pixels."""
    options = schema().DepthToSpaceOptionsT()
    options.blockSize = block
    return builder.make_operator("DEPTH_TO_SPACE", [source], output, options)


def make_reshape(builder: GraphBuilder, source: int, output: int) -> OperatorT:
    """Make a RESHAPE: the same values seen in ``output``'s shape."""
    shape = np.array(builder.shape(output), np.int32)
    options = schema().ReshapeOptionsT()
    options.newShape = shape
    numbers = builder.add_constant(shape, "shape " + "×".join(map(str, shape)))
    return builder.make_operator("RESHAPE", [source, numbers], output, options)


def make_transpose(
    builder: GraphBuilder, source: int, output: int, axes: Sequence[int]
) -> OperatorT:
    """Make a TRANSPOSE: axis n of ``output`` is the axis ``axes[n]`` of ``source``."""
    numbers = builder.add_constant(np.array(axes, np.int32), "axes " + ",".join(map(str, axes)))
    return builder.make_operator(
        "TRANSPOSE", [source, numbers], output, schema().TransposeOptionsT()
    )


def make_pick(
    builder: GraphBuilder, source: int, output: int, stride: tuple[int, int]
) -> OperatorT:
    """Make a depthwise 1×1 convolution of ones: every ``stride``-th pixel (height, width)."""
    if builder.graph.tensors[source].type == schema().TensorType.INT8:
        return make_int8_sum(builder, source, output, window=(1, 1), stride=stride, scale=1.0)
    return make_float_sum(builder, source, output, window=(1, 1), stride=stride, weight=1.0)


def make_float_sum(
    builder: GraphBuilder,
    source: int,
    output: int,
    *,
    window: tuple[int, int],
    stride: tuple[int, int],
    weight: float,
) -> OperatorT:
    """Make a depthwise convolution in float: the sum over each window times ``weight``."""
    channels = builder.shape(source)[3]
    weights = np.full((1, *window, channels), weight, np.float32)
    constants = [
        builder.add_constant(weights, f"{weight:g}"),
        builder.add_constant(np.zeros(channels, np.float32), "zeros"),
    ]
    return _make_depthwise(builder, [source, *constants], output, stride)


def make_int8_sum(
    builder: GraphBuilder,
    source: int,
    output: int,
    *,
    window: tuple[int, int],
    stride: tuple[int, int],
    scale: float,
) -> OperatorT:
    """Make a depthwise convolution in int8: the sum over each window times ``scale``."""
    channels = builder.shape(source)[3]
    quantization = builder.graph.tensors[source].quantization
    assert quantization is not None
    assert quantization.scale is not None
    step = float(quantization.scale[0])
    ones = builder.add_constant(np.ones((1, *window, channels), np.int8), "ones", scale)
    zeros = builder.add_constant(np.zeros(channels, np.int32), "zeros", step * scale)
    return _make_depthwise(builder, [source, ones, zeros], output, stride, version=3)


def _make_depthwise(
    builder: GraphBuilder,
    inputs: Sequence[int],
    output: int,
    stride: tuple[int, int],
    version: int = 1,
) -> OperatorT:
    generated = schema()
    options = generated.DepthwiseConv2DOptionsT()
    options.padding = generated.Padding.VALID
    options.strideH, options.strideW = stride
    options.depthMultiplier = options.dilationHFactor = options.dilationWFactor = 1
    return builder.make_operator("DEPTHWISE_CONV_2D", inputs, output, options, version)
