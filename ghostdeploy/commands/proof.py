"""Is a model file the torch network's function? It is run, and every tensor compared with torch's.

Heavy to import: the runtimes' arrays are NumPy's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghostdeploy.lowering import inference
from ghostdeploy.lowering.parity import Array
from ghostdeploy.lowering.provenance import tool_versions
from ghostdeploy.lowering.to_onnx import with_all_values
from ghostdeploy.schema import Parity

if TYPE_CHECKING:
    import onnx


@dataclass(frozen=True)
class Candidate:
    """A model file in its ``runtime``, to be compared with the torch network.

    ``run`` takes an image (1, 3, H, W) and gives the outputs by name, in torch's layout; ``inner``
    are the inner tensors for one image, by name.
    """

    runtime: str
    run: Callable[[Array], dict[str, Array]]
    inner: dict[str, Array]


def open_onnx(
    model: onnx.ModelProto,
    data: bytes,
    outputs: Sequence[str],
    inner: Sequence[str],
    image: Array,
    name: str = "the model",
) -> Candidate:
    """Open ``model``, serialized as ``data``, in onnxruntime; ``inner`` names tensors to look at.

    The latter are those for ``image`` (1, 3, H, W). Raises InputFileError, which calls the model
    ``name``, where it cannot be run.
    """
    runtime = f"onnxruntime {tool_versions()['onnxruntime']}"
    inspect = inference.load_onnx(with_all_values(model, inner), inner, name=name)
    return Candidate(runtime, inference.load_onnx(data, outputs, name=name), inspect(image))


def open_tflite(data: bytes, image: Array, name: str = "the model") -> Candidate:
    """Open a TFLite model in LiteRT; its inner tensors are those for ``image`` (1, 3, H, W).

    Raises InputFileError, which calls the model ``name``, where it cannot be run.
    """
    runtime = f"LiteRT {tool_versions()['ai-edge-litert']}"
    inner = inference.load_tflite_layers(data, name)(image)
    return Candidate(runtime, inference.load_tflite(data, name=name), inner)


def describe_parity(proof: Parity, layers: Mapping[str, float]) -> str:
    """Return one line on a comparison, naming the first layer that differs where one does.

    ``layers`` are the relative L2 distances of the inner tensors, in graph order.
    """
    limit = proof.tolerance_layer_rel_l2
    first = next((name for name, error in layers.items() if not error <= limit), "")
    if first:
        return (
            f"not the torch network's function: {first} is the first layer that differs"
            f" (relative L2 {layers[first]:.1e}, tolerance {limit:.0e})"
        )
    same = "the torch network's function" if proof.passed else "not the torch network's function"
    inner = f"inner tensors by {proof.worst_layer_rel_l2:.1e}"
    if not proof.layers:
        inner = "no inner tensor was compared: none has a name of the network's"
    return (
        f"{same}: outputs differ by a relative L2 of {proof.rel_l2:.1e} (tolerance"
        f" {proof.tolerance_rel_l2:.0e}), {inner}"
    )
