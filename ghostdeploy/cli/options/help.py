"""Help in groups: each option below the heading of the dataclass that it is a field of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click

from ghostdeploy.cli.terminal import COLORS, choose_color

OWN, GENERAL = "Options", "General"  # headings: a command's own options, and what all have
FIRST_COLUMN = 30  # columns, as in click
GLUED_HYPHEN = "\u2011"


class HeadedOption(click.Option):
    """An option that stands below a heading of its command's help."""

    def __init__(self, *names: Any, heading: str = OWN, **settings: Any) -> None:
        super().__init__(*names, **settings)
        self.heading = heading


class _Formatter(click.HelpFormatter):
    """Help whose lines never end inside a word: textwrap takes tflite-runtime for two."""

    def write_text(self, text: str) -> None:
        """Write a paragraph."""
        super().write_text(_glue(text))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write terms and explanations."""
        super().write_dl([(t, _glue(text)) for t, text in rows], col_max, col_spacing)

    def getvalue(self) -> str:
        """Return the text."""
        return super().getvalue().replace(GLUED_HYPHEN, "-")


def _glue(text: str) -> str:
    return text.replace("-", GLUED_HYPHEN)


class _Context(click.Context):
    formatter_class = _Formatter


class HeadedCommand(click.Command):
    """A command whose help has its options in groups."""

    context_class = _Context

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each heading, the one of what all commands have last."""
        sections: dict[str, list[tuple[str, str]]] = {OWN: []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record and isinstance(parameter, click.Option):
                sections.setdefault(getattr(parameter, "heading", GENERAL), []).append(record)
        general = sections.pop(GENERAL, [])
        write_sections(formatter, {**sections, GENERAL: general})


class HeadedGroup(HeadedCommand, click.Group):
    """A group of commands, itself a command with its options in groups."""

    command_class = HeadedCommand

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the commands."""
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


def write_sections(
    formatter: click.HelpFormatter, sections: dict[str, list[tuple[str, str]]]
) -> None:
    """Write lists of terms and explanations, all with a first column of the same width."""
    terms = [len(term) for rows in sections.values() for term, _ in rows]
    width = max((length for length in terms if length <= FIRST_COLUMN), default=0)
    for heading, rows in sections.items():
        if rows:
            with formatter.section(heading):
                formatter.write_dl([(f"{term:{width}}", text) for term, text in rows], width)


def color_option() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return ``--color``, which every command has."""
    return click.option(
        "--color",
        type=click.Choice(COLORS),
        cls=HeadedOption,
        heading=GENERAL,
        expose_value=False,
        is_eager=True,
        callback=_choose,
        help="Colour the output: on a terminal, unless $NO_COLOR is set (auto), always, or never.",
    )


def _choose(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value:
        choose_color(value)
    elif context.parent is None:
        choose_color(COLORS[0])
