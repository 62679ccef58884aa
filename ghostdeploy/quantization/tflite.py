"""A float TFLite model → int8, through TensorFlow's quantizer in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.errors import ConversionError
from ghostdeploy.quantization import recipe
from ghostdeploy.quantization.ranges import Range, with_ranges

WORKER = "ghostdeploy.quantization.worker"
TIMEOUT_S = 1800.0


def quantize(
    model: bytes,
    precision: str,
    ranges: Mapping[int, Range],
    inputs: NDArray[np.float32],
    keep_float: Sequence[Sequence[str]] = ((),),
    *,
    per_channel: bool = True,
) -> list[bytes]:
    """Quantize ``model`` (float TFLite), once for each set of operators to keep in float.

    ``precision`` is a row of RECIPES. ``ranges`` by tensor were measured on ``inputs``
    (N, 3, H, W); operators go by their output. Raises ConversionError with the
    quantizer's last words.
    """
    wanted = recipe(precision)
    with _folder_and_worker() as (folder, process):
        ranged = with_ranges(model, ranges) if wanted.activations == "int8" else model
        (folder / "model.tflite").write_bytes(ranged)
        if wanted.activations == "int16":
            np.save(folder / "inputs.npy", np.ascontiguousarray(inputs.transpose(0, 2, 3, 1)))
        outs = [folder / f"quantized{number}.tflite" for number in range(len(keep_float))]
        jobs = [
            {
                "model": str(folder / "model.tflite"),
                "out": str(out),
                "inputs": str(folder / "inputs.npy"),
                "io": wanted.io,
                "activations": wanted.activations,
                "per_channel": per_channel,
                "keep_float": sorted(names),
            }
            for out, names in zip(outs, keep_float, strict=True)
        ]
        _finish(process, "".join(json.dumps(job) + "\n" for job in jobs), folder / "log")
        return [out.read_bytes() for out in outs]


@contextmanager
def _folder_and_worker() -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    with tempfile.TemporaryDirectory(prefix="ghostdeploy-") as name:
        folder = Path(name)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", WORKER, str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us
            )
        try:
            yield folder, process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _finish(process: subprocess.Popen[bytes], jobs: str, log: Path) -> None:
    try:
        process.communicate(jobs.encode(), TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise ConversionError(f"the quantizer did not finish in {TIMEOUT_S:.0f} s") from error
    if process.returncode != 0:
        raise ConversionError(
            f"the quantizer failed (exit {process.returncode}): {_last_words(log)}"
        )


def _last_words(log: Path) -> str:
    text = log.read_text(errors="replace")
    sys.stderr.write(text)  # into the captured log
    lines: Sequence[str] = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "rror" in line]
    return (telling or lines or ["no output"])[-1][:300]
