"""Fetch from the web: TFLite's published benchmark_model, and models that lie at a URL."""

from __future__ import annotations

from pathlib import Path

from android_bench.errors import FetchError
from android_bench.program.cache import NAME, locate_cache
from android_bench.program.download import download
from android_bench.program.fetch import FetchedProgram, fetch
from ghostdeploy.errors import MeasurementError
from ghostdeploy.progress import Progress

MB = 1_000_000


def fetch_program(abi: str, url: str, sha256: str, progress: Progress) -> FetchedProgram:
    """Fetch as android_bench.program.fetch does. Raises MeasurementError with the reason."""

    def tell(done: int, total: int | None) -> None:
        progress(done // MB, (total or done) // MB, f"MB of benchmark_model for {abi}")

    try:
        return fetch(abi, url, sha256, tell)
    except FetchError as error:
        raise MeasurementError(str(error)) from error


def fetch_file(url: str, path: Path, max_bytes: int) -> None:
    """Write what is at ``url`` to the new file ``path``.

    Raises MeasurementError, in one line, for whatever the network or the server does instead, and
    OSError for the file.
    """
    try:
        download(url, path, max_bytes)
    except FetchError as error:
        raise MeasurementError(f"cannot be fetched: {error}") from error


def list_fetched() -> tuple[str, ...]:
    """Return the ABIs that a program was fetched for."""
    return tuple(sorted(path.parent.name for path in locate_cache().glob(f"*/{NAME}")))
