"""A float TFLite file in a calibrated precision, with its error report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ghostdeploy.commands.quantize.cost import float_cost
from ghostdeploy.commands.quantize.mixed import float_blocks
from ghostdeploy.commands.quantize.quantizer import Maker, Quantized
from ghostdeploy.errors import InputFileError
from ghostdeploy.progress import Progress, silent
from ghostdeploy.quantize import QuantizeOptions, int8_rewrites

if TYPE_CHECKING:
    from ghostdeploy.images.decoding import Preprocessing
    from ghostdeploy.quantize.calibration import CalibrationData
    from ghostdeploy.quantize.ranges import Range


def quantize_tflite(
    model: bytes,
    precision: str,
    options: QuantizeOptions,
    how: Preprocessing,
    data: CalibrationData,
    progress: Progress = silent,
    bounds: Mapping[str, Range] | None = None,
    rewrites: tuple[str, ...] | None = None,
) -> Quantized:
    """A float TFLite file of ours in a calibrated ``precision``, with its error report.

    ``bounds`` limit the ranges of modules, ``rewrites`` are those of the quantized graph, None for
    the default ones. Raises InputFileError for a file that is not float or
    cannot be run, and ConversionError where the quantizer stops or leaves an operator in float
    that nobody asked to keep.
    """
    from ghostdeploy.export import apart
    from ghostdeploy.quantize import ranges

    if options.halves == "apart":
        model = apart.keep_apart(model)
    try:
        observed = ranges.observe(model, data.inputs, progress)
    except (RuntimeError, ValueError) as error:
        line = str(error).strip().split("\n", 1)[0][:160]
        raise InputFileError(f"the model cannot be run here to calibrate it: {line}") from error
    picked = ranges.chosen(model, observed, options.ranges, how.limits, bounds)
    wanted = int8_rewrites(precision) if rewrites is None else rewrites
    maker = Maker(model, precision, options, data, picked, wanted)
    kept = float_blocks(maker, progress) if options.mixed else options.keep_float
    made = maker.make(kept)
    if not kept:
        return made
    (whole,) = maker.files([()])
    cost = float_cost(made.data, whole, model, "tflite", progress)
    return replace(made, quantization=replace(made.quantization, cost=cost))
