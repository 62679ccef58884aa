"""Commands that take one frozen dataclass, whose fields are the options of the command line.

    @dataclass(frozen=True)
    class DevicesArguments:
        addresses: tuple[str, ...] = argument(metavar="[HOST:PORT]...", nargs=-1)
        phone: PhoneArguments = group(PhoneArguments)

    @command()
    @pass_arguments(DevicesArguments)
    def devices(arguments: DevicesArguments) -> None: ...

A field's name is its parameter's name in click, and its key in a suite of gates. The class's
``HEADING`` is what its options stand below in the help.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, fields, replace
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from ghostdeploy.cli.options.help import GENERAL, OWN, HeadedCommand, HeadedOption, color_option

T = TypeVar("T")
_PARAMETER, _GROUP = "parameter", "group"
JSON_HELP = "Print the result as JSON, for machines."


def command(name: str | None = None) -> Callable[[Callable[..., Any]], HeadedCommand]:
    """Make a command of a function, as ``click.command`` does, with its options in groups."""
    return click.command(name, cls=HeadedCommand)


def option(*flags: str, **settings: Any) -> Any:
    """Make a field of the option that ``click.option(*flags, **settings)`` describes."""

    def make(name: str, heading: str) -> Any:
        return click.option(*flags, name, cls=HeadedOption, **{"heading": heading, **settings})

    return field(metadata={_PARAMETER: make})


def argument(**settings: Any) -> Any:
    """Make a field of the positional argument that ``click.argument`` describes."""
    return field(metadata={_PARAMETER: lambda name, heading: click.argument(name, **settings)})


def group(make: type) -> Any:
    """Make a field that holds the options of another such dataclass."""
    return field(metadata={_GROUP: make})


def folder(flag: str, default: str, help: str) -> Any:
    """Make a field of an option that names a folder or a file, and has a default."""
    return option(flag, type=Path, default=Path(default), show_default=True, help=help)


def json_flag() -> Any:
    """Make the field of ``--json``, which every command has that finds something out."""
    return option("--json", is_flag=True, help=JSON_HELP, heading=GENERAL)


def pass_arguments(make: type[T]) -> Callable[[Callable[[T], None]], Callable[..., None]]:
    """Give a function the options of ``make``, and call it with one value of that class."""

    def decorate(function: Callable[[T], None]) -> Callable[..., None]:
        @wraps(function)
        def called(**values: object) -> None:
            function(_build(make, values))

        decorated: Callable[..., None] = called
        for add in reversed([*_parameters(make), color_option()]):
            decorated = add(decorated)
        return decorated

    return decorate


def replace_arguments(value: T, changes: Mapping[str, object]) -> T:
    """Return ``value`` with other values for some of its fields, also those of its groups."""
    new: dict[str, object] = {}
    for each in fields(value):  # type: ignore[arg-type]
        if _GROUP in each.metadata:
            new[each.name] = replace_arguments(getattr(value, each.name), changes)
        elif each.name in changes:
            new[each.name] = changes[each.name]
    return replace(value, **new)  # type: ignore[type-var]


def given_names(context: click.Context) -> frozenset[str]:
    """Return the names of the parameters that the user gave, rather than left to their defaults."""
    unsaid = ("DEFAULT", "DEFAULT_MAP")
    sources = ((name, context.get_parameter_source(name)) for name in context.params)
    return frozenset(name for name, source in sources if source and source.name not in unsaid)


def convert_values(context: click.Context, values: Mapping[str, object]) -> dict[str, object]:
    """Give ``values`` (by parameter) the types that the command line gives them.

    Raises what a wrong value on the command line raises.
    """
    types = {parameter.name: parameter for parameter in context.command.params}
    return {name: types[name].type_cast_value(context, value) for name, value in values.items()}


def _parameters(make: type) -> list[Callable[[Callable[..., None]], Callable[..., None]]]:
    found = []
    for each in fields(make):
        if _GROUP in each.metadata:
            found += _parameters(each.metadata[_GROUP])
        else:
            found.append(each.metadata[_PARAMETER](each.name, getattr(make, "HEADING", OWN)))
    return found


def _build(make: type[T], values: Mapping[str, object]) -> T:
    """Return a value of ``make``, with each field from ``values`` and groups built likewise."""
    own = {
        each.name: _build(each.metadata[_GROUP], values)
        if _GROUP in each.metadata
        else values[each.name]
        for each in fields(make)  # type: ignore[arg-type]
    }
    return make(**own)
