"""What a file lost against its original, as far as it was measured, to be held against limits."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ghostdeploy.commands.artifacts import write_sidecar
from ghostdeploy.decision.thresholds import MOST_DB, Losses
from ghostdeploy.schema import Artifact, QuantizationError

if TYPE_CHECKING:
    from ghostdeploy.commands.eval import Classifier, Evaluation, Paired
    from ghostdeploy.images.labelled import LabelledImages
    from ghostdeploy.progress import Progress


def losses_of(artifact: Artifact) -> Losses:
    """Return what the artifact's error report says, or else its proof against torch."""
    made, top1 = artifact.quantization, artifact.top1_difference
    drop = None if top1 is None else -100 * top1.value
    if made is not None and made.error is not None:
        return replace(losses_of_error(made.error), drop=drop)
    if not artifact.parity:
        return Losses(drop=drop)
    worst = min(artifact.parity, key=lambda proof: -proof.rel_l2)
    return Losses(_to_db(worst.rel_l2), worst.top1_agreement, drop)


def _to_db(relative_l2: float) -> float:
    """Return a relative L2 distance as a signal-to-noise ratio: 20·log₁₀(1 / distance)."""
    return min(MOST_DB, -20 * math.log10(max(relative_l2, 1e-30)))


def losses_of_error(error: QuantizationError) -> Losses:
    """Return what an error report says."""
    return Losses(error.snr_db, error.top1_agreement, proves_nothing=describe_constant(error))


def describe_constant(error: QuantizationError) -> str:
    """Say that outputs which are the same for every image prove nothing; "" where they differ."""
    if not error.constant:
        return ""
    whose = " and ".join(error.constant)
    return f"the {whose} output is the same for all {error.inputs} images, which proves nothing"


def losses_of_pair(pair: Paired) -> Losses:
    """Return what an evaluation says of two models on the same labelled images."""
    constant = f"{' and '.join(pair.constant)} gives the same output for every image, which proves"
    return Losses(
        snr_db=pair.snr_db,
        agreement=pair.agreement,
        drop=-100 * pair.difference.value,
        proves_nothing=f"{constant} nothing" if pair.constant else "",
    )


def with_top1(
    artifact: Artifact, original: Classifier, data: LabelledImages, progress: Progress
) -> Artifact:
    """Return the artifact with its top-1 on labelled images, against the original's.

    Its sidecar is told, too. Raises what ``evaluate`` raises.
    """
    path = Path(artifact.path)
    pair = _evaluate(original, path, data, progress).paired[0]
    told = replace(artifact, top1_difference=pair.difference)
    write_sidecar(path, told)
    return told


def _evaluate(
    original: Classifier, path: Path, data: LabelledImages, progress: Progress
) -> Evaluation:
    from ghostdeploy.commands.eval import EvalRequest, evaluate, open_classifier

    with TemporaryDirectory(prefix="ghostdeploy-") as folder:
        one = open_classifier(path, original.how.crop)
        request = EvalRequest((original, one), data, Path(folder), original.name)
        return evaluate(request, progress)
