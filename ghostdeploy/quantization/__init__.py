"""Precisions, as a literal table: what each makes of weights, activations, inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ghostdeploy.errors import UsageError
from ghostdeploy.schema.checks import check_choice, check_range, check_seed


@dataclass(frozen=True)
class Recipe:
    """One precision. ``calibrated`` ones measure the ranges of activations on images.

    ``weights``, ``activations`` and ``io`` (the model's inputs and outputs) are number formats;
    ``formats`` the files that it comes as, ``hardware`` what likes it.
    """

    weights: str
    activations: str
    io: str
    calibrated: bool
    formats: tuple[str, ...]
    hardware: str


BOTH = ("onnx", "tflite")
# precision: weights, activations, inputs and outputs, calibrated, formats, hardware
RECIPES: dict[str, Recipe] = {
    "fp32": Recipe("fp32", "fp32", "fp32", False, BOTH, "everything"),
    "fp16": Recipe("fp16", "fp32, or fp16 where the delegate can", "fp32", False, BOTH,
                   "GPUs; half the file elsewhere"),
    "dynamic": Recipe("int8 per channel", "fp32, quantized at run time", "fp32", False, ("tflite",),
                      "a quarter of the file; slow where convolutions dominate"),
    "int8": Recipe("int8 per channel", "int8", "int8", True, ("tflite",),
                   "CPUs (XNNPACK), NPUs, DSPs, Edge TPU"),
    "int8-float-io": Recipe("int8 per channel", "int8", "fp32", True, ("tflite",),
                            "the same, for callers that feed floats"),
    "int16x8": Recipe("int8 per channel", "int16", "int16", True, ("tflite",),
                      "some NPUs and DSPs; TFLite's reference kernels elsewhere"),
    "int8-qdq": Recipe("int8 per channel", "int8", "fp32", True, ("onnx",),
                       "onnxruntime (CPU with VNNI or dot product), TensorRT, QNN"),
}  # fmt: skip

# The rewrites (lowering.rewrites) of the float graph that is quantized, and of what came out. Those
# that only buy time in fp32 are left out: in int8 each operator more is one rounding more. Of those
# for speed only INT8_SPEED is the same function in int8, bit for bit.
FLOAT_REWRITES = ("nearest-floor", "nearest-depth", "clip-relu", "pad-same", "depthwise")
INT8_REWRITES = (
    "nearest-depth", "clip-relu", "pool-depthwise", "pad-same", "depthwise", "late-concat"
)  # fmt: skip
INT8_SPEED = ("gate-broadcast",)  # takes up-samplings, and leaves others to nearest-depth
INT16_LACKS = ("nearest-depth",)  # DEPTH_TO_SPACE


def float_rewrites(precision: str, speed: Sequence[str] = ()) -> tuple[str, ...] | None:
    """Return what is applied to the float TFLite graph; None where it is not to be quantized.

    ``speed`` are the rewrites for speed that are asked for.
    """
    row = recipe(precision)
    if not row.calibrated:
        return None
    lacking = INT16_LACKS if row.activations == "int16" else ()
    if int8_rewrites(precision, speed=speed) != int8_rewrites(precision):
        lacking = ("nearest-depth",)  # the up-samplings are dealt with in int8
    return tuple(name for name in FLOAT_REWRITES if name not in lacking)


def int8_rewrites(
    precision: str, without: Sequence[str] = (), speed: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return what is applied to the quantized TFLite graph: only to int8.

    int16 kernels lack what the rewrites use. ``without`` are those to leave out, ``speed`` those
    for speed that are asked for.
    """
    if recipe(precision).activations != "int8":
        return ()
    wanted = (*INT8_REWRITES, *(name for name in INT8_SPEED if name in speed))
    return tuple(name for name in wanted if name not in without)


def recipe(precision: str) -> Recipe:
    """Return the row called ``precision``. Raises UsageError with the names that there are."""
    check_choice("precision", precision, RECIPES)
    return RECIPES[precision]


def calibrated_recipe(precision: str) -> Recipe:
    """Return the row of a precision that needs images. Raises UsageError for another."""
    found = recipe(precision)
    if not found.calibrated:
        known = ", ".join(name for name, row in RECIPES.items() if row.calibrated)
        raise UsageError(
            f"{precision} needs no calibration: use ghostdeploy export --precision {precision}"
            f" (quantize makes {known})"
        )
    return found


RANGES = ("minmax", "percentile", "mse", "bn")
HALVES = ("joined", "apart")
INPUT_TYPES = ("int8", "uint8")
OF_INT8_TFLITE = {"ranges=bn", "bias-correction", "halves=apart"}  # switches


@dataclass(frozen=True)
class QuantizeOptions:
    """How a calibrated precision is made; the defaults are what docs/int8.md measured best.

    ``calibration`` is a folder of images, a .npy or .npz, None for synthetic images. ``ranges``
    is how an activation's range is chosen (``bn`` needs the network), ``equalize`` evens out
    channels before conversion (of a network; a file is what it is), ``bias_correction`` restores
    their means afterwards, ``halves`` of a Ghost module share a scale or are kept apart.
    ``input_type`` uint8 takes camera frames; ``output_type`` is what comes out. ``keep_float``
    layers stay in fp32, and as many more blocks as an output SNR needs: of ``auto_mixed`` dB, or at
    most ``max_snr_loss`` dB below what every block in float gives.
    """

    calibration: Path | None = None
    size: int = 128
    seed: int = 0
    crop: float = 0.875
    ranges: str = "minmax"
    per_channel: bool = True
    equalize: bool = True
    bias_correction: bool = False
    halves: str = "joined"
    input_type: str = "int8"
    output_type: str = "int8"
    keep_float: tuple[str, ...] = ()
    auto_mixed: float | None = None
    max_snr_loss: float | None = None

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("ranges", self.ranges, RANGES),
            ("halves", self.halves, HALVES),
            ("input-type", self.input_type, INPUT_TYPES),
            ("output-type", self.output_type, INPUT_TYPES),
        ):
            check_choice(name, value, allowed)
        check_range("crop", self.crop, 0.1, 1, unit="of the image")
        if self.auto_mixed is not None and self.max_snr_loss is not None:
            raise UsageError("auto-mixed and max-snr-loss are two ways to say one thing; give one")
        for name in ("auto_mixed", "max_snr_loss"):
            check_range(name.replace("_", "-"), getattr(self, name) or 0.0, 0, unit="dB")
        check_seed("calibration-seed", self.seed)

    @property
    def mixed(self) -> bool:
        """Whether blocks to keep in float are to be looked for."""
        return self.auto_mixed is not None or self.max_snr_loss is not None

    @property
    def switches(self) -> tuple[str, ...]:
        """What is on, in words for a sidecar."""
        return (
            f"ranges={self.ranges}",
            "per-channel" if self.per_channel else "per-tensor",
            *(("equalize",) if self.equalize else ()),
            *(("bias-correction",) if self.bias_correction else ()),
            *(("halves=apart",) if self.halves == "apart" else ()),
            *(("input=uint8",) if self.input_type == "uint8" else ()),
            *(("output=uint8",) if self.output_type == "uint8" else ()),
            *((f"auto-mixed={self.auto_mixed:g}",) if self.auto_mixed is not None else ()),
            *((f"max-snr-loss={self.max_snr_loss:g}",) if self.max_snr_loss is not None else ()),
        )

    def check(self, precision: str, *, rgb255: bool) -> None:
        """Raise UsageError for what ``precision`` cannot have.

        ``rgb255``: the model normalizes by itself.
        """
        row = recipe(precision)
        self._check_float_layers(precision, row)
        for side, type_ in (("input", self.input_type), ("output", self.output_type)):
            if type_ == "uint8" and precision != "int8":
                raise UsageError(f"a uint8 {side} goes with --precision int8, not with {precision}")
        if self.input_type == "uint8" and not rgb255:
            raise UsageError(
                "a uint8 input takes camera frames: it needs export --embed-preprocessing"
            )
        if row.activations != "int8" or "tflite" not in row.formats:
            for switch in sorted(OF_INT8_TFLITE & {*self.switches}):
                raise UsageError(f"{switch} is for int8 TFLite files, not for {precision}")

    def _check_float_layers(self, precision: str, row: Recipe) -> None:
        if row.activations == "int16" and (self.keep_float or self.mixed):
            raise UsageError(
                f"{precision} keeps no layer in float; leave out --keep-float and the like"
            )
        if "tflite" not in row.formats and self.mixed:
            raise UsageError(
                f"{precision} is not searched for float blocks; name them: --keep-float"
            )
