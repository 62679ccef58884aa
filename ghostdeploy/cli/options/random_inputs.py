"""``--input-range`` of the commands that run a model on random inputs."""

from __future__ import annotations

from ghostdeploy.cli.options.arguments import option
from ghostdeploy.cli.options.types import InputRange


def random_input_range() -> tuple[float, ...]:
    """Make the field of ``--input-range``; it is empty where none is given."""
    found: tuple[float, ...] = option(
        "--input-range",
        type=InputRange(),
        default="",
        metavar="LO,HI",
        help="Range of values that the model's inputs take, such as 0,255; without it random floats"
        " are small, and integers from 0 to 99.",
    )
    return found
