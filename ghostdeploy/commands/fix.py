"""``ghostdeploy lint --fix``: the rewrites that keep the function, on any TFLite file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ghostdeploy import flatbuffer
from ghostdeploy.errors import CheckFailed, InputFileError
from ghostdeploy.files import write_atomic
from ghostdeploy.flatbuffer import ModelT
from ghostdeploy.lowering.rewrites import DEFAULT, load_rewrite, paragraph
from ghostdeploy.quiet import capture_output

SEEDS = 4  # random inputs on which before and after are compared
# ‖a−b‖/‖b‖ of the outputs. A float graph may sum in another order; in int8 one pooling may round
# to the next quantum, which later layers carry on.
TOLERANCE = {"float": 1e-5, "quantized": 0.2}


@dataclass(frozen=True)
class FixRequest:
    """Which TFLite file to rewrite. ``out`` is where to, None for ``NAME.fixed.tflite`` beside it.

    With ``dry_run`` nothing is written: it is only told what would change.
    """

    path: Path
    out: Path | None = None
    dry_run: bool = False

    @property
    def target(self) -> Path:
        """The file to write."""
        return self.out or self.path.with_name(f"{self.path.stem}.fixed.tflite")


@dataclass(frozen=True)
class AppliedRewrite:
    """One rewrite on one file: what it is for, and the number of places it changes."""

    name: str
    count: int
    why: str


@dataclass(frozen=True)
class FixOutcome:
    """What was rewritten; ``path`` is None where nothing was written. ``rel_l2`` is the worst."""

    path: Path | None
    rewrites: tuple[AppliedRewrite, ...]
    rel_l2: float = 0.0


def fix(request: FixRequest) -> FixOutcome:
    """Apply every rewrite that keeps the function, and write the result.

    Raises CheckFailed, and writes nothing, where the outputs on random inputs are not those of the
    old file, and InputFileError for what is not a TFLite model.
    """
    from ghostdeploy.lowering.metadata import attach_files, attached_files
    from ghostdeploy.lowering.tidy import drop_unused

    path = request.path
    model = _load(path)
    rewrites = _apply_rewrites(model)
    if request.dry_run or not rewrites:
        return FixOutcome(None, rewrites)
    drop_unused(model)
    before = path.read_bytes()
    after = attach_files(flatbuffer.dump(model), attached_files(before))
    with capture_output():
        distance, tolerance = _measure_distance(before, after)
    if not distance <= tolerance:
        raise CheckFailed(
            f"{path}: the rewritten graph is another function (relative L2 {distance:.1e},"
            f" tolerance {tolerance:.0e}); nothing was written"
        )
    write_atomic(request.target, after)
    return FixOutcome(request.target, rewrites, distance)


def _load(path: Path) -> ModelT:
    if path.suffix != ".tflite":
        raise InputFileError(f"{path}: only TFLite files can be rewritten; export the model again")
    return flatbuffer.load_file(path)


def _apply_rewrites(model: ModelT) -> tuple[AppliedRewrite, ...]:
    applied = []
    for name in DEFAULT:
        rewrite = load_rewrite(name)
        if not rewrite.KEEPS_FUNCTION:
            continue
        count = rewrite.apply(model)
        if count:
            why = paragraph(rewrite.__doc__ or "", "Why")
            applied.append(AppliedRewrite(name, count, why))
    return tuple(applied)


def _measure_distance(before: bytes, after: bytes) -> tuple[float, float]:
    """Return the worst relative L2 of the outputs over random inputs, and what is accepted."""
    import numpy as np

    from ghostdeploy.lowering.inference import run_on_noise
    from ghostdeploy.lowering.parity import relative_l2

    old, quantized = run_on_noise(before, SEEDS)
    new, _ = run_on_noise(after, SEEDS)
    worst = max(
        relative_l2(np.asarray(a, np.float32), np.asarray(b, np.float32))
        for a, b in zip(old, new, strict=True)
    )
    return worst, TOLERANCE["quantized" if quantized else "float"]
