"""What could be part of a neighbour: activations, batch normalization, padding."""

from __future__ import annotations

import numpy as np
import pytest

from tests.linting.rules.hand_made import RELU, RELU6, SAME, VALID, Onnx, Tflite, only, rules


class TestHardActivations:
    def test_a_hard_sigmoid_that_xnnpack_has_not(self) -> None:
        t = Tflite()
        graph = t.graph(t.op("TANH", [t.op("RELU_0_TO_1", [t.input])]))
        assert only(graph, "hard-activations").severity == "warning"

    def test_its_onnx_form(self) -> None:
        o = Onnx()
        graph = o.graph(o.op("HardSigmoid", o.input, alpha=1 / 6, beta=0.5))
        assert rules(graph) == {"hard-activations": 1}
        assert only(graph, "hard-activations").severity == "warning"

    @pytest.mark.parametrize("order", [("MAXIMUM", "MINIMUM"), ("MINIMUM", "MAXIMUM")])
    @pytest.mark.parametrize(("low", "high"), [(0.0, 6.0), (-1.0, 1.0), (0.0, 1.0)])
    def test_a_clip_in_two_operators(self, order, low: float, high: float) -> None:
        t = Tflite()
        x = t.input
        for native in order:
            x = t.op(native, [x, t.constant(low if native == "MAXIMUM" else high)])
        finding = only(t.graph(x), "hard-activations")
        assert f"{low:g}…{high:g}" in finding.message

    def test_a_clip_to_another_range_stays(self) -> None:
        t = Tflite()
        x = t.op("MAXIMUM", [t.input, t.constant(-0.3)])
        assert rules(t.graph(t.op("MINIMUM", [x, t.constant(0.3)]))) == {}

    def swish(self, t: Tflite, x: int, other: int, sixth_last: bool, fused: bool) -> int:
        three, sixth = t.constant(3.0), t.constant(1 / 6)
        if fused:
            gate = t.op("ADD", [x, three], fusedActivationFunction=RELU6)
        else:
            gate = t.op(
                "RELU6",
                [
                    t.op(
                        "ADD",
                        [
                            x,
                            three,
                        ],
                    )
                ],
            )
        if sixth_last:
            return t.op("MUL", [t.op("MUL", [other, gate]), sixth])
        return t.op("MUL", [other, t.op("MUL", [gate, sixth])])

    @pytest.mark.parametrize("sixth_last", [True, False])
    @pytest.mark.parametrize("fused", [True, False])
    def test_a_hard_swish_in_pieces(self, sixth_last: bool, fused: bool) -> None:
        t = Tflite()
        x = t.op("TANH", [t.input])
        finding = only(t.graph(self.swish(t, x, x, sixth_last, fused)), "hard-activations")
        assert finding.severity == "info"

    @pytest.mark.parametrize("sixth_last", [True, False])
    def test_a_gate_of_something_else_is_none(self, sixth_last: bool) -> None:
        """Squeeze and excite: relu6(y + 3)/6 times another value than y."""
        t = Tflite()
        x, y = t.op("TANH", [t.input]), t.op("LOGISTIC", [t.input])
        assert rules(t.graph(self.swish(t, x, y, sixth_last, True))) == {}

    def test_a_hard_swish_in_onnx(self) -> None:
        o = Onnx()
        gate = o.op("Add", o.input, o.constant(3.0))
        gate = o.op("Clip", gate, o.constant(0.0), o.constant(6.0))
        graph = o.graph(o.op("Mul", o.input, o.op("Div", gate, o.constant(6.0))))
        assert rules(graph, "info") == {"hard-activations": 1}
        o = Onnx()
        assert rules(o.graph(o.op("HardSwish", o.input))) == {}


class TestUnfusedActivation:
    @pytest.mark.parametrize("native", ["RELU", "RELU6", "RELU_N1_TO_1"])
    def test_behind_a_convolution(self, native: str) -> None:
        t = Tflite()
        graph = t.graph(t.op(native, [t.conv(t.input)]))
        finding = only(graph, "unfused-activation")
        assert (finding.severity, finding.node) == ("warning", f"{native.lower()}_1")
        assert rules(graph) == {"unfused-activation": 1}

    def test_behind_one_that_has_an_activation(self) -> None:
        t = Tflite()
        x = t.conv(t.input, fusedActivationFunction=RELU)
        assert rules(t.graph(t.op("RELU6", [x]))) == {}

    def test_behind_one_that_others_read_too(self) -> None:
        t = Tflite()
        x = t.conv(t.input)
        assert rules(t.graph(t.op("ADD", [x, t.op("RELU", [x])]))) == {}

    def test_behind_one_that_is_an_output(self) -> None:
        t = Tflite()
        x = t.conv(t.input)
        assert rules(t.graph(x, t.op("RELU", [x]))) == {}

    @pytest.mark.parametrize("native", ["CONCATENATION", "TANH"])
    def test_behind_what_carries_none(self, native: str) -> None:
        t = Tflite()
        assert rules(t.graph(t.op("RELU", [t.op(native, [t.input])]))) == {}


class TestBatchNorm:
    def norm(self, o: Onnx, x: str) -> str:
        return o.op("BatchNormalization", x, *(o.constant(np.ones(4)) for _ in range(4)))

    def test_behind_a_convolution(self) -> None:
        o = Onnx()
        finding = only(o.graph(self.norm(o, o.conv(o.input))), "batch-norm")
        assert finding.severity == "warning"

    def test_where_nothing_can_take_it(self) -> None:
        o = Onnx()
        x = o.op("Relu", o.input)
        assert only(o.graph(self.norm(o, x)), "batch-norm").severity == "info"
        o = Onnx()
        x = o.conv(o.input)
        assert only(o.graph(o.op("Add", x, self.norm(o, x))), "batch-norm").severity == "info"

    def test_in_tflite(self) -> None:
        t = Tflite()
        x = t.op("MUL", [t.conv(t.input), t.random(4)])
        graph = t.graph(t.op("ADD", [x, t.random(4)]))
        assert only(graph, "batch-norm").severity == "warning"
        assert rules(graph) == {"batch-norm": 1}

    def test_what_is_none(self) -> None:
        t = Tflite()
        half = t.op("MUL", [t.conv(t.input), t.constant(0.5)])
        activated = t.conv(half, fusedActivationFunction=RELU)
        scaled = t.op("MUL", [activated, t.random(4)])
        gated = t.op("MUL", [t.conv(scaled), t.op("LOGISTIC", [scaled])])
        assert rules(t.graph(t.op("ADD", [gated, t.random(4)]))) == {}


class TestFoldablePad:
    """At stride 2 on an even side SAME adds (0, 1); on an odd one, or at stride 1, (1, 1)."""

    def padded(
        self,
        side: int,
        amounts: tuple[int, int],
        *,
        stride: int = 2,
        padding: int = VALID,
        channels: tuple[int, int] = (0, 0),
        dilation: int = 1,
        value: float | None = None,
        twice: bool = False,
    ):
        t = Tflite((1, side, side, 4))
        pads = t.constant([(0, 0), amounts, amounts, channels], "int32")
        wide, deep = side + sum(amounts), 4 + sum(channels)
        extra = [] if value is None else [t.constant(value)]
        name = "PAD" if value is None else "PADV2"
        x = t.op(name, [t.input, pads, *extra], (1, wide, wide, deep), name="pad")
        out = (wide - 1 - 2 * dilation) // stride + 1
        fields = {"strideH": stride, "strideW": stride, "padding": padding}
        fields |= {"dilationHFactor": dilation, "dilationWFactor": dilation}
        y = t.conv(x, kernel=3, shape=(1, out, out, 4), **fields)
        return t.graph(y, t.op("TANH", [x])) if twice else t.graph(y)

    @pytest.mark.parametrize(
        ("side", "amounts", "more"),
        [
            (8, (0, 1), {}),
            (9, (1, 1), {}),
            (8, (1, 1), {"stride": 1}),
            (8, (2, 2), {"stride": 1, "dilation": 2}),
            (9, (1, 1), {"value": 0.0}),
        ],
    )
    def test_what_same_adds(self, side: int, amounts: tuple[int, int], more) -> None:
        graph = self.padded(side, amounts, **more)
        finding = only(graph, "foldable-pad")
        assert (finding.severity, finding.node) == ("info", "pad")

    @pytest.mark.parametrize(
        ("side", "amounts", "more"),
        [
            (8, (1, 1), {}),  # torch's symmetric padding at stride 2
            (8, (0, 1), {"stride": 1}),
            (8, (1, 1), {"stride": 1, "padding": SAME}),
            (8, (1, 1), {"stride": 1, "channels": (0, 4)}),
            (9, (1, 1), {"value": 1.0}),
            (9, (1, 1), {"twice": True}),
        ],
    )
    def test_what_same_does_not(self, side: int, amounts: tuple[int, int], more) -> None:
        assert "foldable-pad" not in rules(self.padded(side, amounts, **more))

    def test_before_a_max_pool_it_stays(self) -> None:
        """SAME pads a max pool with −∞."""
        t = Tflite((1, 8, 8, 4))
        pads = t.constant([(0, 0), (0, 1), (0, 1), (0, 0)], "int32")
        x = t.op("PAD", [t.input, pads], (1, 9, 9, 4))
        sizes = {"filterHeight": 3, "filterWidth": 3, "strideH": 2, "strideW": 2}
        x = t.op("MAX_POOL_2D", [x], (1, 4, 4, 4), padding=VALID, **sizes)
        assert rules(t.graph(x)) == {}

    def test_onnx(self) -> None:
        o = Onnx()
        pads = o.constant([0, 0, 1, 1, 0, 0, 1, 1], "int64")
        graph = o.graph(o.conv(o.op("Pad", o.input, pads)))
        assert rules(graph) == {"foldable-pad": 1}
        o = Onnx()
        pads = o.constant([0, 0, 1, 1, 0, 0, 1, 1], "int64")
        graph = o.graph(o.conv(o.op("Pad", o.input, pads, mode="reflect")))
        assert rules(graph) == {}

    @pytest.mark.parametrize("side", [7, 8, 9, 14, 15])
    @pytest.mark.parametrize("kernel", [1, 3, 5])
    @pytest.mark.parametrize("stride", [1, 2, 3])
    def test_the_condition_is_tflites_own(self, side: int, kernel: int, stride: int) -> None:
        """Folded and explicit padding compute the same in the runtime."""
        from ai_edge_litert.interpreter import Interpreter

        from ghostdeploy.linting.rules.foldable_pad import same_padding

        before, after = same_padding(side, kernel, stride, 1)
        image = np.random.RandomState(0).rand(1, side, side, 4).astype(np.float32)
        results = []
        for folded in (True, False):
            t = Tflite((1, side, side, 4))
            x = t.input
            if not folded:
                pads = t.constant([(0, 0), (before, after), (before, after), (0, 0)], "int32")
                wide = side + before + after
                x = t.op("PAD", [x, pads], (1, wide, wide, 4))
            weights = t.constant(np.random.RandomState(1).rand(4, kernel, kernel, 4))
            out = -(-side // stride)
            fields = {"strideH": stride, "strideW": stride, "padding": SAME if folded else VALID}
            fields |= {"dilationHFactor": 1, "dilationWFactor": 1}
            bias = t.constant(np.zeros(4))
            y = t.op("CONV_2D", [x, weights, bias], (1, out, out, 4), **fields)
            interpreter = Interpreter(model_content=t.bytes(y))
            interpreter.allocate_tensors()
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
            interpreter.invoke()
            results.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
        assert results[0].shape == results[1].shape
        np.testing.assert_allclose(results[0], results[1], rtol=1e-5)
