"""How work that takes long tells what it is at."""

from __future__ import annotations

from collections.abc import Callable

# Told before each step: how many are done, of how many in all, and which comes next.
Progress = Callable[[int, int, str], None]


def ignore_progress(done: int, total: int, text: str) -> None:
    """Tell nothing: the Progress of a caller that does not want any."""


def report_tenths(progress: Progress, done: int, total: int, text: str) -> None:
    """Tell of long counts only now and then: a log should not have a line for every image."""
    if done % max(1, total // 10) == 0:
        progress(done, total, text)
