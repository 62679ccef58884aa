"""How fast work goes on, and how long the rest will take."""

from __future__ import annotations

import math

LEAP, INSTANT_S = 0.02, 0.1  # more of the work than this in less time was there already
MEMORY_S = 60.0  # a pace of so long ago counts about a third
EARLY_S = 5.0  # before that, nothing is known


class Pace:
    """The pace of one piece of work, of which a ``share`` is done. Times are in seconds."""

    def __init__(self, now_s: float) -> None:
        self.begun_s = self._last_s = now_s
        self.share = self._spent_s = self._worked = 0.0

    def advance(self, now_s: float, share: float) -> None:
        """Take note that ``share`` of the work is done; less than before is taken for no news."""
        step, took_s = share - self.share, now_s - self._last_s
        if step <= 0:
            return
        if step <= LEAP or took_s >= INSTANT_S:
            faded = math.exp(-took_s / MEMORY_S)
            self._spent_s = faded * self._spent_s + took_s
            self._worked = faded * self._worked + step
        self.share, self._last_s = share, now_s

    def left_s(self, now_s: float) -> float | None:
        """Return how long the rest takes at this pace, None where that cannot be told."""
        if not self._worked or now_s - self.begun_s < EARLY_S:
            return None
        rest = (1 - self.share) * self._spent_s / self._worked - (now_s - self._last_s)
        return rest if rest > 0 else None


def format_clock(seconds: float) -> str:
    """Return minutes and seconds, ``1:05``, with hours where there are any, ``1:00:05``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
