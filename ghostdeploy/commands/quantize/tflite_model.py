"""A float TFLite file in a calibrated precision, with its error report."""

from __future__ import annotations

from dataclasses import replace

from ghostdeploy.commands.quantize.cost import measure_float_cost
from ghostdeploy.commands.quantize.mixed import choose_float_blocks
from ghostdeploy.commands.quantize.plan import QuantizationPlan, QuantizedModel
from ghostdeploy.commands.quantize.quantizer import TfliteQuantizer
from ghostdeploy.errors import InputFileError, error_line
from ghostdeploy.lowering import apart
from ghostdeploy.progress import Progress, divide, ignore_progress
from ghostdeploy.quantization import ranges


def quantize_tflite(
    model: bytes, plan: QuantizationPlan, progress: Progress = ignore_progress
) -> QuantizedModel:
    """Quantize a float TFLite file as planned, and judge what came out.

    Raises InputFileError for a file that is not float or cannot be run, and ConversionError where
    the quantizer stops or leaves an operator in float that nobody asked to keep.
    """
    options = plan.options
    if options.halves == "apart":
        model = apart.keep_apart(model)
    observing, choosing, measuring = divide(progress, (1.0, 3.0 * bool(options.mixed), 1.0))
    quantizer = TfliteQuantizer(model, plan, _choose_ranges(model, plan, observing))
    kept = choose_float_blocks(quantizer, choosing) if options.mixed else options.keep_float
    made = quantizer.quantize(kept)
    if not kept:
        return made
    (whole,) = quantizer.make_files([()])
    cost = measure_float_cost(made.data, whole, model, "tflite", measuring)
    return replace(made, quantization=replace(made.quantization, cost=cost))


def _choose_ranges(
    model: bytes, plan: QuantizationPlan, progress: Progress
) -> dict[int, ranges.Range]:
    try:
        observed = ranges.observe(model, plan.data.inputs, progress)
    except (RuntimeError, ValueError) as error:
        raise InputFileError(
            f"the model cannot be run here to calibrate it: {error_line(error)}"
        ) from error
    return ranges.choose_ranges(model, observed, plan.options.ranges, plan.limits, plan.bounds)
