"""The torch network with its weights, as it is exported, and what its files are judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ghostdeploy import zoo
from ghostdeploy.commands.export.request import ExportRequest
from ghostdeploy.schema import ModelSpec

if TYPE_CHECKING:
    from ghostdeploy.export.deploy import DeployNetwork
    from ghostdeploy.export.parity import Array
    from ghostdeploy.export.to_onnx import Exported
    from ghostdeploy.quantize.calibration import CalibrationData
    from ghostdeploy.quantize.ranges import Range
    from ghostdeploy.zoo.ghostnetv1 import GhostNet


def build_network(spec: ModelSpec, weights: Path | None, seed: int) -> GhostNet:
    """Build the torch network of ``spec`` with its weights, in eval mode.

    ``weights`` is a checkpoint, None for the weights that ``seed`` gives. Raises InputFileError
    for a checkpoint that is damaged or another network's, MissingExtraError without torch.
    """
    network = cast("GhostNet", zoo.build(spec))
    from ghostdeploy.zoo.weights import load_weights, seed_weights

    if weights is None:
        seed_weights(network, seed)
    else:
        load_weights(network, weights)
    return network


@dataclass(frozen=True)
class BuiltNetwork:
    """The torch network, its form to be exported, and the ranges that BN gives its modules.

    ``bounds`` are None where BN does not decide the ranges.
    """

    network: GhostNet
    form: DeployNetwork
    bounds: dict[str, Range] | None


def build_for_export(request: ExportRequest, data: CalibrationData | None) -> BuiltNetwork:
    """Build the network of ``request``, and even out its channels where int8 wants that.

    ``data`` are the images of a calibrated precision, None for another one.
    """
    network = build_network(request.spec, request.weights, request.seed)
    from ghostdeploy.export.deploy import DeployNetwork

    form = DeployNetwork(network, request.export)
    if data and request.quantize.equalize:
        from ghostdeploy.quantize.equalize import equalize

        equalize(form, data.inputs)
    bounds = None
    if data and request.quantize.ranges == "bn":
        from ghostdeploy.quantize import bn

        folded = DeployNetwork(network, request.export)
        bounds = bn.bounds(network, folded.net, form.net)
    return BuiltNetwork(network, form, bounds)


@dataclass(frozen=True)
class LoweredNetwork:
    """The network as ONNX, and what torch computes: the truth that every file is judged by.

    ``outputs`` are the outputs' names, ``references`` their values for each of ``inputs``
    (1, 3, H, W); ``inner`` are the inner tensors for ``inputs[1]``, by their ONNX names.
    """

    exported: Exported
    outputs: tuple[str, ...]
    inputs: list[Array]
    references: list[list[Array]]
    inner: dict[str, Array]
    bounds: Mapping[str, Range] | None


def lower_network(
    built: BuiltNetwork, request: ExportRequest, facts: dict[str, str]
) -> LoweredNetwork:
    """Export a built network to ONNX, which carries ``facts``, and compute what torch says.

    Raises ConversionError where torch cannot export it.
    """
    from ghostdeploy.export.deploy import reference_outputs
    from ghostdeploy.export.parity import example_inputs
    from ghostdeploy.export.to_onnx import output_names, set_metadata, to_onnx

    exported = to_onnx(built.form, request.spec.resolution)
    set_metadata(exported.model, facts)
    inputs = example_inputs(request.spec, request.export)
    return LoweredNetwork(
        exported=exported,
        outputs=output_names(built.form),
        inputs=inputs,
        references=[reference_outputs(built.network, request.export, image) for image in inputs],
        inner=exported.torch_values(inputs[1]),
        bounds=built.bounds,
    )
