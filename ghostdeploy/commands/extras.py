"""What the extras of ``pip install 'ghostdeploy[…]'`` bring, and which one a command lacks."""

from __future__ import annotations

from importlib.util import find_spec

from ghostdeploy.errors import MissingExtraError

# module that is imported -> its package, and the smallest extra that brings it
PACKAGES = {
    "torch": ("torch", "export"),
    "tensorflow": ("tensorflow", "int8"),
    "onnx2tf": ("onnx2tf", "convert"),
    "onnxscript": ("onnxscript", "export"),
    "safetensors": ("safetensors", "export"),
    "PIL": ("pillow", "convert"),
    "ai_edge_litert": ("ai-edge-litert", "local"),
    "flatbuffers": ("flatbuffers", "local"),
    "tflite_runtime": ("tflite-runtime", "local"),
    "onnxruntime": ("onnxruntime", "local"),
    "onnx": ("onnx", "local"),
    "numpy": ("numpy", "local"),
    "matplotlib": ("matplotlib", "report"),
    "jinja2": ("jinja2", "report"),
    "adbutils": ("adbutils", "adb"),
}


def require_packages(*modules: str) -> None:
    """Raise MissingExtraError for the first module that is absent, in the order of PACKAGES.

    What takes the most to install comes first there: its extra brings the others along.
    """
    for module in PACKAGES:
        if module in modules and find_spec(module) is None:
            raise missing_extra(module)


def missing_extra(module: str) -> MissingExtraError:
    """Return the error for an absent module, one of PACKAGES."""
    return MissingExtraError(*PACKAGES[module])
