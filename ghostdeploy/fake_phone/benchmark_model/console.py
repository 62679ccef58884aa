"""What the program prints, and how it gives up."""

from __future__ import annotations


class BenchmarkFailed(Exception):
    """The program gives up: ``args`` are lines for stderr, the exit code is 1."""


def say(text: str) -> None:
    """Print one line as TFLite's logger of level INFO does."""
    print(f"INFO: {text}", flush=True)
