"""What ``ghostdeploy export`` is asked for, and the file name that it lands under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ghostdeploy.errors import UsageError
from ghostdeploy.images.normalization import BYTES, published_normalization
from ghostdeploy.lowering.converters import WORKER
from ghostdeploy.lowering.rewrites import Form
from ghostdeploy.quantization import QuantizeOptions, Recipe, float_rewrites, int8_rewrites, recipe
from ghostdeploy.schema import Artifact, ExportOptions, ForeignSpec, ModelSpec, Normalization
from ghostdeploy.schema.checks import check_choice, check_seed
from ghostdeploy.sources.reference import NetworkReference

if TYPE_CHECKING:
    from ghostdeploy.images.preprocessing import Preprocessing

FORMATS = ("onnx", "tflite")
CHECKPOINTS = (".pth", ".pt", ".tar", ".safetensors", ".bin", ".ckpt")
SLUG_LENGTH = 40


@dataclass(frozen=True)
class ExportRequest:
    """What to export. ``weights`` is a checkpoint, None for seeded weights.

    ``spec`` is a network of the zoo, a reference to one of the user's, or that one as it was found.
    ``quantize`` says how a calibrated precision is made; the others make nothing of it.

    Raises UsageError for an unknown format or precision, or labels that do not fit.
    """

    spec: ModelSpec | NetworkReference | ForeignSpec
    formats: tuple[str, ...] = FORMATS
    precision: str = "fp32"
    weights: Path | None = None
    seed: int = 0
    export: ExportOptions = ExportOptions()
    out: Path = Path("models")
    force: bool = False
    quantize: QuantizeOptions = QuantizeOptions()

    def __post_init__(self) -> None:
        self._check_formats()
        if self.recipe.calibrated:
            self._check_calibrated()
        check_seed("seed", self.seed)
        if isinstance(self.spec, NetworkReference):
            return  # the rest is known once it is loaded
        if isinstance(self.spec, ForeignSpec):
            self._check_foreign(self.spec)
        elif "tflite" in self.formats and getattr(self.spec.options, "up", "") == "bicubic":
            raise UsageError("TFLite has no bicubic resize; use --format onnx or up=bilinear")
        self._check_labels(self.spec.num_classes)

    def _check_formats(self) -> None:
        come = self.recipe.formats
        for format in self.formats:
            check_choice("format", format, FORMATS)
            if format not in come:
                raise UsageError(f"{self.precision} comes as {', '.join(come)}, not as {format}")
        if "tflite" in self.formats and self.precision in WORKER.refused:
            raise UsageError(
                f"{self.precision} is made on Python 3.10 or 3.11: the converter for newer ones"
                " gets it wrong"
            )

    def _check_calibrated(self) -> None:
        if self.export.features:
            raise UsageError(f"{self.precision} is judged by its logits: leave out --features")
        self.quantize.check(self.precision, rgb255=self.export.embed_preprocessing)

    def _check_foreign(self, spec: ForeignSpec) -> None:
        if self.export.features:
            raise UsageError("--features is for networks of the zoo; let yours give the maps")
        if self.recipe.calibrated:
            spec.required_normalization(f"{self.precision}, which is calibrated on images,")
        if self.export.embed_preprocessing:
            spec.required_normalization("--embed-preprocessing")
        if (self.export.softmax or self.export.labels) and spec.num_classes is None:
            shapes = ", ".join("x".join(map(str, shape)) for shape in spec.output_shapes)
            raise UsageError(
                f"{spec.source} gives {shapes}, not one output of classes: leave out --softmax"
                " and --labels"
            )

    def _check_labels(self, classes: int | None) -> None:
        labels = len(self.export.labels)
        if self.export.features and (labels or self.export.softmax):
            raise UsageError("feature maps have no classes: leave out --softmax and --labels")
        if labels not in (0, classes):
            raise UsageError(f"{labels} labels do not fit {classes} classes")

    @property
    def recipe(self) -> Recipe:
        """The row of ``quantization.RECIPES`` of the precision."""
        return recipe(self.precision)

    @property
    def zoo_spec(self) -> ModelSpec:
        """The network of the zoo that it asks for."""
        assert isinstance(self.spec, ModelSpec)
        return self.spec

    @property
    def found_spec(self) -> ModelSpec | ForeignSpec:
        """The network, which a reference only leads to."""
        assert not isinstance(self.spec, NetworkReference)
        return self.spec

    @property
    def normalization(self) -> Normalization | None:
        """What the file takes, None where nobody says so."""
        if isinstance(self.spec, ForeignSpec):
            return BYTES if self.export.embed_preprocessing else self.spec.normalization
        return published_normalization(self.export.embed_preprocessing)

    @property
    def preprocessing(self) -> Preprocessing:
        """The way from a picture to the model's input. Raises UsageError where nobody knows it."""
        from ghostdeploy.images.preprocessing import Preprocessing

        spec, normalization = self.found_spec, self.normalization
        if isinstance(spec, ForeignSpec) and normalization is None:
            normalization = spec.required_normalization("reading pictures for it")
        assert normalization is not None
        return Preprocessing(spec.resolution, normalization, self.quantize.crop)

    @property
    def rewrites(self) -> tuple[str, ...]:
        """The rewrites of the float TFLite graph.

        One that is to be quantized has fewer of them: each operator rounds once more.
        """
        quantized = float_rewrites(self.precision, self.export.speed)
        if quantized is None:
            return form_of(self.export).names
        return tuple(name for name in quantized if name not in self.export.without)

    @property
    def int8_rewrites(self) -> tuple[str, ...]:
        """The rewrites of the quantized TFLite graph."""
        return int8_rewrites(self.precision, self.export.without, self.export.speed)

    def path(self, format: str) -> Path:
        """Return where the file lands: the name says what is inside."""
        parts = [self.found_spec.name, self.precision]
        seeded = isinstance(self.spec, ModelSpec)
        parts += [
            word
            for word, wanted in (
                ("features", self.export.features),
                ("softmax", self.export.softmax),
                ("rgb255", self.export.embed_preprocessing),
                (_bytes_word(self.quantize), self.precision == "int8"),
                (f"seed{self.seed}", seeded and self.seed and self.weights is None),
                (_slug(self.weights), self.weights is not None),
                (form_of(self.export).title, format == "tflite"),
            )
            if word and wanted
        ]
        return self.out / f"{'_'.join(parts)}.{format}"


@dataclass(frozen=True)
class ExportResult:
    """One exported file. ``reused`` when it was there already with the same content key."""

    artifact: Artifact
    reused: bool


def count_steps(formats: Sequence[str]) -> int:
    """Return how many steps a caller is told of while files of ``formats`` are made."""
    return 2 + len(formats)


def form_of(export: ExportOptions) -> Form:
    """Return which rewrites the TFLite graph gets."""
    return Form(export.without, export.speed)


def _bytes_word(options: QuantizeOptions) -> str:
    """Return what tells an int8 file that takes bytes, or gives them too, from others."""
    if options.output_type == "uint8":
        return "uint8-io"
    return "uint8" if options.input_type == "uint8" else ""


def _slug(path: Path | None) -> str:
    """Return the checkpoint's name without its endings; v0.1 and v0.2 are not one file."""
    stem = path.name if path else ""
    while stem.endswith(CHECKPOINTS):
        stem = stem.rpartition(".")[0]
    safe = (c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in stem)
    return "".join(safe)[:SLUG_LENGTH]
