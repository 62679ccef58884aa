"""Packages that not every Python has: a test that needs an absent one is skipped, and says which.

``tests/conftest.py`` asks ``absent_package`` of a test's errors, ``tests/command_line.py`` asks
``package_said_absent`` of a command's. Where all of them are installed nothing is skipped.
"""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from ghostdeploy.errors import MissingExtraError

# module that is imported -> its package
OPTIONAL = {
    "torch": "torch",
    "onnxscript": "onnxscript",
    "safetensors": "safetensors",
    "tensorflow": "tensorflow",
    "tflite_runtime": "tflite-runtime",
}
ABSENT = {module: package for module, package in OPTIONAL.items() if find_spec(module) is None}


NEEDS_TORCH = pytest.mark.skipif("torch" in ABSENT, reason="torch is not installed")


def absent_package(error: BaseException | None) -> str:
    """Return the absent package that an error, or what it came from, is about; "" for none."""
    while error is not None:
        if isinstance(error, MissingExtraError) and error.package in ABSENT.values():
            return error.package
        if (
            isinstance(error, ModuleNotFoundError)
            and (error.name or "").partition(".")[0] in ABSENT
        ):
            return ABSENT[(error.name or "").partition(".")[0]]
        error = error.__cause__ or error.__context__
    return ""


def package_said_absent(text: str) -> str:
    """Return the absent package that a command says it lacks; "" for none."""
    said = (package for package in ABSENT.values() if f"{package} is not installed" in text)
    return next(said, "")
