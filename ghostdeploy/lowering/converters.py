"""Which converter makes TFLite of ONNX on this Python: onnx2tf has a back end for each.

Up to 3.11 it goes by way of TensorFlow's converter; from 3.12 it writes the flatbuffer itself.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class ConverterWorker:
    """A process that converts: its ``module``, and the modules that it imports.

    ``refused`` are the precisions that it does not make.
    """

    module: str
    packages: tuple[str, ...]
    refused: tuple[str, ...] = ()


KERAS = ConverterWorker("ghostdeploy.lowering.onnx2tf_worker", ("onnx2tf", "tensorflow"))
# onnx2tf 2.6.9's dynamic GhostNets are off by half of what they give, otherwise in every kernel.
DIRECT = ConverterWorker(
    "ghostdeploy.lowering.direct_worker", ("onnx2tf", "ai_edge_litert"), refused=("dynamic",)
)
WORKER = DIRECT if sys.version_info >= (3, 12) else KERAS
