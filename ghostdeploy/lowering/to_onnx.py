"""torch → ONNX: static shapes, names that say which module a node came from, metadata."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor

from ghostdeploy.errors import ConversionError, error_line
from ghostdeploy.lowering.deploy import DeployNetwork
from ghostdeploy.lowering.onnx_models import LINE, node_entry
from ghostdeploy.lowering.onnx_names import make_unique
from ghostdeploy.traces import users_line

OPSET = 18  # what torch's exporter writes without converting; every consumer here knows it
SCOPES = "pkg.torch.onnx.name_scopes"
STACK = "pkg.torch.onnx.stack_trace"
MODULE = "ghostdeploy.module"
INPUT = "image"


def output_names(network: DeployNetwork) -> tuple[str, ...]:
    """Return ``logits``, ``probabilities``, or ``stride4`` … ``stride32`` for feature maps."""
    if network.options.features:
        return tuple(f"stride{stride}" for stride in network.net.taps if stride >= 4)
    return ("probabilities",) if network.options.softmax else ("logits",)


@dataclass(frozen=True)
class Exported:
    """The ONNX model, the torch program it was made from, and how their values correspond.

    ``values`` maps a torch graph node's name to the ONNX value's.
    """

    model: onnx.ModelProto
    program: Any
    values: dict[str, str]

    def torch_values(self, *inputs: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        """Return every value of the torch graph for ``inputs``, by its ONNX name.

        A network of the zoo takes one image (1, 3, H, W).
        """
        recorder = _Recorder(self.program.module(), self.values)
        recorder.run(*map(torch.from_numpy, inputs))
        return {name: value.numpy() for name, value in recorder.seen.items()}


class _Recorder(torch.fx.Interpreter):
    """Runs a torch graph and keeps the values that have an ONNX name."""

    def __init__(self, module: torch.fx.GraphModule, names: dict[str, str]) -> None:
        super().__init__(module)
        self.names, self.seen = names, dict[str, Tensor]()

    def run_node(self, n: torch.fx.Node) -> Any:
        with torch.no_grad():
            result = super().run_node(n)
        if n.name in self.names and isinstance(result, Tensor):
            self.seen[self.names[n.name]] = result
        return result


def to_onnx(network: DeployNetwork, resolution: tuple[int, int]) -> Exported:
    """Export ``network`` for a batch of one. Raises ConversionError where torch cannot."""
    image = torch.zeros(1, 3, *resolution)
    return _export(network, (image,), [INPUT], output_names(network), root="net")


def program_to_onnx(program: Any, inputs: Sequence[str], outputs: Sequence[str]) -> Exported:
    """Export torch.export's ``program`` with its inputs and outputs called so.

    Nodes carry the user's line that they come from. Raises ConversionError where torch cannot.
    """
    return _export(program, (), inputs, outputs)


def _export(
    network: Any,
    args: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    root: str = "",
) -> Exported:
    """Export a module, or a program; ``root`` is the module in it that its names start at."""
    try:
        result = torch.onnx.export(
            network,
            args,
            dynamo=True,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        why = error_line(error, 400)
        raise ConversionError(f"torch could not export this network to ONNX: {why}") from error
    assert result is not None
    model = result.model_proto
    values = _name_by_module(model, root)
    return Exported(model, result.exported_program, values)


def _name_by_module(model: onnx.ModelProto, root: str) -> dict[str, str]:
    """Call nodes and values after the torch modules they came from; returns old → new values.

    The exporter's stack traces are dropped: they hold paths of the machine that exported. What a
    user can look up of them, such as net.py:42, stays.
    """
    fixed = {value.name for value in (*model.graph.output, *model.graph.input)}
    renamed: dict[str, str] = {}
    taken = set(fixed)
    for node in model.graph.node:
        module, op = _origin(node, root)
        line = users_line(node_entry(node, STACK))
        node.name = make_unique(f"{module}/{op}" if module else op, taken)
        for index, old in enumerate(node.output):
            new = node.name if index == 0 else f"{node.name}:{index}"
            renamed[old] = old if old in fixed else new
        del node.metadata_props[:]
        node.metadata_props.add(key=MODULE, value=module)
        if line:
            node.metadata_props.add(key=LINE, value=line)
    for node in model.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed[name] for name in node.output]
    for info in (*model.graph.value_info, *model.graph.output, *model.graph.input):
        info.name = renamed.get(info.name, info.name)
        del info.metadata_props[:]
    for initializer in model.graph.initializer:
        del initializer.metadata_props[:]
        initializer.doc_string = ""
    del model.graph.metadata_props[:]
    return renamed


def _origin(node: onnx.NodeProto, root: str) -> tuple[str, str]:
    """Return the innermost module's path and the operator: ("blocks.0.0.ghost1", "concat")."""
    # The exporter writes a Python list of quoted names.
    scopes = json.loads(node_entry(node, SCOPES).replace("'", '"') or "[]")
    modules = [scope for scope in scopes[:-1] if scope]
    module = modules[-1] if modules else ""
    if root:
        module = "" if module == root else module.removeprefix(f"{root}.")
    return module, node.op_type.lower()
