"""What other converters leave in a file: composites, antialias, pool edges, versions, bytecode."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper

from ghostdeploy import flatbuffer
from ghostdeploy.linting.readers.onnx_graph import add_shapes, build_onnx_graph
from ghostdeploy.linting.readers.tflite_graph import build_tflite_graph
from tests.linting.rules.hand_made import VALID, Onnx, Tflite, only, rules


class TestAveragePoolEdges:
    def onnx(self, side: int, opset: int = 18, **attributes: object):
        o = Onnx((1, 4, side, side), opset)
        whole = {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1, "count_include_pad": 1}
        return o.graph(o.op("AveragePool", o.input, **{**whole, **attributes}))

    @pytest.mark.parametrize(
        ("side", "attributes", "differs"),
        [
            (3, {}, True),
            (4, {}, False),
            (3, {"ceil_mode": 0}, False),
            (3, {"count_include_pad": 0}, False),
            (3, {"pads": [0, 0, 1, 1]}, False),
            (4, {"pads": [0, 0, 1, 1]}, True),
            (4, {"pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}, True),
            (3, {"pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}, False),
        ],
    )
    def test_a_window_that_hangs_over(self, side: int, attributes: dict, differs: bool) -> None:
        assert ("average-pool-edges" in rules(self.onnx(side, **attributes))) is differs

    def test_the_opset_decides_what_onnxruntime_computes(self) -> None:
        assert "in opset 18" in only(self.onnx(3), "average-pool-edges").message
        assert "opset" not in only(self.onnx(3, 19), "average-pool-edges").message

    @pytest.mark.parametrize(("opset", "corner"), [(18, 0.25), (19, 1.0)])
    def test_and_so_it_does(self, opset: int, corner: float) -> None:
        from onnxruntime import InferenceSession

        o = Onnx((1, 1, 3, 3), opset)
        how = {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1, "count_include_pad": 1}
        model = o.model(o.op("AveragePool", o.input, **how))
        ones = np.ones((1, 1, 3, 3), np.float32)
        (means,) = InferenceSession(model.SerializeToString()).run(None, {"image": ones})
        assert means[0, 0, 1, 1] == corner

    @pytest.mark.parametrize(
        ("amounts", "value", "differs"),
        [
            ([[0, 0], [0, 1], [0, 1], [0, 0]], 0.0, True),
            ([[0, 0], [0, 0], [0, 1], [0, 0]], 0.0, True),
            ([[0, 0], [1, 1], [1, 1], [0, 0]], 0.0, False),
            ([[0, 0], [1, 0], [1, 0], [0, 1]], 0.0, False),
            ([[0, 0], [0, 1], [0, 1], [0, 0]], -9.0, False),
        ],
    )
    def test_zeros_that_count_in_tflite(self, amounts, value: float, differs: bool) -> None:
        t = Tflite((1, 3, 3, 4))
        pad = t.op(
            "PADV2", [t.input, t.constant(amounts, "int32"), t.constant([value])], (1, 4, 4, 4)
        )
        window = {"filterHeight": 2, "filterWidth": 2, "strideH": 2, "strideW": 2}
        graph = t.graph(t.op("AVERAGE_POOL_2D", [pad], (1, 2, 2, 4), padding=VALID, **window))
        assert ("average-pool-edges" in rules(graph)) is differs


@pytest.mark.parametrize(
    ("after", "antialias", "told"), [(4, 1, True), (16, 1, False), (4, 0, False)]
)
def test_antialias(after: int, antialias: int, told: bool) -> None:
    o = Onnx()
    sizes = o.constant([1, 4, after, after], "int64")
    how = {"mode": "linear", "antialias": antialias}
    assert ("antialias" in rules(o.graph(o.op("Resize", o.input, "", "", sizes, **how)))) is told


class TestOperatorVersions:
    def graph(self, version: int, dtype: str = "int8"):
        t = Tflite(dtype=dtype, scale=[0.1])
        first = t.op("ADD", [t.input, t.input], scale=[0.1])
        out = t.op("ADD", [first, t.input], scale=[0.1])
        for code in t.codes:
            code.version = version
        return t.graph(out)

    def test_an_int8_add_of_a_float_file(self) -> None:
        finding = only(self.graph(1), "operator-versions")
        assert finding.severity == "info"
        assert finding.message == "ADD ×2 says version 1; int8 came with version 2"

    def test_the_right_version_is_silent(self) -> None:
        assert rules(self.graph(2)) == {}
        assert "operator-versions" not in rules(self.graph(1, "float32"))

    def test_float_activations_on_int8_weights(self) -> None:
        t = Tflite()
        weights = t.random(1, 3, 3, 4, dtype="int8", scale=[0.1])
        out = t.op("DEPTHWISE_CONV_2D", [t.input, weights])
        t.codes[0].version = 1
        assert "hybrid came with version 4" in only(t.graph(out), "operator-versions").message


class TestComposites:
    def graph(self, attributes):
        t = Tflite()
        out = t.op("STABLEHLO_COMPOSITE", [t.input])
        options = t.schema.StableHLOCompositeOptionsT()
        options.name, options.compositeAttributes = b"aten.avg_pool2d.default", attributes
        t.operators[0].builtinOptions2 = options
        t.operators[0].builtinOptions2Type = t.schema.BuiltinOptions2.StableHLOCompositeOptions
        return t.graph(out)

    def test_one_is_told_by_its_name(self) -> None:
        finding = only(self.graph([1, 2, 3]), "composites")
        assert finding.severity == "warning"
        assert finding.message.startswith("aten.avg_pool2d.default is a composite")

    def test_without_attributes_it_is_refused(self) -> None:
        assert rules(self.graph(None), "error") == {"composites": 1}


class TestCompiled:
    def model(self, stamp: bytes | None, native: str = "CUSTOM:DISPATCH_OP"):
        t = Tflite()
        model = t.model(t.op("ADD", [t.op(native, [t.input]), t.input]))
        if stamp is not None:
            entry = t.schema.MetadataT()
            entry.name, entry.buffer = b"LiteRtStamp", flatbuffer.append_buffer(model, stamp)
            model.metadata = [entry]
        return build_tflite_graph(flatbuffer.load(flatbuffer.dump(model), "made"), "made")

    def test_one_warning_names_the_chip(self) -> None:
        graph = self.model(b"MediaTek".ljust(125, b"\0") + b"mt6989".ljust(125, b"\0"))
        assert rules(graph) == {"compiled": 1}
        finding = only(graph, "compiled")
        assert finding.severity == "warning"
        assert finding.message.startswith("compiled for MediaTek mt6989;")
        assert finding.fix == "lint the file that it was made of"

    @pytest.mark.parametrize(
        ("stamp", "said"),
        [
            (None, "an accelerator"),
            (b"", "an accelerator"),
            (b"\0" * 250, "an accelerator"),
            (b"Intel", "Intel;"),
            (b"\xff" * 9999, "\N{REPLACEMENT CHARACTER}"),
        ],
    )
    def test_a_stamp_may_say_anything(self, stamp: bytes | None, said: str) -> None:
        message = only(self.model(stamp), "compiled").message
        assert said in message
        assert len(message) < 400

    def test_the_edge_tpu(self) -> None:
        graph = self.model(None, "CUSTOM:edgetpu-custom-op")
        assert "Google's Edge TPU" in only(graph, "compiled").message

    def test_onnxruntimes_own(self) -> None:
        o = Onnx()
        model = o.model("y")
        node = helper.make_node("EPContext", ["image"], ["y"], domain="com.microsoft")
        node.attribute.append(helper.make_attribute("source", "QNN"))
        model.graph.node.append(node)
        graph = build_onnx_graph(add_shapes(model), "made")
        assert rules(graph) == {"compiled": 1}
        assert "compiled for QNN;" in only(graph, "compiled").message
