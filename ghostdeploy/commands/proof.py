"""Is a model file its network's function? It is run, and every tensor compared with the network's.

Heavy to import: the runtimes' arrays are NumPy's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghostdeploy.lowering import inference
from ghostdeploy.lowering.inference import Inputs
from ghostdeploy.lowering.onnx_models import with_all_values
from ghostdeploy.lowering.parity import Array
from ghostdeploy.lowering.provenance import tool_versions
from ghostdeploy.schema import Parity

if TYPE_CHECKING:
    import onnx


@dataclass(frozen=True)
class Candidate:
    """A model file in its ``runtime``, to be compared with the network that it was made from.

    ``run`` takes an image (1, 3, H, W), or inputs by name, and gives the outputs by name, in
    torch's layout; ``inner`` are the inner tensors for one such input, by name.
    """

    runtime: str
    run: Callable[[Inputs], dict[str, Array]]
    inner: dict[str, Array]


def open_onnx(
    model: onnx.ModelProto,
    data: bytes,
    outputs: Sequence[str],
    inner: Sequence[str],
    given: Inputs,
    name: str = "the model",
) -> Candidate:
    """Open ``model``, serialized as ``data``, in onnxruntime; ``inner`` names tensors to look at.

    The latter are those for the inputs ``given``. Raises InputFileError, which calls the model
    ``name``, where it cannot be run.
    """
    runtime = f"onnxruntime {tool_versions()['onnxruntime']}"
    run = inference.load_onnx(data, outputs, name=name)
    if not inner:  # asked for nothing, onnxruntime refuses
        return Candidate(runtime, run, {})
    inspect = inference.load_onnx(with_all_values(model, inner), inner, name=name)
    return Candidate(runtime, run, inspect(given))


def open_tflite(data: bytes, given: Inputs, name: str = "the model") -> Candidate:
    """Open a TFLite model in LiteRT; its inner tensors are those for the inputs ``given``.

    Raises InputFileError, which calls the model ``name``, where it cannot be run.
    """
    runtime = f"LiteRT {tool_versions()['ai-edge-litert']}"
    inner = inference.load_tflite_layers(data, name)(given)
    return Candidate(runtime, inference.load_tflite(data, name=name), inner)


def describe_parity(
    proof: Parity,
    layers: Mapping[str, float],
    truth: str = "torch",
    lines: Mapping[str, str] | None = None,
) -> str:
    """Return one line on a comparison, naming the first layer that differs where one does.

    ``layers`` are the relative L2 distances of the inner tensors, in graph order, ``lines`` the
    user's lines that they come from. ``truth`` is what computed what they are compared with.
    """
    limit = proof.tolerance_layer_rel_l2
    first = next((name for name, error in layers.items() if not error <= limit), "")
    if first:
        where = f" ({lines[first]})" if lines and first in lines else ""
        return (
            f"not the {truth} network's function: {first}{where} is the first layer that differs"
            f" (relative L2 {layers[first]:.1e}, tolerance {limit:.0e})"
        )
    same = f"{'' if proof.passed else 'not '}the {truth} network's function"
    inner = f"inner tensors by {proof.worst_layer_rel_l2:.1e}"
    if not proof.layers:
        inner = "no inner tensor was compared: none has a name of the network's"
    return (
        f"{same}: outputs differ by a relative L2 of {proof.rel_l2:.1e} (tolerance"
        f" {proof.tolerance_rel_l2:.0e}), {inner}"
    )
