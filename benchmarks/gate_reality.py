"""The gate on real processes of this machine: A/A, real slow-downs, a noisy neighbour.

    python benchmarks/gate_reality.py models [--folder F]   # make them (torch, onnx2tf; minutes)
    python benchmarks/gate_reality.py calibrate              # what each extra block costs
    python benchmarks/gate_reality.py aa|slow-5|slow-10|neighbour [--gates N] [--max-disturbance S]

The baseline is GhostNet 1.0 at 128 pixels. A slow-down is a real one: one or two more copies of the
last bottleneck of a stage; which stage was chosen by ``calibrate``'s ratios. Every gate is the
command as users run it, a few minutes each. Prints one Markdown row a gate.
"""

from __future__ import annotations

import argparse
import copy
import json
import multiprocessing
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

STAGES = (0, 2, 4, 6, 8)  # whose last block has a stride of 1 and as many channels in as out
SLOW = {"slow-5": (2,), "slow-10": (2, 2)}
LAUNCH = ("--runs", "200", "--warmup", "20")


def name_of(stages: tuple[int, ...]) -> str:
    """Return the name of the network with one more block in each of ``stages``."""
    return "base" + "".join(f"+{stage}" for stage in stages)


def make(folder: Path, stages: tuple[int, ...]) -> Path:
    """Return GhostNet with one more bottleneck in each of ``stages``, as TFLite."""
    from ghostdeploy import zoo
    from ghostdeploy.lowering.deploy import DeployNetwork
    from ghostdeploy.lowering.tflite import start_converter
    from ghostdeploy.lowering.to_onnx import to_onnx
    from ghostdeploy.quiet import capture_output
    from ghostdeploy.schema import ExportOptions
    from ghostdeploy.zoo.weights import seed_weights

    path = folder / f"{name_of(stages)}.tflite"
    if path.exists():
        return path
    spec = zoo.make_spec("ghostnetv1", resolution=(128, 128), num_classes=10)
    network = zoo.build(spec)
    for stage in stages:
        blocks = network.blocks[stage]
        blocks.append(copy.deepcopy(blocks[-1]))
    with capture_output(), start_converter() as converter:
        seed_weights(network, 0)
        exported = to_onnx(DeployNetwork(network, ExportOptions()), spec.resolution)
        converter.start(exported.model.SerializeToString(), "fp32")
        path.write_bytes(converter.finish())
    return path


def gate(baseline: Path, candidate: Path, *options: str) -> dict[str, object]:
    """Run ``ghostdeploy gate`` and return its JSON. Raises SystemExit where it says nothing."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["gate", "--baseline", str(baseline), "--candidate", str(candidate)]
        words += ["--records", folder, "--history", f"{folder}/h.jsonl", "--json", *LAUNCH]
        done = subprocess.run(
            [sys.executable, "-m", "ghostdeploy", *words, *options], capture_output=True, text=True
        )
    if not done.stdout:
        raise SystemExit(done.stderr)
    said: dict[str, object] = json.loads(done.stdout)
    return said


def calibrate(folder: Path) -> None:
    """Print the ratio that an extra block of each stage makes, over 12 pairs."""
    print("| model | ratio | verdict | why |\n|---|---|---|---|")
    for stages in (*((stage,) for stage in STAGES), *SLOW.values()):
        said = gate(folder / "base.tflite", make(folder, stages), "--looks", "12")
        cells = (name_of(stages), shown(said["ratio"]), said["verdict"], said["why"])
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


def shown(ratio: object) -> str:
    """Return a ratio and its limits as text."""
    if not isinstance(ratio, dict):
        return "–"
    return f"{ratio['value']:.3f} [{ratio['lower']:.3f}, {ratio['upper']:.3f}]"


def gates(baseline: Path, candidate: Path, o: argparse.Namespace) -> None:
    """Run a gate as often as asked for, and print a row each and the verdicts."""
    print("| gate | verdict | ratio | pairs | noise | time | why |\n|---|---|---|---|---|---|---|")
    found: Counter[object] = Counter()
    for number in range(1, o.gates + 1):
        said = gate(baseline, candidate, "--max-disturbance", o.max_disturbance)
        found[said["verdict"]] += 1
        noise = f"{said['noise']:.1%}" if said["noise"] is not None else "–"
        pairs = f"{said['valid_pairs']} of {said['attempted']}"
        seconds = f"{said['duration_s']} s"
        cells = (said["verdict"], shown(said["ratio"]), pairs, noise, seconds, said["why"])
        print(f"| {number} | {' | '.join(map(str, cells))} |", flush=True)
    print("\n" + ", ".join(f"{n} {verdict}" for verdict, n in found.most_common()))


@contextmanager
def neighbours(count: int):
    """Let ``count`` processes compute for a second or two, now and then, on any core."""
    started = [
        multiprocessing.Process(target=_disturb, args=(n,), daemon=True) for n in range(count)
    ]
    for process in started:
        process.start()
    try:
        yield
    finally:
        for process in started:
            process.terminate()
            process.join()


def _disturb(seed: int) -> None:
    import random
    import time

    generator = random.Random(seed)
    while True:
        end = time.monotonic() + generator.uniform(0.2, 2.5)
        while time.monotonic() < end:
            sum(range(10_000))
        time.sleep(generator.uniform(0.2, 2.5))


def main() -> None:
    """Do what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["models", "calibrate", "aa", *SLOW, "neighbour"])
    parser.add_argument("--folder", type=Path, default=Path("models/gate-reality"))
    parser.add_argument("--gates", type=int, default=5)
    parser.add_argument("--max-disturbance", default="0.25", help="1: count disturbed launches too")
    o = parser.parse_args()
    o.folder.mkdir(parents=True, exist_ok=True)
    base = make(o.folder, ())
    if o.what == "models":
        for stages in (*((stage,) for stage in STAGES), *SLOW.values()):
            print(make(o.folder, stages))
    elif o.what == "calibrate":
        calibrate(o.folder)
    elif o.what == "neighbour":
        for candidate in (base, make(o.folder, SLOW["slow-10"])):
            with neighbours(3):
                gates(base, candidate, o)
    else:
        gates(base, make(o.folder, SLOW.get(o.what, ())), o)


if __name__ == "__main__":
    main()
