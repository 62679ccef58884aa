"""A model file, how it came to be, and the proof that it is the torch network."""

from __future__ import annotations

from dataclasses import dataclass, field

from ghostdeploy.schema.foreign import ForeignSpec
from ghostdeploy.schema.interval import Interval
from ghostdeploy.schema.model import ExportOptions, ModelSpec
from ghostdeploy.schema.normalization import Normalization
from ghostdeploy.schema.quantization import Quantization


@dataclass(frozen=True)
class Parity:
    """How far one form of a model is from its torch original, over ``inputs`` inputs.

    ``max_abs`` and ``rel_l2`` (‖a−b‖₂/‖b‖₂) are the worst over all inputs and outputs.
    ``top1_agreement`` is a share, None for feature maps. ``layers`` inner tensors were compared
    too, of which ``worst_layer`` was the farthest off.
    """

    subject: str
    runtime: str
    inputs: int
    max_abs: float
    rel_l2: float
    top1_agreement: float | None
    tolerance_rel_l2: float
    passed: bool
    layers: int = 0
    worst_layer: str = ""
    worst_layer_rel_l2: float = 0.0
    tolerance_layer_rel_l2: float = 0.0


@dataclass(frozen=True)
class Artifact:
    """A model file and how it came to be. ``spec`` is None for a file that we did not export.

    ``weights`` is ``seed:N`` or ``sha256:…`` of the checkpoint file; ``content_key`` identifies
    everything that went in (spec, weights, options, tools). ``normalization`` is what the file
    expects of a picture, None where ``spec`` and ``export`` say it or nothing is known.
    ``top1_difference`` is the share of top-1 that it has more than its original on labelled
    images, None where that was not measured.
    """

    path: str
    sha256: str
    size_bytes: int
    format: str
    precision: str
    spec: ModelSpec | ForeignSpec | None = None
    export: ExportOptions = ExportOptions()
    weights: str = ""
    content_key: str = ""
    tool_versions: dict[str, str] = field(default_factory=dict)
    macs: int | None = None
    params: int | None = None
    op_counts: dict[str, int] = field(default_factory=dict)
    rewrites: tuple[str, ...] = ()
    parity: tuple[Parity, ...] = ()
    quantization: Quantization | None = None
    normalization: Normalization | None = None
    top1_difference: Interval | None = None

    @property
    def zoo_spec(self) -> ModelSpec | None:
        """The network of the zoo that it is, None of any other."""
        return self.spec if isinstance(self.spec, ModelSpec) else None

    @property
    def truth(self) -> str:
        """What computed what it was compared with."""
        given_onnx = isinstance(self.spec, ForeignSpec) and self.spec.source.endswith(".onnx")
        return "onnxruntime" if given_onnx else "torch"

    @property
    def name(self) -> str:
        """Return what tables call it: the spec's name, or the file's."""
        stem = self.path.replace("\\", "/").rsplit("/", 1)[-1]
        return self.spec.name if self.spec else stem
