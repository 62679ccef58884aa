"""Instructions of single operators on an emulated Cortex-A76: what did not help, and why.

One model of unconnected operators with random weights; the emulator tells each one's instructions.
Prints a Markdown table: an idea, the operators before and after, in millions.
Run: python benchmarks/single_operators.py (after ghostdeploy doctor --setup-qemu; a minute)
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ghostdeploy import flatbuffer
from ghostdeploy.export.rewrites.build import GraphBuilder
from ghostdeploy.export.rewrites.operators import make_concatenation, make_reshape
from ghostdeploy.flatbuffer import schema
from ghostdeploy.runners import open_runner
from ghostdeploy.schema import BenchParams

S = schema()
# idea -> the operators before it and after it, by their names below
IDEAS = {
    "stem: pairs of pixels as six channels": (["stem"], ["stem view", "stem pairs"]),
    "stem: a fourth, empty channel (without making it)": (["stem"], ["stem four"]),
    "1×5 and 5×1 as one 5×5": (["1x5", "5x1"], ["5x5"]),
    "1×5 as four taps and one, added": (["1x5"], ["1x4", "1x1", "sum"]),
    "the gate broadcast in both directions (56×56×72)": (
        ["pair", "rows gate", "rows mul"],
        ["both mul"],
    ),
    "no concatenation in block 0: an identity among the depthwise kernels": (
        ["to 8", "dw 8", "joined 8"],
        ["to 16", "dw 16"],
    ),
    "late-concat in front of a 1×1 of 24 channels (112×112×16)": (
        ["joined 8", "to 24"],
        ["half to 24", "half to 24", "sum 24"],
    ),
    "1×1 to 36 channels as FULLY_CONNECTED": (["to 36"], ["full 36"]),
}


class Bench:
    """A model of operators that have only the graph's inputs in common."""

    def __init__(self) -> None:
        self.model, self.graph = S.ModelT(), S.SubGraphT()
        self.model.version, self.model.operatorCodes = 3, []
        self.model.buffers, self.model.subgraphs = [S.BufferT()], [self.graph]
        self.graph.tensors, self.graph.operators, self.graph.inputs = [], [], []
        self.builder = GraphBuilder(self.model, self.graph)
        self.random = np.random.RandomState(0)

    def tensor(self, shape: Sequence[int], name: str) -> int:
        """Add a float tensor and return its index."""
        tensor = S.TensorT()
        tensor.shape, tensor.type, tensor.buffer = np.array(shape, np.int32), 0, 0
        tensor.name = name.encode()
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def input(self, *shape: int) -> int:
        """Add an input of the graph and return its index."""
        self.graph.inputs.append(self.tensor(shape, f"input{len(self.graph.inputs)}"))
        return int(self.graph.inputs[-1])

    def weights(self, *shape: int) -> int:
        """Add random weights and return their index."""
        return self.builder.add_constant(self.random.randn(*shape).astype(np.float32), "weights")

    def add(self, op: Any) -> int:
        """Add an operator and return its output's index."""
        self.graph.operators.append(op)
        return int(op.outputs[0])

    def conv(self, name: str, x: int, out: int, kernel=(1, 1), stride=(1, 1)) -> int:
        """Add a convolution of ``out`` channels, padded to the same size."""
        _, height, width, depth = self.builder.shape(x)
        options = S.Conv2DOptionsT()
        options.strideH, options.strideW = stride
        options.dilationHFactor = options.dilationWFactor = 1
        y = self.tensor((1, -(-height // stride[0]), -(-width // stride[1]), out), name)
        inputs = [x, self.weights(out, *kernel, depth), self.weights(out)]
        return self.add(self.builder.make_operator("CONV_2D", inputs, y, options))

    def depthwise(self, name: str, x: int, kernel: tuple[int, int]) -> int:
        """Add a depthwise convolution of stride 1, padded to the same size."""
        shape = self.builder.shape(x)
        options = S.DepthwiseConv2DOptionsT()
        options.strideH = options.strideW = options.depthMultiplier = 1
        options.dilationHFactor = options.dilationWFactor = 1
        inputs = [x, self.weights(1, *kernel, shape[3]), self.weights(shape[3])]
        y = self.tensor(shape, name)
        return self.add(self.builder.make_operator("DEPTHWISE_CONV_2D", inputs, y, options))

    def view(self, name: str, x: int, *shape: int) -> int:
        """Add a reshape."""
        return self.add(make_reshape(self.builder, x, self.tensor(shape, name)))

    def pairwise(self, name: str, kind: str, a: int, b: int) -> int:
        """Add the product or the sum of two tensors."""
        options = S.MulOptionsT() if kind == "MUL" else S.AddOptionsT()
        y = self.tensor(self.builder.shape(a), name)
        return self.add(self.builder.make_operator(kind, [a, b], y, options, version=2))

    def joined(self, name: str, x: int) -> int:
        """Add the concatenation of a tensor with itself, over its channels."""
        *front, channels = (int(n) for n in self.builder.shape(x))
        y = self.tensor((*front, 2 * channels), name)
        return self.add(make_concatenation(self.builder, [x, x], y, axis=3))

    def full(self, name: str, x: int, out: int) -> int:
        """Add a fully connected layer of ``out`` channels that keeps the dimensions."""
        *front, depth = (int(n) for n in self.builder.shape(x))
        options = S.FullyConnectedOptionsT()
        options.keepNumDims = True
        inputs = [x, self.weights(out, depth), self.weights(out)]
        y = self.tensor((*front, out), name)
        return self.add(
            self.builder.make_operator("FULLY_CONNECTED", inputs, y, options, version=5)
        )

    def counted(self) -> dict[str, int]:
        """Return instructions by operator."""
        read = {int(i) for op in self.graph.operators for i in op.inputs}
        ends = [int(op.outputs[0]) for op in self.graph.operators]
        self.graph.inputs = np.array(self.graph.inputs, np.int32)
        self.graph.outputs = np.array([i for i in ends if i not in read], np.int32)
        params = BenchParams(profile=True)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "operators.tflite"
            path.write_bytes(flatbuffer.dump(self.model))
            launch = open_runner("qemu:cortex-a76", params).launch(path, params)
        assert launch.instructions is not None
        return {op.name: op.total for op in launch.instructions.operators}


def bench() -> Bench:
    """Return the model with every operator that IDEAS names."""
    b = Bench()
    image = b.input(1, 224, 224, 3)
    b.conv("stem", image, 16, (3, 3), (2, 2))
    b.conv("stem pairs", b.view("stem view", image, 1, 224, 112, 6), 16, (3, 2), (2, 1))
    b.conv("stem four", b.input(1, 224, 224, 4), 16, (3, 3), (2, 2))
    small = b.input(1, 28, 28, 72)
    for kernel in ((1, 5), (5, 1), (5, 5), (1, 4), (1, 1)):
        b.depthwise(f"{kernel[0]}x{kernel[1]}", small, kernel)
    b.pairwise("sum", "ADD", small, b.input(1, 28, 28, 72))
    gate = b.view("rows gate", b.joined("pair", small), 1, 28, 1, 4032)
    b.pairwise("rows mul", "MUL", b.input(1, 28, 2, 4032), gate)
    b.pairwise("both mul", "MUL", b.input(28, 2, 28, 2, 72), b.input(28, 1, 28, 1, 72))
    eight, sixteen = b.input(1, 112, 112, 8), b.input(1, 112, 112, 16)
    b.conv("to 8", sixteen, 8)
    b.conv("to 16", sixteen, 16)
    b.conv("to 24", sixteen, 24)
    b.conv("half to 24", eight, 24)
    b.depthwise("dw 8", eight, (3, 3))
    b.depthwise("dw 16", sixteen, (3, 3))
    b.joined("joined 8", eight)
    b.pairwise("sum 24", "ADD", b.input(1, 112, 112, 24), b.input(1, 112, 112, 24))
    middle = b.input(1, 28, 28, 80)
    b.conv("to 36", middle, 36)
    b.full("full 36", middle, 36)
    return b


def main() -> None:
    """Print a row an idea."""
    counts = bench().counted()
    print("| idea | before (M) | after (M) |\n|---|---|---|")
    for idea, sides in IDEAS.items():
        before, after = (sum(counts[name] for name in side) / 1e6 for side in sides)
        print(f"| {idea} | {before:.2f} | {after:.2f} |")


if __name__ == "__main__":
    main()
