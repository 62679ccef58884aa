"""Does the device compute what this machine computes? A fast wrong answer is no latency."""

from __future__ import annotations

from pathlib import Path

from ghostdeploy.errors import MeasurementError, MissingExtraError
from ghostdeploy.runners import Runner
from ghostdeploy.runners.agreement import agreement
from ghostdeploy.runners.reference import Reference, reference
from ghostdeploy.types import Artifact, BenchParams, OutputCheck

# Relative L2 of the worst output. Other processors sum in another order; half precision has 11
# bits; an int8 step that rounds the other way moves a logit by its whole quantum.
TOLERANCE_FP32, TOLERANCE_FP16, TOLERANCE_INT8 = 1e-3, 5e-2, 1e-1


def check_output(runner: Runner, artifact: Artifact, params: BenchParams) -> OutputCheck:
    """Give the device and LiteRT here the same input, and compare what comes out.

    Raises MeasurementError where they differ: no number of such a model may be reported.
    """
    path = Path(artifact.path)
    if not runner.writes_outputs:
        return OutputCheck(why_not="the program there cannot write its outputs")
    try:
        here = reference(path, xnnpack=params.xnnpack)
    except MissingExtraError as error:
        return OutputCheck(why_not=str(error))
    there = runner.output(path, params, here.inputs)
    limit = tolerance(here, artifact, params)
    try:
        found = agreement(there, here.outputs)
    except MeasurementError as error:
        raise MeasurementError(f"{path}: {error}") from error
    if found.rel_l2 > limit:
        raise MeasurementError(
            f"{path}: the device computes something else than {here.runtime} here (relative L2"
            f" {found.rel_l2:.1e}, allowed {limit:.0e}); its latency would be of a wrong result"
        )
    return OutputCheck(here.runtime, found.rel_l2, limit)


def tolerance(here: Reference, artifact: Artifact, params: BenchParams) -> float:
    """The relative L2 that is allowed."""
    if here.quantized or "int" in artifact.precision or artifact.precision == "dynamic":
        return TOLERANCE_INT8
    half = params.fp16 or params.delegate or artifact.precision == "fp16"
    return TOLERANCE_FP16 if half else TOLERANCE_FP32
