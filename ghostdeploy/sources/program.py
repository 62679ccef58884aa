"""``program.pt2``, and what torch.export makes of a module: a graph with its weights."""

from __future__ import annotations

import hashlib
import json
import os
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from ghostdeploy.errors import InputFileError, UsageError, error_line
from ghostdeploy.files import check_input
from ghostdeploy.schema import ForeignSpec, InputSpec, Normalization
from ghostdeploy.sources.examples import draw_feeds
from ghostdeploy.sources.inputs import OpenInput, bind_inputs
from ghostdeploy.sources.loaded import Feed, LoadedNetwork
from ghostdeploy.sources.reference import NetworkReference
from ghostdeploy.traces import describe_failure

MAX_JSON_BYTES = 256_000_000
# What sizes are written with; torch evaluates them, so nothing else may stand there.
SYMBOL = re.compile(r"Symbol\('\w{1,40}'(, \w+=(True|False))*\)")
EXPRESSION = re.compile(r"[\w\s+\-*/().,<>=&|~!%\[\]]*")
TRAINING = {  # operator -> where its arguments say that it trains
    "aten.batch_norm.default": 5,
    "aten.dropout.default": 2,
    "aten.feature_dropout.default": 2,
    "aten.alpha_dropout.default": 2,
    "aten.instance_norm.default": 5,
}


def open_network(reference: NetworkReference) -> LoadedNetwork:
    """Load a program that torch.export.save wrote.

    Raises InputFileError for a file that is none or is damaged, UsageError for one that is in
    training mode, has open sizes or is of another torch.
    """
    path = Path(reference.place)
    if reference.weights or reference.own.keep:
        raise UsageError(f"{path.name} has its weights in it: leave out --weights")
    program = read_program(path)
    _refuse_training(program, path)
    found = _inputs_of(program, path)
    inputs = bind_inputs(found, reference, path.name)
    known = reference.own.normalization
    feeds = draw_feeds(inputs, known, reference)
    if any(None in each.sides for each in found):
        program = export_module(program.module(), tensors_of(feeds[0], inputs), reference)
    return load_program(program, reference, inputs, feeds, normalization=known)


def read_program(path: Path) -> Any:
    """Read a .pt2 file without running code that it may hold. Raises InputFileError."""
    check_input(path)
    made_by = _check_archive(path)
    try:
        with _only_tensors():
            return torch.export.load(path)
    except Exception as error:  # torch raises all kinds; each means the same to a user
        raise InputFileError(
            f"{path.name} cannot be loaded by torch {torch.__version__}{made_by}:"
            f" {error_line(error, 200)}"
        ) from error


@contextmanager
def _only_tensors() -> Iterator[None]:
    """Have torch.load take tensors only, wherever torch itself calls it."""
    name = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _check_archive(path: Path) -> str:
    """Refuse what is no archive of tensors and sizes; returns whose torch wrote it, in words."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info for info in archive.infolist() if info.filename.endswith(".json")]
            if sum(info.file_size for info in names) > MAX_JSON_BYTES:
                raise InputFileError(f"{path.name} has a graph of more than 256 MB")
            parsed = {info.filename: json.loads(archive.read(info)) for info in names}
    except (OSError, zipfile.BadZipFile, ValueError, RecursionError, NotImplementedError) as error:
        raise InputFileError(
            f"{path.name} is not a program of torch.export.save: it is damaged or of another kind"
        ) from error
    if not any("graph_module" in found for found in parsed.values() if isinstance(found, dict)):
        raise InputFileError(
            f"{path.name} is not a program of torch.export.save (a pickled module or state_dict?"
            " give FILE.py:function and --weights)"
        )
    versions = [f.get("torch_version") for f in parsed.values() if isinstance(f, dict)]
    for found in parsed.values():
        _refuse_code(found, path)
    known = [version for version in versions if isinstance(version, str)]
    return f" (it was written by torch {known[0][:40]})" if known else ""


def _refuse_code(found: Any, path: Path) -> None:
    """Raise InputFileError for pickles, and for anything but arithmetic where sizes stand."""
    waiting = [found]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        if not isinstance(value, dict):
            continue
        waiting += value.values()
        texts = [value.get("expr_str"), *_texts(value.get("guards_code"))]
        bad = any(isinstance(t, str) and not _is_arithmetic(t) for t in texts)
        if value.get("use_pickle") is True or bad:
            raise InputFileError(f"{path.name} holds code beside its graph, which is not run")


def _texts(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _is_arithmetic(text: str) -> bool:
    return bool(EXPRESSION.fullmatch(SYMBOL.sub("s", text))) and "__" not in text


def _refuse_training(program: Any, path: Path) -> None:
    for node in program.graph.nodes:
        at = TRAINING.get(str(node.target))
        if at is not None and len(node.args) > at and node.args[at] is True:
            kind = str(node.target).split(".")[1]
            raise UsageError(
                f"{path.name} was exported in training mode ({node.name} is a {kind} that trains);"
                " export it again after model.eval()"
            )


def _inputs_of(program: Any, path: Path) -> list[OpenInput]:
    """Return the program's inputs, some of whose sides may be open."""
    found = []
    nodes = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    for name in program.graph_signature.user_inputs:
        value = nodes[name].meta.get("val") if name in nodes else None
        if not isinstance(value, Tensor):
            raise UsageError(f"{path.name} takes something that is no tensor ({name})")
        sides = tuple(side if isinstance(side, int) else None for side in value.shape)
        found.append(OpenInput(name, sides, str(value.dtype).removeprefix("torch.")))
    return found


def export_module(
    module: nn.Module, inputs: tuple[Tensor, ...], reference: NetworkReference
) -> Any:
    """Return torch.export's program of a module. Raises UsageError with the user's line."""
    try:
        with torch.no_grad():
            return torch.export.export(module, inputs, strict=False)
    except Exception as error:  # torch's own kinds, and whatever the module raises
        raise UsageError(
            f"torch cannot export {reference.text}: {describe_failure(error)}"
        ) from error


def load_program(
    program: Any,
    reference: NetworkReference,
    inputs: Sequence[InputSpec],
    feeds: tuple[Feed, ...],
    *,
    eager: nn.Module | None = None,
    normalization: Normalization | None = None,
    license: str = "",
    notes: tuple[str, ...] = (),
) -> LoadedNetwork:
    """Describe a program, and run the network once to see what it gives.

    ``eager`` is the module that it was made from, None for one that was read from a file.
    """
    module = eager if eager is not None else program.module()

    def compute(feed: Feed) -> Any:
        with torch.no_grad():
            return module(*tensors_of(feed, inputs))

    made, macs = _count(compute, feeds[0])
    names, shapes = name_outputs(made, reference)

    def run(feed: Feed) -> list[Any]:
        return [t.detach().numpy() for t in _flatten(compute(feed))]

    spec = ForeignSpec(
        source=reference.text,
        inputs=tuple(inputs),
        outputs=names,
        output_shapes=shapes,
        identity=identify(program),
        normalization=normalization,
        license=license,
        notes=notes,
    )
    parameters = sum(p.numel() for p in program.parameters())
    return LoadedNetwork(spec, "torch", run, feeds, program, None, parameters, macs)


def tensors_of(feed: Feed, inputs: Sequence[InputSpec]) -> tuple[Tensor, ...]:
    """Return a feed's tensors in the order of ``inputs``."""
    return tuple(torch.from_numpy(np.ascontiguousarray(feed[each.name])) for each in inputs)


def _count(compute: Any, feed: Feed) -> tuple[Any, int]:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        made = compute(feed)
    return made, counter.get_total_flops() // 2


def _flatten(made: Any) -> list[Tensor]:
    return [leaf for leaf in pytree.tree_leaves(_plain(made)) if isinstance(leaf, Tensor)]


def _plain(made: Any) -> Any:
    """Return a dataclass of outputs as a dictionary; trees of torch stay as they are."""
    from dataclasses import fields, is_dataclass

    if is_dataclass(made) and not isinstance(made, (type, dict)):
        return {f.name: getattr(made, f.name) for f in fields(made)}
    return made


def name_outputs(
    made: Any, reference: NetworkReference
) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    """Return the outputs' names and shapes: --outputs' names, a dictionary's keys, or numbers.

    Raises UsageError where it gives no tensor, or another number of them than there are names.
    """
    tensors = _flatten(made)
    if not tensors:
        raise UsageError(f"{reference.text} gives a {type(made).__name__}, and no tensor in it")
    shapes = tuple(tuple(map(int, t.shape)) for t in tensors)
    if reference.own.outputs:
        if len(reference.own.outputs) != len(tensors):
            raise UsageError(
                f"{reference.text} gives {len(tensors)} outputs, and --outputs names"
                f" {len(reference.own.outputs)}"
            )
        return reference.own.outputs, shapes
    if len(tensors) == 1:
        return ("logits" if len(shapes[0]) == 2 else "output",), shapes
    paths = [
        path
        for path, leaf in pytree.tree_flatten_with_path(_plain(made))[0]
        if isinstance(leaf, Tensor)
    ]
    names = [_path_name(path) or f"output_{n}" for n, path in enumerate(paths)]
    unique = len({*names}) == len(names)
    return tuple(names if unique else [f"output_{n}" for n in range(len(names))]), shapes


def _path_name(path: Sequence[Any]) -> str:
    """Return ``maps_0`` of ['maps'][0]; "" of what stands in a tuple by itself."""
    words = [getattr(k, "key", getattr(k, "name", getattr(k, "idx", ""))) for k in path]
    if all(isinstance(word, int) for word in words):
        return ""
    return re.sub(r"\W+", "_", "_".join(map(str, words)))


def identify(program: Any) -> str:
    """Return the SHA-256 of a program's graph, weights and constants."""
    digest = hashlib.sha256(str(program.graph).encode())
    tensors = {**program.state_dict, **program.constants}
    for name, tensor in sorted(tensors.items()):
        if isinstance(tensor, Tensor):
            array = tensor.detach().cpu().contiguous().numpy()
            digest.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    return digest.hexdigest()
