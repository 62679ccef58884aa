"""The network with its weights, as it is exported, and what its files are judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ghostdeploy import zoo
from ghostdeploy.commands.artifacts import weights_identity
from ghostdeploy.commands.export.request import ExportRequest
from ghostdeploy.schema import ForeignSpec, ModelSpec
from ghostdeploy.zoo.cost import Cost, count_cost

if TYPE_CHECKING:
    from onnx import ModelProto

    from ghostdeploy.lowering.deploy import DeployNetwork
    from ghostdeploy.lowering.inference import Inputs
    from ghostdeploy.lowering.parity import Array
    from ghostdeploy.quantization.calibration import CalibrationData
    from ghostdeploy.quantization.ranges import Range
    from ghostdeploy.zoo.network import ConvNet


def build_network(spec: ModelSpec, weights: Path | None, seed: int) -> ConvNet:
    """Build the torch network of ``spec`` with its weights, in eval mode.

    ``weights`` is a checkpoint, None for the weights that ``seed`` gives. Raises InputFileError
    for a checkpoint that is damaged or another network's, MissingExtraError without torch.
    """
    network = zoo.build(spec)
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

    network: ConvNet
    form: DeployNetwork
    bounds: dict[str, Range] | None


def build_for_export(request: ExportRequest, data: CalibrationData | None) -> BuiltNetwork:
    """Build the network of ``request``, and even out its channels where int8 wants that.

    ``data`` are the images of a calibrated precision, None for another one.
    """
    network = build_network(request.zoo_spec, request.weights, request.seed)
    from ghostdeploy.lowering.deploy import DeployNetwork

    form = DeployNetwork(network, request.export)
    if data and request.quantize.equalize:
        from ghostdeploy.quantization.equalize import equalize

        equalize(form, data.inputs)
    bounds = None
    if data and request.quantize.ranges == "bn":
        from ghostdeploy.quantization import bn

        folded = DeployNetwork(network, request.export)
        bounds = bn.bounds(network, folded.net, form.net)
    return BuiltNetwork(network, form, bounds)


@dataclass(frozen=True)
class LoweredNetwork:
    """The network as ONNX, and what it says itself: the truth that every file is judged by.

    ``outputs`` are the outputs' names, ``references`` their values for each of ``inputs``: an image
    (1, 3, H, W), or all inputs by name. ``inner`` are the inner tensors for ``inputs[1]``, by their
    ONNX names, and ``lines`` the user's lines that they come from. ``truth`` is what computed them.
    ``cautions`` say what the comparison does not show.
    """

    model: ModelProto
    outputs: tuple[str, ...]
    inputs: Sequence[Inputs]
    references: Sequence[Sequence[Array]]
    inner: Mapping[str, Array]
    bounds: Mapping[str, Range] | None
    truth: str = "torch"
    lines: Mapping[str, str] = field(default_factory=dict)
    cautions: tuple[str, ...] = ()


class ExportableNetwork(Protocol):
    """What an export is made of, wherever it comes from."""

    @property
    def spec(self) -> ModelSpec | ForeignSpec:
        """What the network is."""

    @property
    def weights(self) -> str:
        """The identity of its weights."""

    @property
    def cost(self) -> Cost | None:
        """Its parameters and multiply-accumulates, None where they are not known."""

    def lower(
        self, request: ExportRequest, data: CalibrationData | None, facts: dict[str, str]
    ) -> LoweredNetwork:
        """Bring it to ONNX, which carries ``facts``, and compute what it says itself.

        ``data`` are the images of a calibrated precision, None for another one. Raises
        ConversionError where it cannot be exported.
        """


@dataclass(frozen=True)
class ZooNetwork:
    """The network of the zoo that ``request`` asks for; torch comes in with ``lower``."""

    request: ExportRequest

    @property
    def spec(self) -> ModelSpec:
        """Its row of the zoo, its width and its options."""
        return self.request.zoo_spec

    @cached_property
    def weights(self) -> str:
        """The identity of the checkpoint, or the seed."""
        return weights_identity(self.request.weights, self.request.seed)

    @property
    def cost(self) -> Cost | None:
        """Its parameters and multiply-accumulates as it is exported."""
        return count_cost(self.spec, features=self.request.export.features)

    def lower(
        self, request: ExportRequest, data: CalibrationData | None, facts: dict[str, str]
    ) -> LoweredNetwork:
        """Build the torch network, and export it to ONNX with BN folded."""
        from ghostdeploy.lowering.deploy import reference_outputs
        from ghostdeploy.lowering.onnx_models import set_metadata
        from ghostdeploy.lowering.parity import example_inputs
        from ghostdeploy.lowering.to_onnx import output_names, to_onnx

        built = build_for_export(request, data)
        exported = to_onnx(built.form, self.spec.resolution)
        set_metadata(exported.model, facts)
        inputs = example_inputs(self.spec, request.export)
        return LoweredNetwork(
            model=exported.model,
            outputs=output_names(built.form),
            inputs=inputs,
            references=[reference_outputs(built.network, request.export, x) for x in inputs],
            inner=exported.torch_values(inputs[1]),
            bounds=built.bounds,
        )
