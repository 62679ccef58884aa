"""``net.py:function``: a network that a function in a user's file makes."""

from __future__ import annotations

import hashlib
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from ghostdeploy.files import check_input
from ghostdeploy.sources.loaded import LoadedNetwork
from ghostdeploy.sources.python_code import call_function, example_of, user_code
from ghostdeploy.sources.reference import NetworkReference
from ghostdeploy.sources.torch_module import load_module


def open_network(reference: NetworkReference) -> LoadedNetwork:
    """Import the file and load what its function makes. Raises UsageError and its kinds."""
    module = import_file(Path(reference.place))
    return load_module(call_function(module, reference), reference, example_of(module))


def import_file(path: Path) -> ModuleType:
    """Import a file as a module, of its package where it lies in one.

    Files beside it can be imported by it. Raises InputFileError for a file that is not there,
    UsageError for whatever its code raises.
    """
    check_input(path)
    path = path.resolve()
    package = _package_of(path)
    with user_code(f"importing {path.name}", str(path)):
        if package:
            _look_in(path.parents[len(package)])
            return import_module(".".join((*package, path.stem)))
        _look_in(path.parent)
        # A name of its own: net.py must not stand in for an installed package called net.
        name = f"_net_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"
        spec = spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module


def _look_in(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _package_of(path: Path) -> tuple[str, ...]:
    """Return the packages that a file lies in, () for a file by itself."""
    names: list[str] = []
    folder = path.parent
    while (folder / "__init__.py").exists() and folder.name.isidentifier():
        names.insert(0, folder.name)
        folder = folder.parent
    return tuple(names) if path.stem.isidentifier() else ()
