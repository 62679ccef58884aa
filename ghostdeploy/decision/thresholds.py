"""Is what a file lost within the limits that were set? Pure, as the rest of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ghostdeploy.schema.checks import check_range

MOST_DB = 200.0  # of two tensors that are equal


@dataclass(frozen=True)
class Thresholds:
    """How much a file may lose against its original; None is no limit.

    ``min_snr`` is of the outputs, in dB, ``min_agreement`` the share of images with the same best
    class, ``max_drop`` percentage points of top-1. Raises UsageError for what cannot be.
    """

    min_snr: float | None = None
    min_agreement: float | None = None
    max_drop: float | None = None

    def __post_init__(self) -> None:
        if self.min_snr is not None:
            check_range("min-snr", self.min_snr, -MOST_DB, MOST_DB, unit="dB")
        if self.min_agreement is not None:
            check_range("min-agreement", self.min_agreement, 0, 1, unit="as a share")
        if self.max_drop is not None:
            check_range("max-drop", self.max_drop, 0, 100, unit="points of top-1")

    @property
    def given(self) -> bool:
        """Whether there is any."""
        return any(v is not None for v in (self.min_snr, self.min_agreement, self.max_drop))


@dataclass(frozen=True)
class Losses:
    """What a file lost, as far as it was measured: None is not measured.

    ``snr_db`` and ``agreement`` as in Thresholds, ``drop`` in percentage points. ``proves_nothing``
    says why SNR and agreement do not count, "" where they do.
    """

    snr_db: float | None = None
    agreement: float | None = None
    drop: float | None = None
    proves_nothing: str = ""


@dataclass(frozen=True)
class ThresholdVerdict:
    """Whether a file keeps within ``limits``, and each one that it does not keep, in words."""

    passed: bool
    failures: tuple[str, ...]
    limits: Thresholds
    measured: Losses


def judge_losses(limits: Thresholds, measured: Losses) -> ThresholdVerdict:
    """Hold ``measured`` against ``limits``; what was not measured keeps no limit."""
    failures = tuple(_failures(limits, measured))
    return ThresholdVerdict(not failures, failures, limits, measured)


def _failures(limits: Thresholds, measured: Losses) -> Iterator[str]:
    if measured.proves_nothing and (limits.min_snr, limits.min_agreement) != (None, None):
        yield measured.proves_nothing
    if limits.min_snr is not None:
        if measured.snr_db is None:
            yield "SNR was not measured"
        elif not measured.snr_db >= limits.min_snr:
            yield f"SNR {measured.snr_db:.1f} dB is below {limits.min_snr:g} dB"
    if limits.min_agreement is not None:
        if measured.agreement is None:
            yield "agreement was not measured"
        elif not measured.agreement >= limits.min_agreement:
            share, least = measured.agreement, limits.min_agreement
            yield f"{share:.2%} of the answers agree, fewer than {least:.2%}"
    if limits.max_drop is not None:
        if measured.drop is None:
            yield "top-1 was not measured"
        elif not measured.drop <= limits.max_drop:
            yield f"top-1 drops by {measured.drop:.2f} points, more than {limits.max_drop:g}"
