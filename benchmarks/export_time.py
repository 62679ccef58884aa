"""How long a cold export takes, against the same conversion by hand. Prints a Markdown table.

By hand is what one would type without ghostdeploy: a script with torch.onnx.export, then the
onnx2tf command line (it makes fp32 and fp16 and proves nothing). The two alternate, and only
their ratio is worth quoting. Run: python benchmarks/export_time.py [rounds] (a few minutes a round)
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SCRIPT = """
import torch
from ghostdeploy import zoo
network = zoo.build(zoo.make_spec("ghostnetv2"))
torch.onnx.export(network, (torch.zeros(1, 3, 224, 224),), "model.onnx", dynamo=True)
"""
BIN = Path(sys.executable).parent
# onnx2tf would fetch this file from the web.
PLACEHOLDER = "calibration_image_sample_data_20x128x128x3_float32.npy"


def by_hand(folder: Path) -> None:
    """Convert as one would without ghostdeploy."""
    np.save(folder / PLACEHOLDER, np.zeros((20, 128, 128, 3), np.float32))
    run([sys.executable, "-c", SCRIPT], folder)
    run([str(BIN / "onnx2tf"), "-i", "model.onnx", "-o", "out", "-n"], folder)
    assert (folder / "out" / "model_float32.tflite").exists()


def cold(folder: Path) -> None:
    """Export into an empty folder."""
    run([str(BIN / "ghostdeploy"), "export", "--format", "all", "--out", "out"], folder)
    assert len(list((folder / "out").glob("*.tflite"))) == 1


def run(argv: list[str], folder: Path) -> None:
    """Run a command in ``folder``. Raises CalledProcessError where it fails."""
    subprocess.run(argv, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)


def reused(folder: Path) -> None:
    """Export what is there already."""
    run([str(BIN / "ghostdeploy"), "export", "--format", "all", "--out", "out"], folder)


def timed(work: Callable[[Path], None], folder: Path) -> tuple[float, float]:
    """Return wall and CPU seconds of ``work`` and its processes."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    work(folder)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(rounds: int) -> None:
    """Print the medians over the rounds, each as a ratio to that round's time by hand."""
    samples: dict[str, list[tuple[float, float]]] = {"by hand": [], "cold": [], "reused": []}
    for number in range(rounds):
        for name in ("by hand", "cold") if number % 2 else ("cold", "by hand"):
            with tempfile.TemporaryDirectory() as folder:
                samples[name].append(timed(by_hand if name == "by hand" else cold, Path(folder)))
                if name == "cold":
                    samples["reused"].append(timed(reused, Path(folder)))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    print(f"{rounds} rounds, alternating, {os.cpu_count()} cores; medians\n")
    print("| | wall, ratio to by hand | CPU, ratio to by hand |\n|---|---|---|")
    for name in samples:
        wall, cpu = (
            statistics.median(
                mine[i] / hand[i]
                for mine, hand in zip(samples[name], samples["by hand"], strict=True)
            )
            for i in (0, 1)
        )
        print(f"| {name} | {wall:.3f} | {cpu:.3f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
