"""What each rewrite of the TFLite graph gains. Prints a Markdown table.

One conversion, then files with none of the optional rewrites (plain), with the default's, with
all, and with all but one each: what leaving it out costs. Instructions on an emulated Cortex-A76,
and time on this machine: the median over rounds of the ratio to plain's, all files in one process
in turns. It also prints how far each file's logits are from plain's.
Run after doctor --setup-qemu: python benchmarks/lowering.py [arch] [width] [side] [rounds] [quick];
quick leaves out the files that lack one rewrite.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from ghostdeploy import flatbuffer, zoo
from ghostdeploy.commands.export import network_of
from ghostdeploy.export import tidy
from ghostdeploy.export.deploy import DeployForm
from ghostdeploy.export.rewrites import DEFAULT, MENDING, OPTIONAL, apply_rewrites
from ghostdeploy.export.tflite import started
from ghostdeploy.export.to_onnx import to_onnx
from ghostdeploy.lint.partitions import measure
from ghostdeploy.runners import open_runner
from ghostdeploy.types import BenchParams, ExportOptions, ModelSpec

RUNS = 5  # of one file in a round; the fastest counts, as others use this machine too


def converted(spec: ModelSpec) -> tuple[bytes, list[str]]:
    form = DeployForm(network_of(spec, None, 0), ExportOptions())
    with started() as converter:
        exported = to_onnx(form, spec.resolution)
        converter.start(exported.model.SerializeToString(), "fp32")
        return converter.finish(), [v for n in exported.model.graph.node for v in n.output]


def forms(quick: bool) -> dict[str, tuple[str, ...]]:
    default = tuple(name for name in DEFAULT if name not in MENDING)
    whole: dict[str, tuple[str, ...]] = {"plain": (), "all": OPTIONAL, "default": default}
    return whole | {
        f"all but {name}": tuple(n for n in OPTIONAL if n != name) for name in OPTIONAL if not quick
    }


def written(raw: bytes, values: list[str], names: tuple[str, ...], path: Path) -> dict[str, int]:
    model = flatbuffer.load(raw, path.name)
    tidy.name_tensors(model, values, ("logits",))
    changed = apply_rewrites(model, (*MENDING, *names))
    tidy.drop_unused(model)
    path.write_bytes(flatbuffer.dump(model))
    return changed


def instructions(path: Path, **changes: Any) -> int:
    params = BenchParams(**changes)
    counted = open_runner("qemu:cortex-a76", params).launch(path, params).instructions
    assert counted is not None
    return counted.total


def opened(path: Path) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    (image,) = interpreter.get_input_details()
    value = np.random.default_rng(0).random(image["shape"], np.float32)
    interpreter.set_tensor(image["index"], value)
    interpreter.invoke()
    return interpreter


def logits(interpreter: Any) -> Any:
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def times(interpreters: list[Any], rounds: int) -> list[float]:
    """Each one's time as a multiple of the first's."""
    ratios: list[list[float]] = [[] for _ in interpreters]
    order = list(range(len(interpreters)))
    for number in range(rounds):
        seen = {}
        for index in order if number % 2 else order[::-1]:
            seen[index] = min(timed(interpreters[index]) for _ in range(RUNS))
        for index in order:
            ratios[index].append(seen[index] / seen[0])
    return [statistics.median(r) for r in ratios]


def timed(interpreter: Any) -> float:
    start = time.perf_counter()
    interpreter.invoke()
    return time.perf_counter() - start


def main(arch: str, width: float, side: int, rounds: int, quick: bool) -> None:
    spec = zoo.make_spec(arch, width=width, resolution=(side, side))
    with tempfile.TemporaryDirectory() as name:
        raw, values = converted(spec)
        paths, changed = [], []
        for number, names in enumerate(forms(quick).values()):
            path = Path(name) / f"{number}.tflite"
            changed.append(written(raw, values, names, path))
            paths.append(path)
        same = [n > 2 and changed[n] == changed[1] for n in range(len(paths))]  # never applied
        interpreters = [opened(path) for path in paths]
        ratios = times(interpreters, rounds)
        plain = instructions(paths[0])
        print(f"{spec.name}, fp32, XNNPACK, {rounds} rounds\n")
        print("| form | A76 instructions (M) | ratio | time, ratio | max abs | partitions |")
        print("|---|---|---|---|---|---|")
        for label, path, ratio, interpreter, skip in zip(
            forms(quick), paths, ratios, interpreters, same, strict=True
        ):
            if skip:
                continue
            count = instructions(path)
            error = np.abs(logits(interpreter) - logits(interpreters[0])).max()
            found = measure(path)
            print(
                f"| {label} | {count / 1e6:.2f} | {count / plain:.3f} | {ratio:.3f}"
                f" | {error:.1e} | {found.kernels if found else '–'} |",
                flush=True,
            )
        half = instructions(paths[1], fp16=True)
        print(f"\nAll, in half-precision arithmetic: {half / 1e6:.2f} M, ratio {half / plain:.3f}")


if __name__ == "__main__":
    words = sys.argv[1:]
    main(
        words[0] if words else "ghostnetv2",
        float(words[1]) if len(words) > 1 else 1.0,
        int(words[2]) if len(words) > 2 else 224,
        int(words[3]) if len(words) > 3 else 60,
        "quick" in words,
    )
