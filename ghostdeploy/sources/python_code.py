"""A user's Python: a function or a class is found in it and called.

It is code, and runs because the user named it: nothing is imported that was not named.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from ghostdeploy.errors import UsageError
from ghostdeploy.sources.reference import NetworkReference
from ghostdeploy.traces import describe_failure

EXAMPLES = ("example_inputs", "INPUT")  # what a file may say of its network's inputs


@contextmanager
def user_code(what: str, argv0: str = "") -> Iterator[None]:
    """Run a user's code: whatever it raises is theirs, told with their line as a UsageError.

    Code that parses a command line when it is imported sees none but ``argv0``.
    """
    before = sys.argv
    sys.argv = [argv0]
    try:
        yield
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(f"{what} failed: {describe_failure(error)}") from error
    finally:
        sys.argv = before


def call_function(module: ModuleType, reference: NetworkReference) -> Any:
    """Return what the named function, or class, of a module makes of the reference's arguments.

    A network that stands there by itself is taken as it is. Raises UsageError where there is no
    such thing, and for whatever it raises.
    """
    import torch

    found = _find(module, reference)
    if isinstance(found, torch.nn.Module):
        if reference.own.arguments:
            raise UsageError(f"{reference.text} is a network already: it takes no --arg")
        return found
    if not callable(found):
        raise UsageError(f"{reference.text} is a {type(found).__name__}, not a function")
    torch.manual_seed(reference.seed)
    with user_code(f"{reference.text}()"):
        return found(**_arguments(found, reference))


def _arguments(function: Any, reference: NetworkReference) -> Mapping[str, object]:
    """Return what a function is called with: --arg, and --num-classes where it takes that."""
    import inspect

    given = dict(reference.own.arguments)
    if reference.num_classes is not None and "num_classes" not in given:
        try:
            takes = list(inspect.signature(function).parameters)
        except (TypeError, ValueError):
            takes = []
        if "num_classes" not in takes:
            raise UsageError(
                f"{reference.text} takes no num_classes: leave out --num-classes, or say what it"
                " takes with --arg NAME=VALUE"
            )
        given["num_classes"] = reference.num_classes
    return given


def _find(module: ModuleType, reference: NetworkReference) -> object:
    if hasattr(module, reference.function):
        return getattr(module, reference.function)
    known = [
        name
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", "") == module.__name__
    ]
    near = difflib.get_close_matches(reference.function, known, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(known) or 'none'}"
    raise UsageError(f"{reference.place} has no function {reference.function!r}; {hint}")


def example_of(module: ModuleType) -> object:
    """Return what a module says of its network's inputs: INPUT, or what example_inputs() gives."""
    for name in EXAMPLES:
        found = getattr(module, name, None)
        if callable(found):
            with user_code(f"{name}()"):
                return found()
        if found is not None:
            return found
    return None
