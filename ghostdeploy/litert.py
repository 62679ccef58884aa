"""One way to open a TFLite model in LiteRT, or in tflite-runtime, whose interface is the same.

Nothing heavy is imported before a model is opened: a launch's child process imports this too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from ghostdeploy.errors import MissingExtraError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TensorDetails(TypedDict):
    """What LiteRT tells of a tensor; ``quantization`` is (scale, zero point), (0.0, 0) without."""

    name: str
    index: int
    shape: NDArray[np.int32]
    dtype: type[np.generic]
    quantization: tuple[float, int]


class OperatorDetails(TypedDict):
    """What LiteRT tells of a node; a delegate's kernel is called ``DELEGATE``."""

    index: int
    op_name: str
    inputs: NDArray[np.int32]
    outputs: NDArray[np.int32]


class SignatureRunner(Protocol):
    """A model's signature, to be called with inputs by name."""

    def __call__(self, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Run on inputs by name; returns outputs by name."""

    def get_input_details(self) -> dict[str, TensorDetails]:
        """Return what the inputs are."""

    def get_output_details(self) -> dict[str, TensorDetails]:
        """Return what the outputs are."""


class Interpreter(Protocol):
    """The part of LiteRT's ``Interpreter`` that is used here."""

    def allocate_tensors(self) -> None:
        """Make room for all tensors; XNNPACK takes its part of the graph."""

    def resize_tensor_input(self, index: int, shape: Sequence[int]) -> None:
        """Give an input another shape, before tensors are allocated."""

    def invoke(self) -> None:
        """Run once."""

    def get_tensor(self, index: int) -> NDArray[Any]:
        """Return a copy of a tensor."""

    def set_tensor(self, index: int, value: NDArray[Any]) -> None:
        """Copy values of its very type and shape into a tensor."""

    def get_input_details(self) -> list[TensorDetails]:
        """Return what the inputs are."""

    def get_output_details(self) -> list[TensorDetails]:
        """Return what the outputs are."""

    def get_tensor_details(self) -> list[TensorDetails]:
        """Return what all tensors are."""

    def get_signature_list(self) -> Mapping[str, object]:
        """Return the signatures by name."""

    def get_signature_runner(self, signature_key: str | None = None) -> SignatureRunner:
        """Return what calls a signature, by default the only one."""

    def _get_ops_details(self) -> list[OperatorDetails]:
        """Return what all nodes are."""


def open_interpreter(
    model: bytes | str | Path,
    *,
    threads: int,
    xnnpack: bool = True,
    keep_tensors: bool = False,
    runtime: Any = None,
) -> Interpreter:
    """Open a TFLite model, given as its content or its path; tensors are not allocated yet.

    Without ``xnnpack`` TFLite's builtin kernels run everything. ``keep_tensors`` leaves each inner
    tensor readable after a run; XNNPACK keeps its own to itself even so. ``runtime`` is the
    interpreter module of LiteRT (imported where none is given) or of tflite-runtime. Raises
    MissingExtraError without LiteRT, ValueError or RuntimeError for what it cannot load.
    """
    module = _import_litert() if runtime is None else runtime
    source = {"model_content": model} if isinstance(model, bytes) else {"model_path": str(model)}
    resolvers = module.OpResolverType
    opened: Interpreter = module.Interpreter(
        **source,
        num_threads=threads,
        experimental_op_resolver_type=(
            resolvers.AUTO if xnnpack else resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ),
        experimental_preserve_all_tensors=keep_tensors,
    )
    return opened


def resize_inputs(interpreter: Interpreter, shapes: Mapping[str, Sequence[int]]) -> None:
    """Give inputs the shapes that ``shapes`` holds by their names, before tensors are allocated."""
    for tensor in interpreter.get_input_details():
        if tensor["name"] in shapes:
            interpreter.resize_tensor_input(tensor["index"], list(shapes[tensor["name"]]))


def _import_litert() -> Any:
    try:
        from ai_edge_litert import interpreter
    except ModuleNotFoundError as error:
        raise MissingExtraError("ai-edge-litert", "local") from error
    return interpreter


def operators_of(interpreter: Interpreter) -> list[OperatorDetails]:
    """Return every node that ``interpreter`` ever had; LiteRT tells them in private only."""
    return interpreter._get_ops_details()
