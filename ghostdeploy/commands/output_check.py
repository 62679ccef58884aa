"""Does the device compute what this machine computes? A fast wrong answer is no latency."""

from __future__ import annotations

from pathlib import Path

from ghostdeploy.errors import MeasurementError, MissingExtraError
from ghostdeploy.runners import Runner
from ghostdeploy.runners.agreement import choose_tolerance, measure_agreement
from ghostdeploy.runners.host.reference import compute_reference
from ghostdeploy.schema import Artifact, BenchParams, OutputCheck


def check_output(runner: Runner, artifact: Artifact, params: BenchParams) -> OutputCheck:
    """Give the device and LiteRT on this machine the same input, and compare what comes out.

    Raises MeasurementError where they differ: no number of such a model may be reported.
    """
    path = Path(artifact.path)
    if not runner.writes_outputs:
        return OutputCheck(why_not="the program there cannot write its outputs")
    try:
        here = compute_reference(
            path,
            xnnpack=params.xnnpack,
            shapes=params.input_shapes,
            input_range=params.input_range,
        )
    except MissingExtraError as error:
        return OutputCheck(why_not=str(error))
    there = runner.output(path, params, here.inputs)
    half = params.fp16 or bool(params.delegate) or artifact.precision == "fp16"
    limit = choose_tolerance(quantized=here.quantized, half=half)
    try:
        found = measure_agreement(there, here.outputs)
    except MeasurementError as error:
        raise MeasurementError(f"{path}: {error}") from error
    if found.rel_l2 > limit:
        raise MeasurementError(
            f"{path}: the device computes something else than {here.runtime} here (relative L2"
            f" {found.rel_l2:.1e}, allowed {limit:.0e}); its latency would be of a wrong result"
        )
    return OutputCheck(here.runtime, found.rel_l2, limit)
