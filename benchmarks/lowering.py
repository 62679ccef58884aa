"""What each rewrite of the TFLite graph gains. Prints a Markdown table.

One conversion, then files with none of the optional rewrites (plain), with the default's, with
all, and with all but one each: what leaving it out costs. Instructions on an emulated Cortex-A76,
and time on this machine: the median over rounds of the ratio to plain's, all files in one process
in turns. It also prints how far each file's logits are from plain's.
Run after ghostdeploy doctor --setup-qemu:
python benchmarks/lowering.py [arch] [width] [side] [rounds] [quick]; tens of minutes, with quick
a few: it leaves out the files that lack one rewrite.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from measure import converted, instructions, logits, opened, ratio, rounds_of, written

from ghostdeploy import zoo
from ghostdeploy.export.rewrites import DEFAULT, MENDING, OPTIONAL
from ghostdeploy.lint.delegates.partitions import measure_partitions


def forms(quick: bool) -> dict[str, tuple[str, ...]]:
    """Return the optional rewrites of each file, by its name; plain comes first."""
    default = tuple(name for name in DEFAULT if name not in MENDING)
    whole: dict[str, tuple[str, ...]] = {"plain": (), "all": OPTIONAL, "default": default}
    return whole | {
        f"all but {name}": tuple(n for n in OPTIONAL if n != name) for name in OPTIONAL if not quick
    }


def main(arch: str, width: float, side: int, rounds: int, quick: bool) -> None:
    """Convert, count, time, and print a row a form."""
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
        table = rounds_of(interpreters, rounds)
        ratios = [ratio(table, index, 0) for index in range(len(paths))]
        plain = instructions(paths[0])
        print(f"{spec.name}, fp32, XNNPACK, {rounds} rounds\n")
        print("| form | A76 instructions (M) | ratio | time, ratio | max abs | partitions |")
        print("|---|---|---|---|---|---|")
        for label, path, multiple, interpreter, skip in zip(
            forms(quick), paths, ratios, interpreters, same, strict=True
        ):
            if skip:
                continue
            count = instructions(path)
            error = np.abs(logits(interpreter) - logits(interpreters[0])).max()
            found = measure_partitions(path)
            print(
                f"| {label} | {count / 1e6:.2f} | {count / plain:.3f} | {multiple:.3f}"
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
