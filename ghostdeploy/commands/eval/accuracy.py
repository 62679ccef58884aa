"""From answers to accuracies, and to what two classifiers make of the same images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ghostdeploy.decision.thresholds import MOST_DB
from ghostdeploy.schema import Interval
from ghostdeploy.stats import proportions

SAME = 1e-9  # relative: sums of squares in float64
Best = Sequence[Sequence[int]]  # the best classes for each image, best first


@dataclass(frozen=True)
class Accuracy:
    """One model on the usable images; ``per_class`` is (right, images) in the classes' order."""

    name: str
    top1: Interval
    top5: Interval
    images: int
    per_class: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Paired:
    """A model against the base on the same images. ``difference`` of top-1 is a share.

    ``snr_db`` is of the outputs, against the base's. ``constant`` names those whose output is the
    same for every image: agreement with it proves nothing.
    """

    name: str
    base: str
    difference: Interval
    only_base: int
    only_this: int
    agreement: float
    p_value: float
    snr_db: float | None = None
    constant: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """All models on one set of images; ``paired`` against the base where there is one."""

    data: str
    classes: tuple[str, ...]
    accuracies: tuple[Accuracy, ...]
    paired: tuple[Paired, ...]
    skipped: str
    progress_file: str


def measure_accuracy(name: str, best: Best, truth: Sequence[int], classes: int) -> Accuracy:
    """Count how often the right class is the best answer, and among the five best.

    ``truth`` is the right class of each image.
    """
    right = [b[0] == t for b, t in zip(best, truth, strict=True)]
    five = sum(t in b for b, t in zip(best, truth, strict=True))
    per_class = [[0, 0] for _ in range(classes)]
    for good, label in zip(right, truth, strict=True):
        per_class[label][0] += good
        per_class[label][1] += 1
    return Accuracy(
        name=name,
        top1=proportions.wilson_interval(sum(right), len(truth)),
        top5=proportions.wilson_interval(five, len(truth)),
        images=len(truth),
        per_class=tuple((good, total) for good, total in per_class),
    )


def compare_pair(name: str, base: str, first: Best, second: Best, truth: Sequence[int]) -> Paired:
    """Compare ``second``, the answers of ``name``, with ``first``, those of ``base``."""
    pairs = [(a[0], b[0], t) for a, b, t in zip(first, second, truth, strict=True)]
    only_base = sum(a == t != b for a, b, t in pairs)
    only_this = sum(b == t != a for a, b, t in pairs)
    return Paired(
        name=name,
        base=base,
        difference=proportions.difference_interval(only_base, only_this, len(truth)),
        only_base=only_base,
        only_this=only_this,
        agreement=sum(a == b for a, b, _ in pairs) / len(truth),
        p_value=proportions.mcnemar_exact(only_base, only_this),
    )


def add_outputs(
    pair: Paired, first: Sequence[Sequence[float]], second: Sequence[Sequence[float]]
) -> Paired:
    """Add what the outputs tell: for each image (Σx², Σ(x − y)²) of the base's y and of x.

    The SNR is 10·log₁₀(Σy² / Σ(x − y)²) in dB over all images, within ±200.
    """
    signal, noise = sum(y[0] for y in first), sum(x[1] for x in second)
    sides = ((pair.base, first), (pair.name, second))
    constant = tuple(name for name, rows in sides if _constant([row[0] for row in rows]))
    return replace(pair, snr_db=_to_db(signal, noise), constant=constant)


def _to_db(signal: float, noise: float) -> float:
    if not math.isfinite(signal + noise):
        return -MOST_DB
    ratio = max(signal, 1e-30) / max(noise, 1e-60)
    return min(MOST_DB, max(-MOST_DB, 10 * math.log10(ratio)))


def _constant(energies: Sequence[float]) -> bool:
    """Return whether several outputs are the same: outputs that differ differ in Σx² as well."""
    return len(energies) > 1 and max(energies) - min(energies) <= SAME * max(energies)
