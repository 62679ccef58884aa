"""One float TFLite model, quantized with one set of float layers or another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghostdeploy.commands.quantize.finish import finish, refuse_float
from ghostdeploy.commands.quantize.judge import error_report, kernels, logits
from ghostdeploy.commands.quantize.refine import refined
from ghostdeploy.errors import UsageError
from ghostdeploy.quantize import QuantizeOptions, recipe
from ghostdeploy.schema import Quantization, QuantizationError

if TYPE_CHECKING:
    from ghostdeploy.quantize.calibration import CalibrationData
    from ghostdeploy.quantize.ranges import Range


@dataclass(frozen=True)
class Quantized:
    """A quantized file, what it is, and what was rewritten in it."""

    data: bytes
    quantization: Quantization
    rewrites: dict[str, int]


@dataclass(frozen=True)
class Maker:
    """One float model and its ranges, to be quantized with one set of float layers or another."""

    model: bytes
    precision: str
    options: QuantizeOptions
    data: CalibrationData
    ranges: dict[int, Range]
    rewrites: tuple[str, ...]

    def make(self, keep_float: Sequence[str]) -> Quantized:
        (data,), rewrites = self._made([keep_float])
        if not keep_float:
            refuse_float(data, self.precision)
        quantization = Quantization(
            method="TensorFlow's MLIR quantizer"
            if recipe(self.precision).activations == "int8"
            else "TensorFlow's quantizer",
            calibration=self.data.identity,
            switches=self.options.switches,
            kept_float=tuple(keep_float),
            error=self.report(data),
            kernels=kernels(data),
        )
        return Quantized(data, quantization, rewrites)

    def snr_each(self, keeps: Sequence[Sequence[str]]) -> list[float]:
        """The output SNR (dB) with each of several sets of layers in float."""
        from ghostdeploy.quantize.error import snr_db

        files, held_out = self.files(keeps), self.data.held_out
        before = logits(self.model, held_out)
        return [snr_db(before, logits(data, held_out)) for data in files]

    def files(self, keeps: Sequence[Sequence[str]]) -> list[bytes]:
        """A file for each of several sets of layers in float."""
        return self._made(keeps)[0]

    def _made(self, keeps: Sequence[Sequence[str]]) -> tuple[list[bytes], dict[str, int]]:
        from ghostdeploy.quantize import tflite

        names = [float_nodes(self.model, keep) for keep in keeps]
        made = [
            finish(raw, self.model, self.precision, self.data.identity, self.rewrites)
            for raw in tflite.quantize(
                self.model,
                self.precision,
                self.ranges,
                self.data.inputs,
                names,
                per_channel=self.options.per_channel,
            )
        ]
        files = [refined(data, self.model, self.options, self.data.inputs) for data, _ in made]
        return files, made[0][1]

    def report(self, data: bytes) -> QuantizationError:
        from ghostdeploy.quantize import error

        largest = {i: max(abs(low), abs(high)) for i, (low, high) in self.ranges.items()}
        found = error_report(self.model, data, self.data.held_out)
        return replace(found, concatenations=error.concatenations(self.model, largest))


def float_nodes(model: bytes, layers: Sequence[str]) -> tuple[str, ...]:
    """The operators (by output tensor) of ``layers``: modules or tensors, by name or beginning.

    Raises UsageError for one that the model does not have.
    """
    from ghostdeploy import flatbuffer

    graph = flatbuffer.load(model, "the model").subgraphs[0]
    names = [(graph.tensors[op.outputs[0]].name or b"").decode() for op in graph.operators]
    found: list[str] = []
    for layer in layers:
        own = [name for name in names if belongs(name, layer)]
        if not own:
            near = ", ".join(sorted({n.rpartition("/")[0] for n in names} - {""})[:3])
            raise UsageError(f"no layer is called {layer!r}; there are {near} …")
        found += own
    return tuple(sorted(set(found)))


def belongs(node: str, layer: str) -> bool:
    return node == layer or node.startswith((f"{layer}/", f"{layer}."))
