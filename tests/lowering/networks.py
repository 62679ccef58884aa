"""The torch side of a comparison, made anew from the spec, and runtimes for the other side."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ghostdeploy import zoo
from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.weights import seed_weights

Array = NDArray[np.float32]

MEAN = np.array([0.485, 0.456, 0.406], np.float32)[:, None, None]
STD = np.array([0.229, 0.224, 0.225], np.float32)[:, None, None]


@cache
def seeded(spec: ModelSpec, seed: int = 0) -> torch.nn.Module:
    network = zoo.build(spec)
    seed_weights(network, seed)
    return network


def normalized(image: Array) -> Array:
    return (image - MEAN) / STD


def logits(network: torch.nn.Module, image: Array) -> Array:
    with torch.no_grad():
        result: Array = network(torch.from_numpy(image)).numpy()
    return result


def litert(model: bytes, image: Array, *, builtin: bool = False) -> list[Array]:
    """The outputs for an NHWC image, through XNNPACK or TFLite's builtin kernels."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if builtin else OpResolverType.AUTO
    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


TFLITE_RUNTIME = """
import sys, numpy as np
from tflite_runtime.interpreter import Interpreter
model, image, out = sys.argv[1:]
interpreter = Interpreter(model)
interpreter.allocate_tensors()
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.load(image))
interpreter.invoke()
np.save(out, interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
"""


def tflite_runtime(model: Path, image: Array, folder: Path) -> Array:
    """Its first output. In a process of its own: two TFLite libraries do not share one."""
    np.save(folder / "in.npy", image)
    words = [str(model), str(folder / "in.npy"), str(folder / "out.npy")]
    subprocess.run([sys.executable, "-c", TFLITE_RUNTIME, *words], check=True, capture_output=True)
    result: Array = np.load(folder / "out.npy")
    return result


def onnxruntime(model: bytes, image: Array) -> list[Array]:
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    found: list[Array] = session.run(None, {"image": image})
    return found


def nhwc(image: Array) -> Array:
    return np.ascontiguousarray(image.transpose(0, 2, 3, 1))


def distance(reference: Any, got: Any) -> float:
    """Relative L2; the shapes must be the same."""
    assert np.shape(reference) == np.shape(got)
    return float(np.linalg.norm(got - reference) / np.linalg.norm(reference))
