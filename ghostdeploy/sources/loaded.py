"""A network from outside as it is exported, whatever it came from. Heavy to import: NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ghostdeploy.schema import ForeignSpec

Array = NDArray[Any]
Feed = Mapping[str, Array]


@dataclass(frozen=True)
class LoadedNetwork:
    """A network to be exported.

    ``program`` is torch's ExportedProgram, None where ``model``, an ONNX model, is what there is.
    ``run`` computes the outputs, in the order of ``spec.outputs``, of inputs by name, by
    the network itself: it is the truth that files are judged by. ``truth`` says what that is, in
    words. ``feeds`` are inputs to compare on: noise, and pictures where it takes one.
    ``parameters`` and ``macs`` are None where they are not known.
    """

    spec: ForeignSpec
    truth: str
    run: Callable[[Feed], list[NDArray[np.float32]]]
    feeds: tuple[Feed, ...]
    program: Any = None
    model: Any = None
    parameters: int | None = None
    macs: int | None = None
