"""ONNX shape inference on models that someone else made.

onnx's C++ divides by what the file says (a stride of 0, say) and dies of it, so it gets a
process of its own.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import resource
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto

TIMEOUT_S = 60.0


def infer_shapes(model: ModelProto) -> ModelProto:
    """Return ``model`` with the shapes that can be inferred; as it is where onnx cannot."""
    import onnx

    try:
        return onnx.shape_inference.infer_shapes(model)
    except Exception:  # an operator set that onnx does not know, say: the nodes still tell much
        return model


def infer_shapes_apart(model: ModelProto) -> ModelProto:
    """Return what ``infer_shapes`` does, for a model that onnx may die of."""
    import onnx

    context = multiprocessing.get_context("fork")  # onnx is imported: a new one would do it again
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(theirs, model), daemon=True)
    process.start()
    theirs.close()
    try:
        return onnx.load_from_string(ours.recv_bytes()) if ours.poll(TIMEOUT_S) else model
    except EOFError:  # it died
        return model
    finally:
        ours.close()
        process.kill()
        process.join()


def _answer(pipe: Connection, model: ModelProto) -> None:
    faulthandler.disable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    pipe.send_bytes(infer_shapes(model).SerializeToString())
