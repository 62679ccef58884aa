"""Where GhostNetV2 stands against its bars, for one size: prints two Markdown tables.

The forms are those of ``--opt`` (plain: converted without rewrites; default; the others for speed),
also of GhostNetV1, and two of them in full int8 as exported; peer is peer.py's, timm by hand.
Instructions on an emulated Cortex-A76; time on this machine, fp32 files in one process in turns,
the median of the ratios in each round; outputs against torch's, the largest difference over eight
inputs. Best is the better one of plain and peer. A bar is judged by the form that is best at it,
among those whose outputs are torch's.

Run: python benchmarks/bars.py [width] [side] [--cache FOLDER] [--timm FOLDER] [--rounds N]
(after ghostdeploy doctor --setup-qemu; tens of minutes).

With --cache, conversions and counts are made once for each state of the sources, so that a second
call only takes the times; --rounds 0 takes none.
"""

from __future__ import annotations

import argparse
import json
import math
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
from ghostdeploy.commands.export import ExportRequest, export
from ghostdeploy.commands.export.network import build_network
from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import GhostdeployError
from ghostdeploy.export import parity, rewrites
from ghostdeploy.export.deploy import reference_outputs
from ghostdeploy.files import write_atomic
from ghostdeploy.lint.delegates.partitions import measure_partitions
from ghostdeploy.runners.arm.emulator_folder import require_emulator
from ghostdeploy.runners.arm.pins import compute_setup_key
from ghostdeploy.schema import ExportOptions, ModelSpec
from ghostdeploy.tensors import to_nhwc

# plain, default, then those for speed
FORMS = {"plain": rewrites.FORMS["plain"], "default": rewrites.FORMS[""]} | rewrites.FORMS
FORMS.pop("")
OPTIMIZED = tuple(name for name in FORMS if name != "plain")
INT8 = (OPTIMIZED[0], OPTIMIZED[-1])  # an export takes a minute or two
TIMED = ("plain", "peer", *OPTIMIZED)
COUNTS = "counts.json"
EQUAL = 1e-4  # of the logits, to count as the same function


@dataclass(frozen=True)
class Row:
    """One form: ``time`` is the ratio to best, ``error`` the logits' from torch's, nan: unknown."""

    count: int
    time: float | None = None
    error: float = math.nan
    partitions: int | None = None


Rows = dict[str, Row]
Key = Callable[[Row], float | None]


@dataclass(frozen=True)
class Bar:
    """A goal: at most ``must``, better ``aim``; ``value`` finds it and the form's name in rows."""

    name: str
    must: float
    aim: float
    value: Callable[[Rows], tuple[float | None, str]]


def least(rows: Rows, kind: str, key: Key) -> tuple[float | None, str]:
    """Return the least of the optimized forms of a ``kind``: fp32, V1, int8, fp16 arithmetic."""
    names = [row_name(kind, form) for form in OPTIMIZED if row_name(kind, form) in rows]
    if kind == "fp32":
        names = [name for name in names if rows[name].error <= EQUAL]
    known = [(value, name) for name in names if (value := key(rows[name])) is not None]
    return min(known, default=(None, ""))


def row_name(kind: str, form: str) -> str:
    """Return how a form of a kind is called in the table."""
    return form if kind == "fp32" else f"{kind}, {form}"


def best(rows: Rows) -> int:
    """Return the instructions of the better one of plain and peer."""
    return min(rows["plain"].count, rows["peer"].count)


def counted(kind: str, base: Callable[[Rows], int]) -> Callable[[Rows], tuple[float | None, str]]:
    """Return what finds the least instructions of ``kind``, as a multiple of ``base``."""
    return lambda rows: least(rows, kind, lambda row: row.count / base(rows))


def plain_count(rows: Rows) -> int:
    """Return the plain form's instructions."""
    return rows["plain"].count


def least_v1(rows: Rows) -> int:
    """Return the instructions of GhostNetV1's best form."""
    return min(rows[row_name("V1", form)].count for form in OPTIMIZED)


BARS = (
    Bar("fp32 time / best", 0.95, 0.85, lambda rows: least(rows, "fp32", lambda r: r.time)),
    Bar("fp32 instructions / best", 1.00, 0.90, counted("fp32", best)),
    Bar("full int8 instructions / plain fp32", 0.58, 0.45, counted("int8", plain_count)),
    Bar("fp16 arithmetic / plain fp32", 0.61, 0.52, counted("fp16 arithmetic", plain_count)),
    Bar("V2 / V1, both optimized", 1.28, 1.15, counted("fp32", least_v1)),
    Bar("partitions, fp32", 1, 1, lambda rows: least(rows, "fp32", lambda r: r.partitions)),
    Bar("partitions, int8", 1, 1, lambda rows: least(rows, "int8", lambda r: r.partitions)),
)


def main(width: float, side: int, cache: Path, timm: Path, rounds: int) -> None:
    """Make every form, count, time and compare it, and print the tables."""
    spec = zoo.make_spec("ghostnetv2", width=width, resolution=(side, side))
    v1 = zoo.make_spec("ghostnetv1", width=width, resolution=(side, side))
    require_emulator()  # before the conversions: they take minutes
    theirs, ours = peer(spec, timm, cache), lowered(spec, cache)
    files = {"plain": ours["plain"], "peer": theirs} | ours
    files |= {row_name("V1", form): path for form, path in lowered(v1, cache).items()}
    files |= {row_name("int8", form): int8(spec, form, cache) for form in INT8}
    times = times_to_best(files, rounds)
    errors = {name: logits_error(path, spec) for name, path in files.items() if "V1" not in name}
    rows = {
        name: Row(count(path, cache), times.get(name), errors.get(name, math.nan), kernels(path))
        for name, path in files.items()
    }
    for form in OPTIMIZED:
        half = count(files[form], cache, fp16=True)
        rows[row_name("fp16 arithmetic", form)] = Row(half)
    print(report(spec, rows, rounds))
    if rows["peer"].error > EQUAL:
        mended = cache / "peer-mended.tflite"
        model = flatbuffer.load_file(files["peer"])
        rewrites.apply_rewrites(model, rewrites.MENDING)
        mended.write_bytes(flatbuffer.dump(model))
        print(
            f"\nThe peer is another function: its logits are off by {rows['peer'].error:.1e},"
            f" and with {', '.join(rewrites.MENDING)} applied to it by"
            f" {logits_error(mended, spec):.1e}."
        )


def lowered(spec: ModelSpec, folder: Path) -> dict[str, Path]:
    """Write a file a form, from one conversion."""
    raw, values = converted(spec, folder)
    files = {name: folder / f"{spec.name}-{name}.tflite" for name in FORMS}
    for name, path in files.items():
        names = [rewrite for rewrite in FORMS[name].names if rewrite not in rewrites.MENDING]
        written(raw, values, tuple(names), path)
    return files


def peer(spec: ModelSpec, timm: Path, folder: Path) -> Path:
    """Write the peer's file, once for each state of the sources."""
    path = folder / f"timm{TIMM}-{spec.name}-{sources_key()}.tflite"
    if not path.exists():
        peer_file(spec, timm, path)
    return path


def int8(spec: ModelSpec, form: str, folder: Path) -> Path:
    """Export as ``ghostdeploy export --precision int8`` does, ranges of synthetic images."""
    options = ExportOptions(without=FORMS[form].without, speed=FORMS[form].speed)
    request = ExportRequest(spec, ("tflite",), "int8", export=options, out=folder)
    (done,) = export(request)
    return Path(done.artifact.path)


def times_to_best(files: dict[str, Path], rounds: int) -> dict[str, float]:
    """Return each timed form's ratio to the faster one of plain and peer."""
    if not rounds:
        return {}
    table = rounds_of([opened(files[name]) for name in TIMED], rounds)
    # the ratio to the faster one is the larger
    return {
        name: max(ratio(table, index, TIMED.index(base)) for base in ("plain", "peer"))
        for index, name in enumerate(TIMED)
    }


def logits_error(path: Path, spec: ModelSpec) -> float:
    """Return the logits' largest difference from torch's."""
    network, interpreter, options = build_network(spec, None, 0), opened(path), ExportOptions()
    return max(
        float(
            np.abs(
                reference_outputs(network, options, image)[0] - logits(interpreter, to_nhwc(image))
            ).max()
        )
        for image in parity.example_inputs(spec, options)
    )


def kernels(path: Path) -> int | None:
    """Return the XNNPACK partitions, None where they cannot be measured."""
    found = measure_partitions(path)
    return found.kernels if found else None


def count(path: Path, folder: Path, **changes: Any) -> int:
    """Return ``instructions``, once for each file, way to run it and emulator."""
    key = f"{compute_setup_key()} {file_sha256(path)} {sorted(changes.items())}"
    if key not in kept_counts(folder):
        found = instructions(path, **changes)
        known = kept_counts(folder) | {key: found}  # another process may have added to them
        write_atomic(folder / COUNTS, json.dumps(known, indent=1))
    return kept_counts(folder)[key]


def kept_counts(folder: Path) -> dict[str, int]:
    """Return the counts that an earlier call left in ``folder``."""
    kept = folder / COUNTS
    return dict(json.loads(kept.read_text())) if kept.exists() else {}


def report(spec: ModelSpec, rows: dict[str, Row], rounds: int) -> str:
    """Return both tables."""
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
    lines += ["", "| bar | must | aim | is | by | |", "|---|---|---|---|---|---|"]
    for bar in BARS:
        value, form = bar.value(rows)
        lines.append(
            f"| {bar.name} | ≤ {bar.must:g} | ≤ {bar.aim:g} | {_cell(value, '.3f')} | {form or '–'}"
            f" | {_judged(bar, value)} |"
        )
    return "\n".join(lines)


def _cell(value: float | None, form: str) -> str:
    return "–" if value is None or math.isnan(value) else format(value, form)


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
