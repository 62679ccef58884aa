"""``ghostdeploy lint --fix``: the rewrites that keep the function, on any TFLite file."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ghostdeploy import flatbuffer
from ghostdeploy.errors import (
    CheckFailed,
    InputFileError,
    MeasurementError,
    MissingExtraError,
    error_line,
)
from ghostdeploy.files import read_input, write_atomic
from ghostdeploy.flatbuffer import MAX_FILE_BYTES, ModelT
from ghostdeploy.lowering.rewrites import DEFAULT, load_rewrite, paragraph
from ghostdeploy.quiet import capture_output
from ghostdeploy.runners.host.child_process import build_python_environment, run_process

SEEDS = 4  # random inputs of each signature on which before and after are compared
COMPARISON = "ghostdeploy.lowering.noise"
TIMEOUT_S = 1800.0
# ‖a−b‖/‖b‖ of the outputs. A float graph may sum in another order; in int8 one pooling may round
# to the next quantum, which later layers carry on.
TOLERANCE = {"float": 1e-5, "quantized": 0.2}


@dataclass(frozen=True)
class FixRequest:
    """Which TFLite file to rewrite. ``out`` is where to, None for ``NAME.fixed.tflite`` beside it.

    With ``dry_run`` nothing is written: it is only told what would change. ``input_range`` are the
    ends of the values that the inputs take, () for the usual ones.
    """

    path: Path
    out: Path | None = None
    dry_run: bool = False
    input_range: tuple[float, ...] = ()

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
    old file, and InputFileError for what is not a TFLite model, or none that LiteRT runs.
    """
    from ghostdeploy.lowering.metadata import attach_files, attached_files
    from ghostdeploy.lowering.tidy import drop_unused

    path = request.path
    model = _load(path)
    with capture_output():
        rewrites = _apply_rewrites(model, path)
        if request.dry_run or not rewrites:
            return FixOutcome(None, rewrites)
        drop_unused(model)
        before = read_input(path, MAX_FILE_BYTES)
        after = attach_files(flatbuffer.dump(model), attached_files(before))
        distance, tolerance = _measure_distance(before, after, request)
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


def _apply_rewrites(model: ModelT, path: Path) -> tuple[AppliedRewrite, ...]:
    applied = []
    for name in DEFAULT:
        rewrite = load_rewrite(name)
        if not rewrite.KEEPS_FUNCTION:
            continue
        try:
            count = rewrite.apply(model)
        # An operator without its options or inputs, which no runtime takes either.
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise InputFileError(f"{path}: an operator lacks what its kind has ({name})") from error
        if count:
            why = paragraph(rewrite.__doc__ or "", "Why")
            applied.append(AppliedRewrite(name, count, why))
    return tuple(applied)


def _measure_distance(before: bytes, after: bytes, request: FixRequest) -> tuple[float, float]:
    """Return the worst relative L2 of the outputs over random inputs, and what is accepted."""
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise MissingExtraError("ai-edge-litert", "local")
    with TemporaryDirectory(prefix="ghostdeploy-") as folder:
        files = Path(folder, "before.tflite"), Path(folder, "after.tflite")
        for file, data in zip(files, (before, after), strict=True):
            file.write_bytes(data)
        words = [*map(str, files), str(SEEDS), *map(repr, request.input_range)]
        argv = (sys.executable, "-m", COMPARISON, *words)
        done = run_process(argv, TIMEOUT_S, build_python_environment())
    if done.timed_out:
        raise MeasurementError(f"{request.path}: no output within {TIMEOUT_S:g} s; not compared")
    try:
        answer = json.loads(done.stdout.strip().rpartition("\n")[2])
    except ValueError:
        answer = {"error": done.killed_by or done.last_words}
    if "error" in answer:
        said = error_line(" ".join(answer["error"].split()))
        raise InputFileError(f"{request.path}: LiteRT here cannot run it: {said}")
    return answer["rel_l2"], TOLERANCE["quantized" if answer["quantized"] else "float"]
