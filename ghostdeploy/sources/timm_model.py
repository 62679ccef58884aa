"""``timm:NAME``: a model of timm, with the preprocessing that its publisher states."""

from __future__ import annotations

import difflib
import sys
from importlib import import_module
from typing import Any

from ghostdeploy.errors import ConversionError, MissingExtraError, UsageError, error_line
from ghostdeploy.schema import InputSpec, Normalization
from ghostdeploy.sources.loaded import LoadedNetwork
from ghostdeploy.sources.python_code import user_code
from ghostdeploy.sources.reference import HUB, NetworkReference
from ghostdeploy.sources.torch_module import load_module

# torchvision from PyPI is built for CUDA; beside torch for the CPU its import ends with "operator
# torchvision::nms does not exist". Nothing here calls them: no classifier has one.
LACKING = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_libraries: list[Any] = []  # torch forgets what is defined in a library that is collected


def open_network(reference: NetworkReference) -> LoadedNetwork:
    """Build the model. Raises UsageError for a name that timm does not have."""
    timm = import_timm()
    arguments = dict(reference.own.arguments)
    if reference.num_classes is not None:
        arguments["num_classes"] = reference.num_classes
    import torch

    torch.manual_seed(reference.seed)
    network = _create(timm, reference, arguments)
    config = getattr(network, "pretrained_cfg", None) or {}
    sides = reference.resolution or tuple(config.get("input_size", (3, 224, 224)))[1:]
    example = InputSpec((1, int(config.get("input_size", (3,))[0]), *sides))
    mean, std = (config.get(name) for name in ("mean", "std"))
    known = Normalization(_triple(mean), _triple(std)) if mean and std else None
    return load_module(network, reference, example, known, str(config.get("license") or ""))


def import_timm() -> Any:
    """Import timm, past a torchvision that was built for another torch.

    Raises MissingExtraError where it is not installed.
    """
    try:
        return import_module("timm")
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "timm", "timm") from error
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise ConversionError(f"timm cannot be imported: {error_line(error)}") from error
    _define_lacking()
    for name in [n for n in sys.modules if n.split(".")[0] in ("torchvision", "timm")]:
        del sys.modules[name]
    try:
        return import_module("timm")
    except (ImportError, RuntimeError) as error:
        raise ConversionError(f"timm cannot be imported: {error_line(error)}") from error


def _define_lacking() -> None:
    import torch

    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    _libraries.append(library)
    for name, schema in LACKING.items():
        if not hasattr(torch.ops.torchvision, name):
            library.define(schema)


def _create(timm: Any, reference: NetworkReference, arguments: dict[str, object]) -> Any:
    name = reference.place
    if not timm.is_model(name.partition(".")[0]):
        known = timm.list_models()
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
        hint = f"did you mean {', '.join(near)}?" if near else f"it has {len(known)} others"
        raise UsageError(f"timm has no model {name!r}; {hint}")
    wanted = reference.own.keep == HUB
    if not wanted:
        with user_code(f"timm.create_model({name!r})"):
            return timm.create_model(name, pretrained=False, **arguments)
    try:
        return timm.create_model(name, pretrained=True, **arguments)
    except Exception as error:  # the hub's, the network's and timm's own kinds
        raise ConversionError(
            f"the hub's weights of {name} cannot be had: {error_line(error, 200)}"
        ) from error


def _triple(values: Any) -> tuple[float, float, float]:
    first, second, third = (tuple(map(float, values)) * 3)[:3]
    return first, second, third
