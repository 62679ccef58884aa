"""How each runtime of this machine opens a model, fills its inputs at random, and runs it.

A launch's child process imports this before it is pinned, so that numpy and the runtimes are
imported by its functions only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ghostdeploy.litert import open_interpreter, resize_inputs
from ghostdeploy.random_inputs import ValueRange, draw_input, draw_values


@dataclass(frozen=True)
class LoadedModel:
    """A model in a runtime, ready to run.

    ``fill`` sets every input from a numpy generator, of real values in a given range or of any,
    and of unquantized integers in the other; ``invoke`` runs the model once, and
    ``count_partitions`` counts the parts that a delegate took, None where that is not told.
    """

    fill: Callable[[Any, ValueRange | None, ValueRange], None]
    invoke: Callable[[], object]
    count_partitions: Callable[[], int | None]


Shapes = Mapping[str, tuple[int, ...]]  # of inputs that a model leaves open, by name
NO_SHAPES: Shapes = MappingProxyType({})


def open_tflite(
    module: Any, model: str, threads: int, xnnpack: bool, shapes: Shapes = NO_SHAPES
) -> LoadedModel:
    """Open a TFLite file with LiteRT's or tflite-runtime's interpreter ``module``."""
    interpreter = open_interpreter(model, threads=threads, xnnpack=xnnpack, runtime=module)
    resize_inputs(interpreter, shapes)
    interpreter.allocate_tensors()

    def fill(generator: Any, given: ValueRange | None, integers: ValueRange) -> None:
        for tensor in interpreter.get_input_details():
            value = draw_input(generator, tensor, given, integers)
            interpreter.set_tensor(tensor["index"], value)

    return LoadedModel(fill, interpreter.invoke, lambda: _delegate_nodes(interpreter))


def _delegate_nodes(interpreter: Any) -> int | None:
    """Count the parts of the graph that a delegate took; both wheels tell it in private only."""
    try:
        inner = interpreter._interpreter
        names = [inner.NodeName(n) for n in range(inner.NumNodes())]
        return names.count("DELEGATE")
    except Exception:
        return None


def open_onnx(module: Any, model: str, threads: int, xnnpack: bool, shapes: Shapes) -> LoadedModel:
    """Open an ONNX file with onnxruntime's CPU provider; it has no XNNPACK to switch."""
    options = module.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = module.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = module.InferenceSession(
        model, sess_options=options, providers=["CPUExecutionProvider"]
    )
    binding = session.io_binding()  # else every run would copy its inputs from numpy
    for output in session.get_outputs():
        binding.bind_output(output.name)

    def fill(generator: Any, given: ValueRange | None, integers: ValueRange) -> None:
        for tensor in session.get_inputs():
            left_open = tuple(n if isinstance(n, int) and n >= 0 else 1 for n in tensor.shape)
            shape, dtype = shapes.get(tensor.name, left_open), numpy_type_of(tensor.type)
            value = draw_values(generator, dtype, shape, given=given, integers=integers)
            binding.bind_cpu_input(tensor.name, value)

    return LoadedModel(fill, lambda: session.run_with_iobinding(binding), lambda: None)


def numpy_type_of(name: str) -> Any:
    """Return numpy.float32 for ``tensor(float)``, ONNX Runtime's name of a type, and so on.

    Raises ValueError for a type that numpy does not have.
    """
    import numpy as np

    inner = name.removeprefix("tensor(").removesuffix(")")
    try:
        return np.dtype({"float": "float32", "double": "float64"}.get(inner, inner)).type
    except TypeError:
        raise ValueError(f"an input of the type {name} cannot be filled at random") from None


# runtime -> its module, and what opens a model with it
OPENERS: dict[str, tuple[str, Callable[[Any, str, int, bool, Shapes], LoadedModel]]] = {
    "litert": ("ai_edge_litert.interpreter", open_tflite),
    "tflite-runtime": ("tflite_runtime.interpreter", open_tflite),
    "onnxruntime": ("onnxruntime", open_onnx),
}


def seed_generator(seed: int) -> Any:
    """Return numpy's generator that starts from ``seed``."""
    import numpy as np

    return np.random.default_rng(seed)
