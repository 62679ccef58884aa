"""How work that takes long tells what it is at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

# Told before each step: how much is done, of how much in all, and which comes next. Within one
# command the total stays the same and what is done never gets less, as far as there are several
# parts: see ``divide``.
Progress = Callable[[int, int, str], None]
WHOLE = 10_000  # what a divided piece of work counts up to: hundredths of a percent


def ignore_progress(done: int, total: int, text: str) -> None:
    """Tell nothing: the Progress of a caller that does not want any."""


def report_tenths(progress: Progress, done: int, total: int, text: str) -> None:
    """Tell of long counts only now and then: a log should not have a line for every image."""
    if done % max(1, total // 10) == 0:
        progress(done, total, text)


def divide(
    progress: Progress, weights: Sequence[float], *, side_by_side: bool = False
) -> list[Progress]:
    """Return a Progress for each part of a piece of work, of about these ``weights`` in time.

    Each part counts as it likes, and may be divided again; ``progress`` is told of the whole,
    out of WHOLE, and never of less than before. Parts come one after the other, so that one is
    over once a later one says something, or run ``side_by_side``.
    """
    return _Whole(progress, tuple(weights), side_by_side).parts()


class _Whole:
    """The sum of several parts. Its parts may speak from threads of their own."""

    def __init__(self, progress: Progress, weights: tuple[float, ...], side_by_side: bool) -> None:
        self.progress, self.weights, self.side_by_side = progress, weights, side_by_side
        self.shares = [0.0] * len(weights)
        self.told = 0
        self.lock = threading.Lock()

    def parts(self) -> list[Progress]:
        return [self._part(number) for number in range(len(self.weights))]

    def _part(self, number: int) -> Progress:
        def tell(done: int, total: int, text: str) -> None:
            with self.lock:
                self._set(number, done / total if total > 0 else 0.0)
                self.progress(self.told, WHOLE, text)

        return tell

    def _set(self, number: int, share: float) -> None:
        if not self.side_by_side:
            self.shares[:number] = [1.0] * number
        self.shares[number] = max(self.shares[number], min(1.0, share))
        whole = sum(w * s for w, s in zip(self.weights, self.shares, strict=True))
        self.told = max(self.told, int(WHOLE * whole / max(sum(self.weights), 1e-9)))
