"""The child process of one launch: ``python -m ghostdeploy.runners.host.measuring_child JOB``.

JOB is a JSON object with ``LaunchJob``'s fields. The child prints one JSON line:
``LaunchReport``'s fields, or ``{"error": KIND, "message": TEXT}`` with the kinds

    missing   a package is not installed; the text is its name
    runtime   the runtime does not start
    model     the runtime does not take this model, or fails in its first run
    run       a later run failed

Whatever the runtime prints goes to stderr. Nothing heavy is imported but the runtime and numpy,
and those only once the process is pinned: thread pools inherit the mask they are born under.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import NoReturn

from ghostdeploy.lifeline import die_with
from ghostdeploy.random_inputs import ValueRange, try_ranges
from ghostdeploy.runners.host.openers import OPENERS, LoadedModel, seed_generator


@dataclass(frozen=True)
class LaunchJob:
    """The launch to make; ``parent`` is the process id that the child must not outlive.

    ``input_range`` are the ends of what the inputs take, or nothing; ``shapes`` are those of inputs
    that the model leaves open, by name.
    """

    model: str
    runtime: str
    threads: int
    runs: int
    warmup: int
    xnnpack: bool
    cpus: list[int]
    parent: int
    input_range: Sequence[float] = ()
    seed: int = 0
    shapes: dict[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class LaunchReport:
    """What the child saw of the launch.

    Times are in ms, memory (of the whole process, Python too) is in 10⁶ bytes.
    """

    samples_ms: list[float]
    init_ms: float
    first_ms: float
    warmup_ms: float | None
    peak_mem_mb: float | None
    partitions: int | None
    cpus: list[int]


class LaunchFailure(Exception):
    """Ends the launch with an error line of ``kind``."""

    def __init__(self, kind: str, cause: BaseException | str) -> None:
        super().__init__(str(cause) or type(cause).__name__)
        self.kind = kind


def main() -> NoReturn:
    """Run the job of the command line, print its report or error, and end the process."""
    job = LaunchJob(**json.loads(sys.argv[1]))
    die_with(job.parent)
    # Third-party libraries print to the C stdout as well: keep a private copy for our one line.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        line, code = json.dumps(asdict(measure(job))), 0
    except LaunchFailure as failure:
        line, code = json.dumps({"error": failure.kind, "message": str(failure)}), 1
    answer.write(line + "\n")
    answer.flush()
    sys.stderr.flush()
    os._exit(code)  # a runtime's destructors are not part of the measurement, and may crash


def measure(job: LaunchJob) -> LaunchReport:
    """Pin this process, load the model and time its runs. Raises LaunchFailure."""
    if job.cpus:
        os.sched_setaffinity(0, job.cpus)
    open_model = _import_opener(job)
    with _failing("model"):
        started = time.perf_counter_ns()
        model = open_model()
        init_ns = time.perf_counter_ns() - started
        early = _warm_up(model, job)
    with _failing("run"):
        # Without a warm-up the first inference is itself the first timed run.
        samples = _timed(model.invoke, job.runs) if job.warmup else early
        samples += _timed(model.invoke, job.runs - len(samples))
    return LaunchReport(
        samples_ms=[ns / 1e6 for ns in samples],
        init_ms=init_ns / 1e6,
        first_ms=early[0] / 1e6,
        warmup_ms=sum(early) / len(early) / 1e6 if job.warmup else None,
        peak_mem_mb=_peak_mem_mb(),
        partitions=model.count_partitions(),
        cpus=_affinity(),
    )


def _warm_up(model: LoadedModel, job: LaunchJob) -> list[int]:
    """Fill the inputs with values that the model takes, and return the first runs' nanoseconds."""
    given = (job.input_range[0], job.input_range[1]) if job.input_range else None

    def warm_up(integers: ValueRange) -> list[int]:
        model.fill(seed_generator(job.seed), given, integers)
        return _timed(model.invoke, max(job.warmup, 1))

    return try_ranges(warm_up, given)


def _timed(invoke: Callable[[], object], runs: int) -> list[int]:
    """Return the nanoseconds of each run, with Python's garbage collector out of the way."""
    clock = time.perf_counter_ns
    taken = [0] * runs
    gc.disable()
    try:
        for n in range(runs):
            start = clock()
            invoke()
            taken[n] = clock() - start
    finally:
        gc.enable()
    return taken


@contextlib.contextmanager
def _failing(kind: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise LaunchFailure(kind, error) from error


def _import_opener(job: LaunchJob) -> Callable[[], LoadedModel]:
    """Import the job's runtime and numpy, and return what opens its model."""
    module, open_model = OPENERS[job.runtime]
    try:
        runtime = importlib.import_module(module)
        importlib.import_module("numpy")
    except ModuleNotFoundError as error:
        raise LaunchFailure("missing", error.name or module) from error
    except Exception as error:
        raise LaunchFailure("runtime", error) from error
    shapes = {name: tuple(shape) for name, shape in job.shapes.items()}
    return lambda: open_model(runtime, job.model, job.threads, job.xnnpack, shapes)


def _peak_mem_mb() -> float | None:
    # Linux's ru_maxrss survives exec: it would be the parent's peak where that is higher.
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            line = next((text for text in status if text.startswith("VmHWM:")), "")
        return int(line.split()[1]) * 1024 / 1e6
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return None


def _affinity() -> list[int]:
    """Return the cores that any thread of this process may use; [] where that is not told."""
    cpus: set[int] = set()
    with contextlib.suppress(OSError, AttributeError):
        for thread in os.listdir("/proc/self/task"):
            with contextlib.suppress(ProcessLookupError):
                cpus |= os.sched_getaffinity(int(thread))
    return sorted(cpus)


if __name__ == "__main__":
    main()
