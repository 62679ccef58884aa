"""A frozen dataclass as a command's options: what click makes of it, and how a suite changes it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass

import click
import pytest
from click.testing import CliRunner

from ghostdeploy.cli.app import COMMANDS
from ghostdeploy.cli.options.arguments import (
    argument,
    convert_values,
    given_names,
    group,
    option,
    pass_arguments,
    replace_arguments,
)


@dataclass(frozen=True)
class Inner:
    """A group."""

    times: int = option("--times", default=2, help="How often.")
    wait: bool = option("--wait/--no-wait", default=True, help="Whether to wait.")


@dataclass(frozen=True)
class Outer:
    """A command's arguments."""

    words: tuple[str, ...] = argument(nargs=-1)
    inner: Inner = group(Inner)
    as_json: bool = option("--json", is_flag=True, help="As JSON.")


def run(*words: str) -> tuple[Outer, frozenset[str], dict[str, object]]:
    """What a command of Outer got, which options were given, and what ``times="7"`` becomes."""
    got: list[tuple[Outer, frozenset[str], dict[str, object]]] = []

    @click.command()
    @pass_arguments(Outer)
    def command(arguments: Outer) -> None:
        """Do it."""
        context = click.get_current_context()
        got.append((arguments, given_names(context), convert_values(context, {"times": "7"})))

    done = CliRunner().invoke(command, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return got[0]


def test_a_command_gets_one_value_of_its_class():
    arguments, given, converted = run("a", "b", "--times", "3", "--no-wait")
    assert (arguments.words, arguments.as_json) == (("a", "b"), False)
    assert arguments.inner == Inner(3, False)
    assert given == {"words", "times", "wait"}
    assert converted == {"times": 7}
    with pytest.raises(FrozenInstanceError):
        arguments.as_json = True  # type: ignore[misc]


def test_defaults_are_clicks():
    arguments, given, _ = run()
    assert arguments == Outer((), Inner(2, True), False)
    assert given == frozenset()


def test_values_are_replaced_in_groups_too():
    before = Outer(("a",), Inner(2, True), False)
    after = replace_arguments(before, {"times": 5, "as_json": True})
    assert after == Outer(("a",), Inner(5, True), True)
    assert before.inner.times == 2


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_option_says_what_it_is_for(command):
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.help[0].isupper(), parameter.help
            assert parameter.help.endswith("."), parameter.help
    assert command.help
    assert command.help.partition("\n")[0].endswith(".")
