"""The child process of one launch: ``python -m ghostdeploy.runners.host.measuring_child JOB``.

JOB is a JSON object with ``Job``'s fields. Prints one JSON line: ``Report``'s fields, or
``{"error": KIND, "message": TEXT}`` with the kinds

    missing   a package is not installed; the text is its name
    runtime   the runtime does not start
    model     the runtime does not take this model, or fails in its first run
    run       a later run failed

Whatever the runtime prints goes to stderr. Nothing heavy is imported but the runtime and numpy,
and those only once the process is pinned: thread pools inherit the mask they are born under.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True)
class Job:
    """What to run. ``parent`` is the process id that this one must not outlive."""

    model: str
    runtime: str
    threads: int
    runs: int
    warmup: int
    xnnpack: bool
    cpus: list[int]
    parent: int
    seed: int = 0


@dataclass(frozen=True)
class Report:
    """What was seen; times in ms, memory (of the whole process, Python too) in 10⁶ bytes."""

    samples_ms: list[float]
    init_ms: float
    first_ms: float
    warmup_ms: float | None
    peak_mem_mb: float | None
    partitions: int | None
    cpus: list[int]


@dataclass(frozen=True)
class Model:
    """A loaded model: set every input, run once, count the delegate's partitions."""

    fill: Callable[[Any], None]
    invoke: Callable[[], object]
    partitions: Callable[[], int | None]


class Failure(Exception):
    """Ends the launch with an error line of ``kind``."""

    def __init__(self, kind: str, cause: BaseException | str) -> None:
        super().__init__(str(cause) or type(cause).__name__)
        self.kind = kind


def main() -> NoReturn:
    job = Job(**json.loads(sys.argv[1]))
    _die_with(job.parent)
    # Third-party libraries print to the C stdout as well: keep a private copy for our one line.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        line, code = json.dumps(asdict(measure(job))), 0
    except Failure as failure:
        line, code = json.dumps({"error": failure.kind, "message": str(failure)}), 1
    answer.write(line + "\n")
    answer.flush()
    sys.stderr.flush()
    os._exit(code)  # a runtime's destructors are not part of the measurement, and may crash


def measure(job: Job) -> Report:
    """One launch. Raises Failure."""
    if job.cpus:
        os.sched_setaffinity(0, job.cpus)
    open_model = _import(job.runtime)
    with _failing("model"):
        started = time.perf_counter_ns()
        model = open_model(job)
        init_ns = time.perf_counter_ns() - started
        model.fill(_generator(job.seed))
        early = _timed(model.invoke, max(job.warmup, 1))
    with _failing("run"):
        # Without a warm-up the first inference is itself the first timed run.
        samples = _timed(model.invoke, job.runs) if job.warmup else early
        samples += _timed(model.invoke, job.runs - len(samples))
    return Report(
        samples_ms=[ns / 1e6 for ns in samples],
        init_ms=init_ns / 1e6,
        first_ms=early[0] / 1e6,
        warmup_ms=sum(early) / len(early) / 1e6 if job.warmup else None,
        peak_mem_mb=_peak_mem_mb(),
        partitions=model.partitions(),
        cpus=_affinity(),
    )


def _timed(invoke: Callable[[], object], runs: int) -> list[int]:
    """Nanoseconds of each run, with Python's garbage collector out of the way."""
    clock = time.perf_counter_ns
    taken = [0] * runs
    gc.disable()
    for n in range(runs):
        start = clock()
        invoke()
        taken[n] = clock() - start
    gc.enable()
    return taken


@contextlib.contextmanager
def _failing(kind: str) -> Any:
    try:
        yield
    except Exception as error:
        raise Failure(kind, error) from error


def _import(runtime: str) -> Callable[[Job], Model]:
    module, open_model = RUNTIME_MODULES[runtime]
    try:
        loaded = importlib.import_module(module)
        importlib.import_module("numpy")
    except ModuleNotFoundError as error:
        raise Failure("missing", error.name or module) from error
    except Exception as error:
        raise Failure("runtime", error) from error
    return lambda job: open_model(loaded, job)


def _open_tflite(module: Any, job: Job) -> Model:
    resolvers = module.OpResolverType
    interpreter = module.Interpreter(
        model_path=job.model,
        num_threads=job.threads,
        experimental_op_resolver_type=(
            resolvers.AUTO if job.xnnpack else resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ),
    )
    interpreter.allocate_tensors()

    def fill(generator: Any) -> None:
        for tensor in interpreter.get_input_details():
            value = _random(generator, tensor["dtype"], tuple(tensor["shape"]))
            interpreter.set_tensor(tensor["index"], value)

    return Model(fill, interpreter.invoke, lambda: _delegate_nodes(interpreter))


def _delegate_nodes(interpreter: Any) -> int | None:
    """How many parts of the graph a delegate took; both wheels tell it in private only."""
    try:
        inner = interpreter._interpreter
        names = [inner.NodeName(n) for n in range(inner.NumNodes())]
        return names.count("DELEGATE")
    except Exception:
        return None


def _open_onnx(module: Any, job: Job) -> Model:
    options = module.SessionOptions()
    options.intra_op_num_threads = job.threads
    options.inter_op_num_threads = 1
    options.execution_mode = module.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = module.InferenceSession(
        job.model, sess_options=options, providers=["CPUExecutionProvider"]
    )
    binding = session.io_binding()  # else every run would copy its inputs from numpy
    for output in session.get_outputs():
        binding.bind_output(output.name)

    def fill(generator: Any) -> None:
        for tensor in session.get_inputs():
            shape = tuple(n if isinstance(n, int) and n >= 0 else 1 for n in tensor.shape)
            value = _random(generator, _onnx_dtype(tensor.type), shape)
            binding.bind_cpu_input(tensor.name, value)

    return Model(fill, lambda: session.run_with_iobinding(binding), lambda: None)


def _onnx_dtype(name: str) -> Any:
    """``tensor(float)`` → numpy.float32. Raises ValueError for what numpy does not have."""
    import numpy as np

    inner = name.removeprefix("tensor(").removesuffix(")")
    try:
        return np.dtype({"float": "float32", "double": "float64"}.get(inner, inner)).type
    except TypeError:
        raise ValueError(f"an input of the type {name} cannot be filled at random") from None


# runtime -> its module, and what opens a model with it
RUNTIME_MODULES: dict[str, tuple[str, Callable[[Any, Job], Model]]] = {
    "litert": ("ai_edge_litert.interpreter", _open_tflite),
    "tflite-runtime": ("tflite_runtime.interpreter", _open_tflite),
    "onnxruntime": ("onnxruntime", _open_onnx),
}


def _generator(seed: int) -> Any:
    import numpy as np

    return np.random.default_rng(seed)


def _random(generator: Any, dtype: Any, shape: tuple[int, ...]) -> Any:
    """Uniform: 0 to 1 for floats, the type's whole range for integers."""
    import numpy as np

    kind = np.dtype(dtype)
    if kind.kind == "f":
        return np.asarray(generator.random(shape), dtype=kind)
    if kind.kind == "b":
        return np.asarray(generator.integers(0, 2, shape), dtype=kind)
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        return np.asarray(
            generator.integers(limits.min, limits.max, shape, dtype=kind, endpoint=True)
        )
    raise ValueError(f"an input of the type {kind} cannot be filled at random")


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
    """The cores that any of this process's threads may use; [] where that is not told."""
    cpus: set[int] = set()
    with contextlib.suppress(OSError, AttributeError):
        for thread in os.listdir("/proc/self/task"):
            with contextlib.suppress(ProcessLookupError):
                cpus |= os.sched_getaffinity(int(thread))
    return sorted(cpus)


def _die_with(parent: int) -> None:
    """Have the kernel kill this process with its parent, even if that gets no chance to."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash is reported, not kept
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)


if __name__ == "__main__":
    main()
