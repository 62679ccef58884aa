"""A network that is not the zoo's, from where it was named to ONNX and the truth about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostdeploy.commands.export.network import LoweredNetwork
from ghostdeploy.commands.export.request import ExportRequest
from ghostdeploy.files import check_input
from ghostdeploy.lowering.pixel_metadata import read_normalization
from ghostdeploy.runners.host.trial_run import refuse_deadly
from ghostdeploy.schema import ForeignSpec, Normalization
from ghostdeploy.sources import open_source
from ghostdeploy.sources.reference import NetworkReference
from ghostdeploy.zoo.cost import Cost

if TYPE_CHECKING:
    from ghostdeploy.quantization.calibration import CalibrationData
    from ghostdeploy.sources.loaded import Feed, LoadedNetwork

SHOWN = 3


@dataclass(frozen=True)
class ForeignNetwork:
    """A loaded network of others, to be exported as ``request`` says."""

    loaded: LoadedNetwork

    @property
    def spec(self) -> ForeignSpec:
        """What is known of it."""
        return self.loaded.spec

    @property
    def weights(self) -> str:
        """The identity of its weights, and of its graph."""
        return f"sha256:{self.spec.identity}"

    @property
    def cost(self) -> Cost | None:
        """Its parameters and multiply-accumulates, None where they are not known."""
        found = self.loaded
        if found.parameters is None or found.macs is None:
            return None
        return Cost(found.parameters, found.macs)

    def lower(
        self, request: ExportRequest, data: CalibrationData | None, facts: dict[str, str]
    ) -> LoweredNetwork:
        """Bring the network to ONNX and compute what it says itself.

        ``data`` are the images of a calibrated precision, of which nothing is made here. Raises
        ConversionError where torch cannot export it.
        """
        from ghostdeploy.lowering import ends
        from ghostdeploy.lowering.onnx_models import lines_of, set_metadata
        from ghostdeploy.lowering.parity import find_constant

        inside = self._inside(request)
        model, values_of = self._open()
        feeds = [_as_pixels(feed) if inside else feed for feed in self.loaded.feeds]
        judged = [{n: ends.normalized(x, inside) for n, x in feed.items()} for feed in feeds]
        inner = values_of(judged[1])
        if inside:
            ends.embed_normalization(model, inside)
        if request.export.softmax:
            ends.append_softmax(model)
        set_metadata(model, facts)
        run = ends.with_ends(self.loaded.run, inside, request.export.softmax)
        outputs = tuple(output.name for output in model.graph.output)
        return LoweredNetwork(
            model=model,
            outputs=outputs,
            inputs=feeds,
            references=[run(dict(feed)) for feed in feeds],
            inner={n: x for n, x in inner.items() if n not in self.spec.outputs or n in outputs},
            bounds=None,
            truth=self.loaded.truth,
            lines=lines_of(model),
            cautions=_tell_constant(find_constant(inner)),
        )

    def _inside(self, request: ExportRequest) -> Normalization | None:
        """Return the normalization that goes into the file, None where the caller normalizes."""
        if not request.export.embed_preprocessing:
            return None
        return self.spec.required_normalization("--embed-preprocessing")

    def _open(self) -> tuple[Any, Callable[[Feed], dict[str, Any]]]:
        """Return the network as ONNX, and a function to every inner tensor of it by name."""
        names = [each.name for each in self.spec.inputs]
        if self.loaded.program is not None:
            from ghostdeploy.lowering.to_onnx import program_to_onnx

            exported = program_to_onnx(self.loaded.program, names, self.spec.outputs)
            return exported.model, lambda feed: exported.torch_values(*(feed[n] for n in names))
        from ghostdeploy.lowering.onnx_names import plain_names

        model = plain_names(self.loaded.model)
        return model, lambda feed: _onnx_values(model, feed)


def _onnx_values(model: Any, feed: Feed) -> dict[str, Any]:
    from ghostdeploy.lowering.inference import load_onnx
    from ghostdeploy.lowering.onnx_models import with_all_values

    names = [name for node in model.graph.node for name in node.output if name]
    return load_onnx(with_all_values(model, names), names, optimize=False)(feed)


def _as_pixels(feed: Feed) -> dict[str, Any]:
    """Return images of the same pictures in 0–255, whatever scale they are drawn in."""
    import numpy as np

    def stretch(x: Any) -> Any:
        low, high = float(x.min()), float(x.max())
        return (255.0 * (x - low) / max(high - low, 1e-12)).astype(np.float32)

    return {name: stretch(x) for name, x in feed.items()}


def _tell_constant(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        return ()
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    shown = ", ".join(names[:SHOWN])
    return (
        f"{len(names)} inner tensors hardly vary, and that they are alike proves little:"
        f" {shown}{more}",
    )


def open_foreign(reference: NetworkReference) -> ForeignNetwork:
    """Load what a reference names. Raises what ``open_source`` raises."""
    if reference.kind == "onnx":
        path = Path(reference.place)
        check_input(path)
        refuse_deadly(path)
        known = reference.own.normalization or read_normalization(path)
        reference = replace(reference, own=replace(reference.own, normalization=known))
    return ForeignNetwork(open_source(reference))
