"""Precisions, as a literal table: what each makes of weights, activations, inputs and outputs."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from pathlib import Path

from ghostdeploy.errors import UsageError


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

# The rewrites (export.rewrites) of the float form that is quantized, and of what came out. Those
# that only buy time in fp32 are left out: in int8 each operator more is one rounding more.
FLOAT_REWRITES = ("nearest-floor", "nearest-depth", "clip-relu", "pad-same", "depthwise")
INT8_REWRITES = ("nearest-depth", "clip-relu", "pool-depthwise", "pad-same", "depthwise")
INT16_LACKS = ("nearest-depth",)  # DEPTH_TO_SPACE


def float_rewrites(precision: str) -> tuple[str, ...] | None:
    """What is applied to the float TFLite form; None where it is not quantized."""
    row = recipe(precision)
    if not row.calibrated:
        return None
    lacking = INT16_LACKS if row.activations == "int16" else ()
    return tuple(name for name in FLOAT_REWRITES if name not in lacking)


def recipe(precision: str) -> Recipe:
    """The row called ``precision``. Raises UsageError with the names that there are."""
    try:
        return RECIPES[precision]
    except KeyError:
        known = ", ".join(RECIPES)
        raise UsageError(f"precision must be one of {known}, not {precision!r}") from None


def calibrated_recipe(precision: str) -> Recipe:
    """``recipe`` of one that needs images. Raises UsageError for another."""
    found = recipe(precision)
    if not found.calibrated:
        known = ", ".join(name for name, row in RECIPES.items() if row.calibrated)
        raise UsageError(
            f"{precision} needs no calibration: use ghostdeploy export --precision {precision}"
            f" (quantize makes {known})"
        )
    return found


RANGES = ("minmax", "percentile", "mse")


@dataclass(frozen=True)
class QuantizeOptions:
    """How a calibrated precision is made; the defaults are what docs/int8.md measured best.

    ``calibration`` is a folder of images, a .npy or .npz, None for synthetic images. ``ranges``
    is how an activation's range is chosen, ``equalize`` evens out channels before conversion
    (of a network; a file is what it is). ``keep_float`` layers stay in fp32, and as
    many more blocks as an output SNR needs: of ``auto_mixed`` dB, or at most ``max_snr_loss`` dB
    below what every block in float gives.
    """

    calibration: Path | None = None
    size: int = 128
    seed: int = 0
    crop: float = 0.875
    ranges: str = "minmax"
    per_channel: bool = True
    equalize: bool = True
    keep_float: tuple[str, ...] = ()
    auto_mixed: float | None = None
    max_snr_loss: float | None = None

    def __post_init__(self) -> None:
        if self.ranges not in RANGES:
            raise UsageError(f"ranges must be one of {', '.join(RANGES)}, not {self.ranges!r}")
        if not 0.1 <= self.crop <= 1.0:
            raise UsageError(f"crop must be 0.1 to 1 of the image, not {self.crop}")
        if self.auto_mixed is not None and self.max_snr_loss is not None:
            raise UsageError("auto-mixed and max-snr-loss are two ways to say one thing; give one")
        for name in ("auto_mixed", "max_snr_loss"):
            if not 0 <= (value := getattr(self, name) or 0.0) < inf:
                raise UsageError(f"{name.replace('_', '-')} must be 0 or more dB, not {value}")
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"calibration-seed must be 0 to 2**32-1, not {self.seed}")

    @property
    def mixed(self) -> bool:
        """Whether blocks that are kept in float are to be looked for."""
        return self.auto_mixed is not None or self.max_snr_loss is not None

    @property
    def switches(self) -> tuple[str, ...]:
        """What is on, in words for a sidecar."""
        return (
            f"ranges={self.ranges}",
            "per-channel" if self.per_channel else "per-tensor",
            *(("equalize",) if self.equalize else ()),
            *((f"auto-mixed={self.auto_mixed:g}",) if self.auto_mixed is not None else ()),
            *((f"max-snr-loss={self.max_snr_loss:g}",) if self.max_snr_loss is not None else ()),
        )


def check_mixed(precision: str, options: QuantizeOptions) -> None:
    """Raises UsageError for float layers in a precision whose quantizer knows none."""
    if recipe(precision).activations == "int16" and (options.keep_float or options.mixed):
        raise UsageError(
            f"{precision} keeps no layer in float; leave out --keep-float and the like"
        )
    if "tflite" not in recipe(precision).formats and options.mixed:
        raise UsageError(f"{precision} is not searched for float blocks; name them: --keep-float")
