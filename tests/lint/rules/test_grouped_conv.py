"""Depthwise convolutions in disguise."""

from __future__ import annotations

from ghostdeploy.lint.rule import Expectations
from ghostdeploy.lint.rules import grouped_conv
from tests.lint.models import GRAPHS


def test_a_grouped_conv_2d_is_a_warning(read) -> None:
    graph = GRAPHS["tflite"]()
    x = graph.step("1×1", graph.input)
    x = graph.grouped_conv(graph.step("dw 3×3", x))
    (finding,) = grouped_conv.check(read(graph, graph.step("3×3", x)), Expectations())
    assert (finding.rule, finding.severity) == ("grouped-conv", "warning")
    assert finding.node == "conv_2d_2"


def test_plain_and_depthwise_convolutions_are_fine(builder, read) -> None:
    x = builder.input
    for kind in ("1×1", "dw 3×3", "3×3", "dw 1×5"):
        x = builder.step(kind, x)
    assert list(grouped_conv.check(read(builder, x), Expectations())) == []


def test_one_input_channel_is_no_group(read) -> None:
    graph = GRAPHS["tflite"]()
    for tensor in graph.tensors:
        tensor.shape[3] = 1
    whole = read(graph, graph.grouped_conv(graph.input))
    assert list(grouped_conv.check(whole, Expectations())) == []
