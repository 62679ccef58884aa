"""How a calibrated precision, such as int8, is made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ghostdeploy.cli.options.arguments import option
from ghostdeploy.cli.options.completions import (
    complete_halves,
    complete_input_types,
    complete_ranges,
)

if TYPE_CHECKING:
    from ghostdeploy.quantization import QuantizeOptions


@dataclass(frozen=True)
class CalibrationArguments:
    """The images that ranges are measured on, and what is done against the loss of accuracy."""

    HEADING: ClassVar[str] = "Calibration and int8"

    calibration: Path | None = option(
        "--calibration",
        type=Path,
        metavar="DIR|FILE",
        help="Folder of images, or a .npy or .npz file, to measure the activations' ranges on;"
        " synthetic images are used without.",
    )
    calibration_size: int = option(
        "--calibration-size",
        default=128,
        show_default=True,
        help="Number of images to calibrate on.",
    )
    calibration_seed: int = option(
        "--calibration-seed",
        default=0,
        show_default=True,
        help="Seed of the choice among the images.",
    )
    crop: float = option(
        "--crop",
        default=0.875,
        show_default=True,
        help="Share of the resized image's sides that the centre crop keeps.",
    )
    ranges: str = option(
        "--ranges",
        shell_complete=complete_ranges,
        default="minmax",
        show_default=True,
        help="How to choose an activation's range: minmax, percentile, mse, or for a MODEL bn.",
    )
    per_channel: bool = option(
        "--per-channel/--per-tensor",
        default=True,
        show_default=True,
        help="Give each output channel's weights a scale of their own, or each tensor one.",
    )
    bias_correction: bool = option(
        "--bias-correction/--no-bias-correction",
        default=False,
        help="Restore the means of the channels after quantization.",
    )
    halves: str = option(
        "--halves",
        shell_complete=complete_halves,
        default="joined",
        show_default=True,
        help="Scales of a Ghost module's two halves: joined (one for both) or apart.",
    )
    input_type: str = option(
        "--input-type",
        shell_complete=complete_input_types,
        default="int8",
        show_default=True,
        help="Number format of the input: int8, or uint8 for frames as a camera gives them.",
    )
    equalize: bool = option(
        "--equalize/--no-equalize",
        default=True,
        help="Even out the ranges of a MODEL's channels before quantization.",
    )
    keep_float: tuple[str, ...] = option(
        "--keep-float",
        multiple=True,
        metavar="LAYER",
        help="Keep this module of the network in float. May be repeated.",
    )
    max_snr_loss: float | None = option(
        "--max-snr-loss",
        type=float,
        metavar="DB",
        help="Keep blocks in float until the output's SNR is at most this far below that of all"
        " blocks in float.",
    )
    auto_mixed: float | None = option(
        "--auto-mixed",
        type=float,
        metavar="DB",
        help="Keep blocks in float until the output's signal-to-noise ratio is at least this.",
    )

    @property
    def quantize_options(self) -> QuantizeOptions:
        """The same as what the quantizer takes. Raises UsageError for values that cannot be."""
        from ghostdeploy.quantization import QuantizeOptions

        return QuantizeOptions(
            calibration=self.calibration,
            size=self.calibration_size,
            seed=self.calibration_seed,
            crop=self.crop,
            ranges=self.ranges,
            per_channel=self.per_channel,
            equalize=self.equalize,
            bias_correction=self.bias_correction,
            halves=self.halves,
            input_type=self.input_type,
            keep_float=self.keep_float,
            auto_mixed=self.auto_mixed,
            max_snr_loss=self.max_snr_loss,
        )
