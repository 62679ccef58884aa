"""The part of converters.py that runs where a package is installed; it needs no more than numpy.

``python converter_probes.py FUNCTION FILE`` runs FILE (x.onnx or x.tflite) on the array of x.npy
and prints the output as a JSON list on its last line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np


def onnx_reference(path: Path, image: Any) -> Any:
    """Run ONNX's own reference."""
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(str(path)).run(None, {"x": image})[0]


def onnxruntime(path: Path, image: Any) -> Any:
    """Run onnxruntime on the CPU."""
    import onnxruntime as runtime

    return runtime.InferenceSession(str(path)).run(None, {"x": image})[0]


def openvino(path: Path, image: Any) -> Any:
    """Run OpenVINO in float32: bf16 is its default on some CPUs."""
    import openvino as ov

    compiled = ov.compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled(image)[0]


def litert(path: Path, image: Any) -> Any:
    """Run LiteRT."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def onnx2tf(path: Path, image: Any) -> Any:
    """Convert with onnx2tf's command and run the result in LiteRT."""
    # Of the older versions: fetched from the web unless it lies in the working directory.
    placeholder = "calibration_image_sample_data_20x128x128x3_float32.npy"
    np.save(placeholder, np.zeros((20, 128, 128, 3), np.float32))
    program = Path(sys.executable).with_name("onnx2tf")
    subprocess.run([program, "-i", path, "-o", "converted", "-n"], check=True, capture_output=True)
    made = Path("converted") / f"{path.stem}_float32.tflite"
    found = litert(made, np.ascontiguousarray(image.transpose(0, 2, 3, 1)))
    made.unlink()
    return found.transpose(0, 3, 1, 2)


PROBES = {f.__name__: f for f in (onnx_reference, onnxruntime, openvino, litert, onnx2tf)}

if __name__ == "__main__":
    file = Path(sys.argv[2])
    result = PROBES[sys.argv[1]](file, np.load(file.with_suffix(".npy")))
    print(json.dumps([float(value) for value in np.asarray(result).ravel()]))
