"""A torch module as it is exported: in eval mode, on the CPU, in float32, with its weights."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import torch
from torch import nn

from ghostdeploy.errors import UsageError
from ghostdeploy.schema import InputSpec, Normalization
from ghostdeploy.sources.examples import draw_feeds
from ghostdeploy.sources.inputs import declared_inputs, settle_inputs
from ghostdeploy.sources.loaded import Feed, LoadedNetwork
from ghostdeploy.sources.program import export_module, load_program, tensors_of
from ghostdeploy.sources.python_code import user_code
from ghostdeploy.sources.reference import HUB, OWN, NetworkReference
from ghostdeploy.sources.seeding import is_fresh, seed_network
from ghostdeploy.zoo.weights import load_weights

REPARAMETERIZERS = ("reparameterize", "switch_to_deploy", "fuse", "fuse_model", "reparam")
SEED_IMAGES = 4


def load_module(
    made: object,
    reference: NetworkReference,
    example: object = None,
    normalization: Normalization | None = None,
    license: str = "",
) -> LoadedNetwork:
    """Load what a user's function made.

    ``example`` is what its file says of the inputs, ``normalization`` what its publisher says of
    pixels. Raises UsageError for what is no network, for inputs that do not fit, and where torch
    cannot export it.
    """
    module = _checked(made, reference)
    notes = [*_move(module), *_find_reparameterizable(module)]
    inputs = settle_inputs(declared_inputs(reference, example), parameters_of(module), reference)
    feeds = draw_feeds(inputs, normalization or reference.own.normalization, reference, example)
    notes += _give_weights(module, reference, inputs, feeds)
    _evaluate(module, reference)
    with user_code(f"running {reference.text}"), torch.no_grad():
        module(*tensors_of(feeds[0], inputs))
    program = export_module(module, tensors_of(feeds[0], inputs), reference)
    return load_program(
        program,
        reference,
        inputs,
        feeds,
        eager=module,
        normalization=reference.own.normalization or normalization,
        license=license,
        notes=tuple(notes),
    )


def parameters_of(module: nn.Module) -> dict[str, bool]:
    """Return the names of what forward takes, and of each whether it must be given."""
    parameters = inspect.signature(module.forward).parameters.values()
    named = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {p.name: p.default is p.empty for p in parameters if p.kind in named}


def _checked(made: object, reference: NetworkReference) -> nn.Module:
    """Return the module. Raises UsageError for anything else."""
    if isinstance(made, torch.jit.ScriptModule):
        raise UsageError(f"{reference.text} gives a TorchScript module; give the nn.Module itself")
    if not isinstance(made, nn.Module):
        kind = type(made).__name__
        raise UsageError(f"{reference.text} gives a {kind}, not a torch.nn.Module")
    return made


def _move(module: nn.Module) -> list[str]:
    """Bring weights to the CPU and to float32, in place; returns what was done, in words."""
    tensors = [*module.parameters(), *module.buffers()]
    if any(tensor.is_meta for tensor in tensors):
        raise UsageError("its weights are on the meta device: they have no values")
    kinds = {t.dtype for t in tensors if t.is_floating_point()} - {torch.float32}
    devices = {t.device.type for t in tensors} - {"cpu"}
    if any(t.is_complex() for t in tensors):
        raise UsageError("it has complex weights, which neither ONNX nor TFLite computes with")
    module.to(device="cpu", dtype=torch.float32)
    notes = []
    if kinds:
        names = ", ".join(sorted(str(kind).removeprefix("torch.") for kind in kinds))
        notes.append(f"weights in {names} were converted to float32")
    if devices:
        notes.append(f"weights on {', '.join(sorted(devices))} were moved to the CPU")
    return notes


def _find_reparameterizable(module: nn.Module) -> list[str]:
    """Tell of layers that could be merged for inference, and were not."""
    for name in REPARAMETERIZERS:
        found = [m for m in module.modules() if callable(getattr(m, name, None))]
        if found:
            return [
                f"{len(found)} of its modules have {name}(), which was not called: it is exported"
                " in the form that it is trained in"
            ]
    return []


def _give_weights(
    module: nn.Module,
    reference: NetworkReference,
    inputs: Sequence[InputSpec],
    feeds: Sequence[Feed],
) -> list[str]:
    """Load the checkpoint, keep the module's own weights, or seed them; returns what, in words."""
    if reference.weights is not None:
        load_weights(module, reference.weights)
        return []
    if reference.own.keep == HUB:
        if reference.kind != "timm":
            raise UsageError(f"weights of the hub are for timm:NAME, not for {reference.text}")
        return ["weights of the hub"]
    if reference.own.keep == OWN or not is_fresh(module):
        return ["weights as the network brings them"]
    examples = [tensors_of(feed, inputs) for feed in feeds[:SEED_IMAGES]]
    with user_code(f"running {reference.text}"):
        seed_network(module, examples, reference.seed)
    return [f"seeded random weights (seed {reference.seed})"]


def _evaluate(module: nn.Module, reference: NetworkReference) -> None:
    """Put the module into eval mode. Raises UsageError where some part of it refuses."""
    module.eval()
    module.requires_grad_(False)
    training = [name or "the network" for name, m in module.named_modules() if m.training]
    if training:
        raise UsageError(
            f"{reference.text}: {training[0]} stays in training mode after .eval(); a file of it"
            " would drop values at random"
        )
