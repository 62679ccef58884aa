"""``package.module:function``: a network that a function of an importable module makes."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec

from ghostdeploy.errors import UsageError
from ghostdeploy.sources.loaded import LoadedNetwork
from ghostdeploy.sources.python_code import call_function, example_of, user_code
from ghostdeploy.sources.reference import NetworkReference
from ghostdeploy.sources.torch_module import load_module


def open_network(reference: NetworkReference) -> LoadedNetwork:
    """Import the module and load what its function makes. Raises UsageError and its kinds."""
    # As `python -m` does: the package is named, and lies here or is installed.
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    with user_code(f"importing {reference.place}"):
        if _is_missing(reference.place):
            raise UsageError(f"there is no module {reference.place!r}, here or installed")
        module = import_module(reference.place)
    return load_module(call_function(module, reference), reference, example_of(module))


def _is_missing(name: str) -> bool:
    try:
        return find_spec(name) is None
    except ModuleNotFoundError:
        return True
