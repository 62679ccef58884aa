"""A float TFLite file in a calibrated precision, with its error report."""

from __future__ import annotations

from dataclasses import replace

from ghostdeploy import flatbuffer
from ghostdeploy.commands.quantize.cost import measure_float_cost
from ghostdeploy.commands.quantize.mixed import choose_float_blocks
from ghostdeploy.commands.quantize.plan import QuantizationPlan, QuantizedModel
from ghostdeploy.commands.quantize.quantizer import TfliteQuantizer
from ghostdeploy.errors import InputFileError, error_line
from ghostdeploy.lowering import apart
from ghostdeploy.lowering.inference import tell_refusal
from ghostdeploy.progress import Progress, divide, ignore_progress
from ghostdeploy.quantization import ranges


def quantize_tflite(
    model: bytes, plan: QuantizationPlan, progress: Progress = ignore_progress
) -> QuantizedModel:
    """Quantize a float TFLite file as planned, and judge what came out.

    Raises InputFileError for a file that is not float or cannot be run, and ConversionError where
    the quantizer stops or leaves an operator in float that nobody asked to keep.
    """
    _check_one_function(model)
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


def _check_one_function(model: bytes) -> None:
    """Raise InputFileError for a file of several functions, of which one would be calibrated."""
    signatures = flatbuffer.load(model, "the model").signatureDefs or []
    if len({signature.subgraphIndex for signature in signatures}) > 1:
        names = ", ".join(s.signatureKey.decode(errors="replace") for s in signatures)
        raise InputFileError(
            f"the model has several signatures ({error_line(names)}); convert each to a file of its"
            " own, and quantize those"
        )


def _choose_ranges(
    model: bytes, plan: QuantizationPlan, progress: Progress
) -> dict[int, ranges.Range]:
    with tell_refusal("LiteRT"):
        observed = ranges.observe(model, plan.data.inputs, progress)
    return ranges.choose_ranges(model, observed, plan.options.ranges, plan.limits, plan.bounds)
