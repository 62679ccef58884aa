"""What a file that does not say it itself expects of a picture's values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ghostdeploy.cli.options.arguments import option
from ghostdeploy.cli.options.types import InputRange, Numbers
from ghostdeploy.errors import UsageError

if TYPE_CHECKING:
    from ghostdeploy.schema import Normalization


@dataclass(frozen=True)
class PixelArguments:
    """The values that black and white come to, or the mean and the standard deviation."""

    HEADING: ClassVar[str] = "Pixels"

    input_range: tuple[float, ...] | None = option(
        "--input-range",
        "--range",
        type=InputRange(),
        metavar="LO,HI",
        help="Range of values that the model's inputs take: black is LO, white is HI. Needed, or"
        " --mean and --std, where the file does not say it.",
    )
    mean: tuple[float, ...] | None = option(
        "--mean",
        type=Numbers(1, 3),
        metavar="R,G,B",
        help="Mean that is taken from pixels of 0 to 1, as timm writes it.",
    )
    std: tuple[float, ...] | None = option(
        "--std",
        type=Numbers(1, 3),
        metavar="R,G,B",
        help="Standard deviation that pixels of 0 to 1 are divided by, as timm writes it.",
    )

    @property
    def normalization(self) -> Normalization | None:
        """What is told of the pixels, None without.

        Raises UsageError for what makes no sense, or says one thing twice.
        """
        from ghostdeploy.images.normalization import normalize_to
        from ghostdeploy.schema import Normalization

        if self.input_range and (self.mean or self.std):
            raise UsageError("--input-range and --mean with --std say one thing; give one of them")
        if self.input_range:
            return normalize_to(*self.input_range)
        if not (self.mean and self.std):
            if self.mean or self.std:
                raise UsageError("--mean and --std go together; give both")
            return None
        return Normalization(_per_channel(self.mean), _per_channel(self.std))


def _per_channel(values: tuple[float, ...]) -> tuple[float, float, float]:
    first, second, third = (values * 3)[:3]
    return first, second, third


@dataclass(frozen=True)
class MeasuredPixelArguments(PixelArguments):
    """The same beside --input-range, which there is the range of random inputs."""

    input_range: tuple[float, ...] | None = option(
        "--range",
        type=InputRange(),
        metavar="LO,HI",
        help="What black and white come to for a network of yours that does not say it; int8 and"
        " the like need it.",
    )
