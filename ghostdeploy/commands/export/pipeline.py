"""The files of one export: from the lowered network to what is proven, linted and written.

Heavy to import: it brings torch, onnx and NumPy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ghostdeploy import flatbuffer
from ghostdeploy.commands.artifacts import write_artifact
from ghostdeploy.commands.export.description import (
    ProvenFile,
    describe_artifact,
    facts_of,
    tflite_description,
)
from ghostdeploy.commands.export.network import ExportableNetwork, LoweredNetwork
from ghostdeploy.commands.export.request import ExportRequest, ExportResult, count_steps
from ghostdeploy.commands.proof import Candidate, describe_parity, open_onnx, open_tflite
from ghostdeploy.commands.quantize.formats import QUANTIZERS
from ghostdeploy.commands.quantize.plan import QuantizationPlan, QuantizedModel
from ghostdeploy.errors import CheckFailed
from ghostdeploy.linting import lint_graph
from ghostdeploy.linting.graph import Graph
from ghostdeploy.linting.readers.onnx_graph import add_shapes, build_onnx_graph
from ghostdeploy.linting.readers.tflite_graph import build_tflite_graph
from ghostdeploy.lowering import parity
from ghostdeploy.lowering.constants import fold_constants
from ghostdeploy.lowering.gelu import fuse_gelu
from ghostdeploy.lowering.inner_tensors import compare_inner
from ghostdeploy.lowering.onnx_models import to_fp16
from ghostdeploy.lowering.onnx_names import input_names, with_input_names
from ghostdeploy.lowering.tflite import ConvertedModel, Converter, finish_tflite
from ghostdeploy.progress import Progress, divide
from ghostdeploy.quantization.calibration import CalibrationData
from ghostdeploy.quantization.ranges import Range
from ghostdeploy.schema import ForeignSpec, GraphReport, ModelSpec, Parity

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True)
class FloatForm:
    """What a calibrated precision is made of: a float TFLite ``model``, images, BN's bounds."""

    model: bytes
    data: CalibrationData
    bounds: Mapping[str, Range] | None


@dataclass
class Export:
    """An export under way: the network of ``request``, from torch to the files.

    ``keys`` are the content keys by format, ``network`` is what is exported, ``data`` are the
    images of a calibrated precision (None for another one). ``converter`` makes TFLite of ONNX,
    None where no TFLite file is wanted. ``model`` is there once the network is lowered, and
    ``given`` is the graph that the converter makes TFLite of.
    """

    request: ExportRequest
    keys: Mapping[str, str]
    network: ExportableNetwork
    data: CalibrationData | None
    progress: Progress
    converter: Converter | None
    model: LoweredNetwork = field(init=False)
    given: ModelProto = field(init=False)

    def run(self, formats: Sequence[str]) -> dict[str, ExportResult]:
        """Make the files of ``formats``, and write each once it is proven.

        Raises ConversionError, or CheckFailed where a file is not the network's function or its
        graph breaks the DFC contract; that file is not written then.
        """
        steps = count_steps(formats)
        self.lower(steps)
        made = {}
        # ONNX is proven even when only TFLite is wanted: it is the step between, and the
        # converter is busy meanwhile.
        self.progress(2, steps, f"comparing ONNX with {self.model.truth}")
        onnx = self.make_onnx()
        if "onnx" in formats:
            made["onnx"] = self.write(onnx)
        if self.converter:
            self.progress(steps - 1, steps, "converting to TFLite")
            made["tflite"] = self.write(self.make_tflite(self.converter))
        self.progress(steps, steps, "done")
        return made

    def make_float_form(self) -> FloatForm:
        """Make what would be quantized, without proving it."""
        assert self.converter is not None
        assert self.data is not None
        self.lower(count_steps(["tflite"]))
        return FloatForm(self.convert(self.converter).data, self.data, self.model.bounds)

    def lower(self, steps: int) -> None:
        """Build the torch network, export it to ONNX, and let the converter begin with that."""
        self.progress(1, steps, "exporting to ONNX")
        self.model = self.network.lower(self.request, self.data, self.facts)
        if self.converter:
            self.given = fuse_gelu(fold_constants(self.model.model, self.model.inner))
            model = with_input_names(self.given, input_names(self.given))
            self.converter.start(model.SerializeToString(), self.request.precision)

    @property
    def facts(self) -> dict[str, str]:
        """What every file says of itself."""
        return facts_of(self.request, self.network.weights)

    def make_onnx(self) -> ProvenFile:
        """Lint and prove the ONNX graph, and quantize it where that is the precision asked for.

        Raises CheckFailed where it is not the network's function or breaks the DFC contract.
        """
        proto = self.model.model
        if self.request.precision == "fp16":
            proto = to_fp16(proto)
        data = proto.SerializeToString()
        name = self.request.path("onnx").name
        report = self.lint(build_onnx_graph(add_shapes(proto), name))
        inner = tuple(name for name in self.model.inner if name not in self.model.outputs)
        image = self.model.inputs[1]
        proof = self.prove("onnx", open_onnx(proto, data, self.model.outputs, inner, image))
        done = self.quantize("onnx", data)
        if done is None:
            return ProvenFile("onnx", data, proof, report)
        return ProvenFile("onnx", done.data, proof, report, quantization=done.quantization)

    def make_tflite(self, converter: Converter) -> ProvenFile:
        """Convert, prove, quantize where that is asked for, and lint the result.

        Raises ConversionError, and CheckFailed as ``make_onnx`` does.
        """
        finished = self.convert(converter)
        proof = self.prove("tflite", open_tflite(finished.data, self.model.inputs[1]))
        data, rewrites, quantization = finished.data, finished.rewrites, None
        done = self.quantize("tflite", data)
        if done is not None:
            data, rewrites, quantization = done.data, rewrites | done.rewrites, done.quantization
        name = self.request.path("tflite").name
        report = self.lint(build_tflite_graph(flatbuffer.load(data, name), name))
        return ProvenFile("tflite", data, proof, report, rewrites, quantization)

    def convert(self, converter: Converter) -> ConvertedModel:
        """Wait for the converted model, then rewrite, name and describe it.

        It is a float one, also for what is quantized.
        """
        graph, inputs, outputs = self.given.graph, input_names(self.given), self.model.outputs
        return finish_tflite(
            converter.finish(),
            values=[name for node in graph.node for name in node.output],
            inputs=inputs,
            outputs=outputs,
            description=tflite_description(self.request, inputs, outputs),
            facts=self.facts,
            lines=self.model.lines,
            rewrites=self.request.rewrites,
        )

    def lint(self, graph: Graph) -> GraphReport:
        """Lint a graph. Raises CheckFailed, naming the first error, for a zoo network that has any.

        A network of others is as its authors want it: its findings are told and stay.
        """
        spec = self.network.spec
        ours = spec if isinstance(spec, ModelSpec) else None
        report = lint_graph(graph, ours)
        if report.errors and ours:
            first, rest = report.errors[0], len(report.errors) - 1
            more = f" (and {rest} more)" if rest else ""
            raise CheckFailed(f"{graph.source}: {first.node}: {first.message}{more}")
        return report

    def prove(self, format: str, candidate: Candidate) -> Parity:
        """Compare a file with the torch network, outputs and inner tensors. Raises CheckFailed."""
        pairs = []
        for image, expected in zip(self.model.inputs, self.model.references, strict=True):
            got = candidate.run(image)
            pairs.append((expected, [got[name] for name in self.model.outputs]))
        precision = self._precision_of_proof(format)
        tolerance = parity.TOLERANCES[precision].layers
        layers = compare_inner(self.model.inner, candidate.inner, self.model.model, tolerance)
        proof = parity.compare(format, candidate.runtime, precision, pairs, layers)
        if not proof.passed:
            # ONNX was proven before: what is wrong now, the converter did.
            hint = "; onnx2tf goes by shapes: try another --resolution"
            raise CheckFailed(
                f"{self.request.path(format).name}: "
                f"{describe_parity(proof, layers, self.model.truth, self.model.lines)}"
                f"{hint if format == 'tflite' else ''}"
            )
        return proof

    def _precision_of_proof(self, format: str) -> str:
        # A calibrated precision is judged afterwards, against the float form that is proven here.
        if self.request.recipe.calibrated:
            return "fp32"
        if format == "onnx" and self.request.precision == "dynamic":
            return "fp32"  # the step before the converter
        return self.request.precision

    def quantize(self, format: str, data: bytes) -> QuantizedModel | None:
        """Quantize what was just proven in fp32, None where the file stays as it is."""
        if self.data is None or format not in self.request.formats:
            return None
        plan = QuantizationPlan(
            precision=self.request.precision,
            options=self.request.quantize,
            data=self.data,
            how=self.request.preprocessing,
            rewrites=self.request.int8_rewrites,
            bounds=self.model.bounds,
        )
        # The last step but one: what comes after it is quick.
        quantizing = divide(self.progress, (count_steps(self.request.formats) - 1, 1.0))[1]
        return QUANTIZERS[format](data, plan, quantizing)

    def write(self, file: ProvenFile) -> ExportResult:
        """Write a file and its sidecar."""
        key = self.keys[file.format]
        artifact = describe_artifact(self.request, file, self.network, key)
        if isinstance(artifact.spec, ForeignSpec):
            notes = (*self.model.cautions, *_tell_findings(file.report))
            artifact = replace(artifact, spec=artifact.spec.with_notes(*notes))
        written = write_artifact(self.request.path(file.format), file.data, artifact)
        return ExportResult(written, reused=False)


def _tell_findings(report: GraphReport) -> tuple[str, ...]:
    """Say how many serious findings there are; `ghostdeploy lint` tells each."""
    counts = Counter(finding.severity for finding in report.findings)
    told = [
        f"{counts[name]} {name}{'s' if counts[name] > 1 else ''}"
        for name in ("error", "warning")
        if counts[name]
    ]
    return (f"lint has {' and '.join(told)}: ghostdeploy lint tells which",) if told else ()
