"""Where GhostNetV2 stands against its bars, for one size: prints two Markdown tables.

The forms are plain (converted without rewrites), peer (peer.py: timm by hand), default and all
(``--opt all``), each of them also of GhostNetV1 but peer, and full int8 as exported. Instructions
on an emulated Cortex-A76; time on this machine, fp32 files in one process in turns, the median of
the ratios in each round; outputs against torch's, the largest difference over eight inputs. Best is
the better one of plain and peer.

python benchmarks/bars.py [width] [side] [--cache FOLDER] [--timm FOLDER] [--rounds N]

Run it after doctor --setup-qemu. With --cache, conversions and counts are made once for each state
of the sources, so that a second call only takes the times; --rounds 0 takes none.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measure import (
    converted,
    instructions,
    logits,
    opened,
    ratio,
    rounds_of,
    sources_key,
    written,
)
from peer import TIMM, peer_file

from ghostdeploy import flatbuffer, zoo
from ghostdeploy.commands.export import ExportRequest, export, network_of
from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import GhostdeployError
from ghostdeploy.export import parity
from ghostdeploy.export.deploy import reference
from ghostdeploy.export.rewrites import DEFAULT, MENDING, OPTIONAL, apply_rewrites, chosen
from ghostdeploy.lint.partitions import measure
from ghostdeploy.records import write_atomic
from ghostdeploy.runners.arm.pins import setup_key
from ghostdeploy.runners.arm.place import installed
from ghostdeploy.types import ExportOptions, ModelSpec

FORMS = {
    "plain": (),
    "default": tuple(name for name in DEFAULT if name not in MENDING),
    "all": OPTIONAL,
}
TIMED = ("plain", "peer", "default", "all")
EQUAL = 1e-4  # of the logits, to count as the same function


@dataclass(frozen=True)
class Row:
    """One form: ``time`` is the ratio to best, ``error`` the logits' from torch's."""

    count: int
    time: float | None = None
    error: float | None = None
    partitions: int | None = None


@dataclass(frozen=True)
class Bar:
    """``value`` of the rows; at most ``must``, better ``aim``."""

    name: str
    must: float
    aim: float
    value: Callable[[dict[str, Row]], float | None]


def best(rows: dict[str, Row]) -> int:
    return min(rows["plain"].count, rows["peer"].count)


BARS = (
    Bar("fp32 time, all / best", 0.95, 0.85, lambda r: r["all"].time),
    Bar("fp32 instructions, all / best", 1.00, 0.90, lambda r: r["all"].count / best(r)),
    Bar(
        "int8 instructions / plain fp32", 0.58, 0.45,
        lambda r: min(r["int8"].count, r["int8, all"].count) / r["plain"].count,
    ),
    Bar(
        "fp16 arithmetic, instructions / plain fp32", 0.61, 0.52,
        lambda r: r["all, fp16 arithmetic"].count / r["plain"].count,
    ),
    Bar(
        "V2 / V1, both all, instructions", 1.28, 1.15,
        lambda r: r["all"].count / r["V1, all"].count,
    ),
    Bar("partitions, fp32", 1, 1, lambda r: r["all"].partitions),
    Bar("partitions, int8", 1, 1, lambda r: r["int8"].partitions),
)  # fmt: skip


def main(width: float, side: int, cache: Path, timm: Path, rounds: int) -> None:
    spec = zoo.make_spec("ghostnetv2", width=width, resolution=(side, side))
    v1 = zoo.make_spec("ghostnetv1", width=width, resolution=(side, side))
    installed()  # before the conversions: they take minutes
    theirs, ours = peer(spec, timm, cache), lowered(spec, cache)
    files = {"plain": ours["plain"], "peer": theirs} | ours
    files |= {f"V1, {name}": path for name, path in lowered(v1, cache).items()}
    files |= {"int8": int8(spec, (), cache), "int8, all": int8(spec, ("all",), cache)}
    times = times_to_best(files, rounds)
    errors = {name: error(path, spec) for name, path in files.items() if "V1" not in name}
    rows = {
        name: Row(count(path, cache), times.get(name), errors.get(name), kernels(path))
        for name, path in files.items()
    }
    for name in ("default", "all"):
        rows[f"{name}, fp16 arithmetic"] = Row(count(files[name], cache, fp16=True))
    print(report(spec, rows, rounds))
    if rows["peer"].error > EQUAL:
        mended = cache / "peer-mended.tflite"
        model = flatbuffer.load_file(files["peer"])
        apply_rewrites(model, MENDING)
        mended.write_bytes(flatbuffer.dump(model))
        print(
            f"\nThe peer is another function: its logits are off by {rows['peer'].error:.1e},"
            f" and with {', '.join(MENDING)} applied to it by {error(mended, spec):.1e}."
        )


def lowered(spec: ModelSpec, folder: Path) -> dict[str, Path]:
    """A file a form, from one conversion."""
    raw, values = converted(spec, folder)
    files = {name: folder / f"{spec.name}-{name}.tflite" for name in FORMS}
    for name, path in files.items():
        written(raw, values, FORMS[name], path)
    return files


def peer(spec: ModelSpec, timm: Path, folder: Path) -> Path:
    path = folder / f"timm{TIMM}-{spec.name}-{sources_key()}.tflite"
    if not path.exists():
        peer_file(spec, timm, path)
    return path


def int8(spec: ModelSpec, on: tuple[str, ...], folder: Path) -> Path:
    """As ``ghostdeploy export --precision int8`` writes it, ranges of synthetic images."""
    form = chosen(on, ())
    options = ExportOptions(without=form.without, speed=form.speed)
    request = ExportRequest(spec, ("tflite",), "int8", export=options, out=folder)
    (done,) = export(request)
    return Path(done.artifact.path)


def times_to_best(files: dict[str, Path], rounds: int) -> dict[str, float]:
    if not rounds:
        return {}
    table = rounds_of([opened(files[name]) for name in TIMED], rounds)
    # the ratio to the faster one is the larger
    return {
        name: max(ratio(table, index, TIMED.index(base)) for base in ("plain", "peer"))
        for index, name in enumerate(TIMED)
    }


def error(path: Path, spec: ModelSpec) -> float:
    """The logits' largest difference from torch's, over parity's inputs."""
    network, interpreter, options = network_of(spec, None, 0), opened(path), ExportOptions()
    return max(
        float(np.abs(reference(network, options, image)[0] - _logits(interpreter, image)).max())
        for image in parity.example_inputs(spec, options)
    )


def _logits(interpreter: Any, image: Any) -> Any:
    return logits(interpreter, image.transpose(0, 2, 3, 1))


def kernels(path: Path) -> int | None:
    found = measure(path)
    return found.kernels if found else None


def count(path: Path, folder: Path, **changes: Any) -> int:
    """``instructions``, once for each file, way to run it and emulator."""
    kept = folder / "counts.json"
    known: dict[str, int] = json.loads(kept.read_text()) if kept.exists() else {}
    key = f"{setup_key()} {file_sha256(path)} {sorted(changes.items())}"
    if key not in known:
        known[key] = instructions(path, **changes)
        write_atomic(kept, json.dumps(known, indent=1))
    return known[key]


def report(spec: ModelSpec, rows: dict[str, Row], rounds: int) -> str:
    plain = rows["plain"].count
    lines = [
        f"{spec.name}, one thread, XNNPACK, seeded weights, {rounds} rounds",
        "",
        "| form | A76 instructions (M) | / plain | / best | time / best | max abs | partitions |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        lines.append(
            f"| {name} | {row.count / 1e6:.2f} | {row.count / plain:.3f}"
            f" | {row.count / best(rows):.3f} | {_cell(row.time, '.3f')}"
            f" | {_cell(row.error, '.1e')} | {_cell(row.partitions, 'd')} |"
        )
    lines += ["", "| bar | must | aim | is | |", "|---|---|---|---|---|"]
    for bar in BARS:
        value = bar.value(rows)
        lines.append(
            f"| {bar.name} | ≤ {bar.must:g} | ≤ {bar.aim:g} | {_cell(value, '.3f')}"
            f" | {_judged(bar, value)} |"
        )
    return "\n".join(lines)


def _cell(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _judged(bar: Bar, value: float | None) -> str:
    if value is None:
        return "not measured"
    return "aim" if value <= bar.aim else "must" if value <= bar.must else "missed"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("width", nargs="?", type=float, default=1.0)
    parser.add_argument("side", nargs="?", type=int, default=224)
    parser.add_argument("--cache", type=Path, help="where conversions and counts are kept")
    parser.add_argument("--timm", type=Path, default=Path("timm"), help="see peer.py")
    parser.add_argument("--rounds", type=int, default=60, help="of timing; 0 for none")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        cache = given.cache or Path(name)
        cache.mkdir(parents=True, exist_ok=True)
        try:
            main(given.width, given.side, cache, given.timm, given.rounds)
        except GhostdeployError as error:
            raise SystemExit(f"error: {error}") from None
