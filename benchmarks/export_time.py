"""How long a cold export takes and how much memory, against the same conversion by hand.

    python benchmarks/export_time.py [MODEL] [--rounds N]

MODEL is one of the zoo's or ``timm:NAME``; by default ghostnetv2. By hand is what one would type
without ghostdeploy: a script with torch.onnx.export, then the onnx2tf command line (it makes fp32
and fp16 and proves nothing). The two alternate, and only their ratio is worth quoting. Memory is
the largest sum of the proportional set sizes of all their processes at one moment, 20 times a
second. Prints a Markdown table; a few minutes a round.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SCRIPT = """
import torch
{make}
network = network.eval()
torch.onnx.export(network, (torch.zeros(1, 3, {side}, {side}),), "model.onnx", dynamo=True)
"""
ZOO = """
from ghostdeploy import zoo
network = zoo.build(zoo.make_spec({name!r}))
"""
# What one must type beside torch for the CPU: without it torchvision cannot be imported.
TIMM = """
library = torch.library.Library("torchvision", "DEF")
for name in ("nms", "qnms"):
    library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
import timm
network = timm.create_model({name!r})
"""
BIN = Path(sys.executable).parent
# onnx2tf would fetch this file from the web.
PLACEHOLDER = "calibration_image_sample_data_20x128x128x3_float32.npy"
INTERVAL_S = 0.05


@dataclass(frozen=True)
class Taken:
    """What one way took: wall and CPU seconds, and the peak of its processes' memory in MB."""

    wall: float
    cpu: float
    memory: float


def write_script(model: str, side: int) -> str:
    """Return the Python code that brings ``model`` to model.onnx by hand."""
    source, _, name = model.rpartition(":")
    make = (TIMM if source == "timm" else ZOO).format(name=name)
    return SCRIPT.format(make=make, side=side)


def by_hand(model: str, side: int, folder: Path) -> None:
    """Convert as one would without ghostdeploy."""
    np.save(folder / PLACEHOLDER, np.zeros((20, 128, 128, 3), np.float32))
    run([sys.executable, "-c", write_script(model, side)], folder)
    run([str(BIN / "onnx2tf"), "-i", "model.onnx", "-o", "out", "-n"], folder)
    assert (folder / "out" / "model_float32.tflite").exists()


def export(model: str, side: int, folder: Path) -> None:
    """Export into ``folder``, or find there what it holds."""
    size = ["--resolution", str(side)]
    words = ["export", model, *size, "--format", "all", "--out", "out"]
    run([sys.executable, "-m", "ghostdeploy", *words], folder)
    assert len(list((folder / "out").glob("*.tflite"))) == 1


def run(argv: list[str], folder: Path) -> None:
    """Run a command in ``folder``. Raises CalledProcessError where it fails."""
    subprocess.run(argv, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)


class MemoryWatch:
    """Samples the memory of this process's descendants while it is open."""

    def __init__(self) -> None:
        self.peak_mb = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(INTERVAL_S):
            used = sum(memory_mb(process) for process in descendants(os.getpid()))
            self.peak_mb = max(self.peak_mb, used)


def descendants(parent: int) -> list[int]:
    """Return the ids of a process's children, and of theirs."""
    found = []
    try:
        threads = os.listdir(f"/proc/{parent}/task")
        for thread in threads:
            text = Path(f"/proc/{parent}/task/{thread}/children").read_text()
            for child in map(int, text.split()):
                found += [child, *descendants(child)]
    except OSError:  # it ended meanwhile
        pass
    return found


def memory_mb(process: int) -> float:
    """Return the proportional set size of a process, 0 where it has ended."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    sizes = [line.split()[1] for line in text.splitlines() if line.startswith("Pss:")]
    return float(sizes[0]) / 1024 if sizes else 0.0


def measure(work: Callable[[Path], None], folder: Path) -> Taken:
    """Return what ``work`` and its processes take."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with MemoryWatch() as memory:
        work(folder)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(wall, cpu, memory.peak_mb)


def main() -> None:
    """Print the medians over the rounds, each as a ratio to that round's figure by hand."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", nargs="?", default="ghostnetv2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", type=int, default=224, help="pixels a side")
    options = parser.parse_args()
    ways = {
        "by hand": lambda folder: by_hand(options.model, options.side, folder),
        "cold": lambda folder: export(options.model, options.side, folder),
    }
    samples: dict[str, list[Taken]] = {"by hand": [], "cold": [], "reused": []}
    for number in range(options.rounds):
        for name in list(ways)[:: 1 if number % 2 else -1]:
            with tempfile.TemporaryDirectory() as folder:
                samples[name].append(measure(ways[name], Path(folder)))
                if name == "cold":
                    samples["reused"].append(measure(ways[name], Path(folder)))
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
    show(options.model, samples)


def show(model: str, samples: dict[str, list[Taken]]) -> None:
    """Print the table."""
    rounds = len(samples["by hand"])
    print(f"{model}, {rounds} rounds, alternating, {os.cpu_count()} cores; medians\n")
    print("| ratio to by hand | wall | CPU | peak memory |\n|---|---|---|---|")
    for name, mine in samples.items():
        shown = [
            statistics.median(
                getattr(one, field) / getattr(hand, field)
                for one, hand in zip(mine, samples["by hand"], strict=True)
            )
            for field in ("wall", "cpu", "memory")
        ]
        print(f"| {name} | " + " | ".join(f"{ratio:.3f}" for ratio in shown) + " |")


if __name__ == "__main__":
    main()
