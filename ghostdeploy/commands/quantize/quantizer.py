"""One float TFLite model, quantized with one set of float layers or another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ghostdeploy import flatbuffer
from ghostdeploy.commands.quantize.finish import finish, refuse_float
from ghostdeploy.commands.quantize.judge import count_partitions, judge_layers, run_logits
from ghostdeploy.commands.quantize.plan import QuantizationPlan, QuantizedModel
from ghostdeploy.commands.quantize.refine import refine
from ghostdeploy.errors import UsageError
from ghostdeploy.quantization import recipe, tflite
from ghostdeploy.quantization.error import concatenation_scales, snr_db
from ghostdeploy.quantization.ranges import Range
from ghostdeploy.schema import Quantization, QuantizationError


@dataclass(frozen=True)
class TfliteQuantizer:
    """One float model and its activations' ranges, by tensor index.

    It is quantized with one set of float layers or another: modules or tensors, by their names or
    how these begin.
    """

    model: bytes
    plan: QuantizationPlan
    ranges: dict[int, Range]

    def quantize(self, keep_float: Sequence[str]) -> QuantizedModel:
        """Quantize all but ``keep_float``, and judge what came out.

        Raises UsageError for a layer that the model does not have, ConversionError where the
        quantizer stops or leaves in float what nobody asked to keep.
        """
        precision = self.plan.precision
        (data,), rewrites = self._make([keep_float])
        if not keep_float:
            refuse_float(data, precision)
        quantization = Quantization(
            method="TensorFlow's MLIR quantizer"
            if recipe(precision).activations == "int8"
            else "TensorFlow's quantizer",
            calibration=self.plan.data.identity,
            switches=self.plan.options.switches,
            kept_float=tuple(keep_float),
            error=self.judge(data),
            kernels=count_partitions(data),
        )
        return QuantizedModel(data, quantization, rewrites)

    def measure_snrs(self, keeps: Sequence[Sequence[str]]) -> list[float]:
        """Return the output SNR (dB) with each of several sets of layers in float."""
        files, held_out = self.make_files(keeps), self.plan.data.held_out
        before = run_logits(self.model, held_out)
        return [snr_db(before, run_logits(data, held_out)) for data in files]

    def make_files(self, keeps: Sequence[Sequence[str]]) -> list[bytes]:
        """Make a file with each of several sets of layers in float."""
        return self._make(keeps)[0]

    def _make(self, keeps: Sequence[Sequence[str]]) -> tuple[list[bytes], dict[str, int]]:
        plan = self.plan
        raw_files = tflite.quantize(
            self.model,
            plan.precision,
            self.ranges,
            plan.data.inputs,
            [float_nodes(self.model, keep) for keep in keeps],
            per_channel=plan.options.per_channel,
        )
        made = [finish(raw, self.model, plan) for raw in raw_files]
        inputs = plan.data.inputs
        files = [refine(data, self.model, plan.options, inputs) for data, _ in made]
        return files, made[0][1]

    def judge(self, data: bytes) -> QuantizationError:
        """Return what ``data`` lost against the float model on the images held out."""
        largest = {i: max(abs(low), abs(high)) for i, (low, high) in self.ranges.items()}
        found = judge_layers(self.model, data, self.plan.data.held_out)
        return replace(found, concatenations=concatenation_scales(self.model, largest))


def float_nodes(model: bytes, layers: Sequence[str]) -> tuple[str, ...]:
    """Return the operators (by output tensor) of ``layers``: modules or tensors, or beginnings.

    Raises UsageError for one that the model does not have.
    """
    graph = flatbuffer.load(model, "the model").subgraphs[0]
    named = (graph.tensors[op.outputs[0]] for op in graph.operators if len(op.outputs))
    names = [flatbuffer.tensor_name(tensor) for tensor in named]
    found: list[str] = []
    for layer in layers:
        own = [name for name in names if is_within(name, layer)]
        if not own:
            near = ", ".join(sorted({n.rpartition("/")[0] for n in names} - {""})[:3])
            raise UsageError(f"no layer is called {layer!r}; there are {near} …")
        found += own
    return tuple(sorted(set(found)))


def is_within(node: str, layer: str) -> bool:
    """Return whether an operator is ``layer`` itself, or lies in the module of that name."""
    return node == layer or node.startswith((f"{layer}/", f"{layer}."))
