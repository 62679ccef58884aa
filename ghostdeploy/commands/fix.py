"""``ghostdeploy lint --fix``: the rewrites that keep the function, on any TFLite file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ghostdeploy import flatbuffer
from ghostdeploy.errors import CheckFailed, InputFileError
from ghostdeploy.export.rewrites import DEFAULT, load_rewrite, paragraph
from ghostdeploy.files import write_atomic
from ghostdeploy.flatbuffer import ModelT
from ghostdeploy.quiet import captured

SEEDS = 4  # random inputs on which before and after are compared
# ‖a−b‖/‖b‖ of the outputs. A float graph may sum in another order; in int8 one pooling may round
# to the next quantum, which later layers carry on.
TOLERANCE = {"float": 1e-5, "quantized": 0.2}


@dataclass(frozen=True)
class Fix:
    """One rewrite on one file: what it is for, and the number of places it changes."""

    name: str
    count: int
    why: str


@dataclass(frozen=True)
class Fixed:
    """The outcome: ``path`` is None where nothing was to change. ``rel_l2`` is the worst seen."""

    path: Path | None
    fixes: tuple[Fix, ...]
    rel_l2: float = 0.0


def explain(path: Path) -> tuple[Fix, ...]:
    """What ``fix`` would change in ``path``, without changing anything."""
    return _apply(_load(path))


def fix(path: Path, out: Path | None = None) -> Fixed:
    """Apply every rewrite that keeps the function and write the result.

    The file goes to ``out``, or beside the old one as ``NAME.fixed.tflite``. Raises CheckFailed,
    and writes nothing, where the outputs on random inputs are not those of the old file.
    """
    from ghostdeploy.export.metadata import attach_files, attached_files
    from ghostdeploy.export.tidy import drop_unused

    model = _load(path)
    fixes = _apply(model)
    if not fixes:
        return Fixed(None, ())
    drop_unused(model)
    before = path.read_bytes()
    after = attach_files(flatbuffer.dump(model), attached_files(before))
    with captured():
        distance, tolerance = _distance(before, after)
    if not distance <= tolerance:
        raise CheckFailed(
            f"{path}: the rewritten graph is another function (relative L2 {distance:.1e},"
            f" tolerance {tolerance:.0e}); nothing was written"
        )
    target = out or path.with_name(f"{path.stem}.fixed.tflite")
    write_atomic(target, after)
    return Fixed(target, fixes, distance)


def _load(path: Path) -> ModelT:
    if path.suffix != ".tflite":
        raise InputFileError(f"{path}: only TFLite files can be rewritten; export the model again")
    return flatbuffer.load_file(path)


def _apply(model: ModelT) -> tuple[Fix, ...]:
    fixes = []
    for name in DEFAULT:
        rewrite = load_rewrite(name)
        if not rewrite.KEEPS_FUNCTION:
            continue
        count = rewrite.apply(model)
        if count:
            fixes.append(Fix(name, count, paragraph(rewrite.__doc__ or "", "Why")))
    return tuple(fixes)


def _distance(before: bytes, after: bytes) -> tuple[float, float]:
    """The worst relative L2 of the outputs over random inputs, and what is accepted."""
    import numpy as np

    from ghostdeploy.export.inference import run_on_noise
    from ghostdeploy.export.parity import relative_l2

    old, quantized = run_on_noise(before, SEEDS)
    new, _ = run_on_noise(after, SEEDS)
    worst = max(
        relative_l2(np.asarray(a, np.float32), np.asarray(b, np.float32))
        for a, b in zip(old, new, strict=True)
    )
    return worst, TOLERANCE["quantized" if quantized else "float"]
