"""Which network of the zoo, and with which weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ghostdeploy.cli.options.arguments import option
from ghostdeploy.cli.options.completions import complete_variants
from ghostdeploy.cli.options.types import Change, Resolution

if TYPE_CHECKING:
    from ghostdeploy.commands.targets import SpecDefaults


@dataclass(frozen=True)
class NetworkArguments:
    """The network that a MODEL is, as far as its name leaves it open."""

    HEADING: ClassVar[str] = "Network"

    width: float = option(
        "--width", default=1.0, show_default=True, help="Multiply the numbers of channels by this."
    )
    resolution: tuple[int, int] = option(
        "--resolution",
        type=Resolution(),
        default="224",
        show_default=True,
        metavar="PIXELS",
        help="Pixels a side of the input image, or HEIGHTxWIDTH.",
    )
    variant: str = option(
        "--variant",
        shell_complete=complete_variants,
        default="official",
        show_default=True,
        help="Variant of the network: official, as the published code is, or paper, as the paper's"
        " text has it.",
    )
    changes: tuple[tuple[str, object], ...] = option(
        "--set",
        type=Change(),
        multiple=True,
        metavar="NAME=VALUE",
        help="Change an option of the variant, e.g. kernel=9,7,5 or scale_where=after. May be"
        " repeated.",
    )
    num_classes: int = option(
        "--num-classes", default=1000, show_default=True, help="Number of classes to tell apart."
    )
    weights: Path | None = option(
        "--weights",
        type=Path,
        metavar="FILE",
        help="Load trained weights from this checkpoint: .pth, .pth.tar or .safetensors.",
    )
    seed: int = option(
        "--seed",
        default=0,
        show_default=True,
        help="Seed of the random weights that stand in for trained ones.",
    )

    @property
    def defaults(self) -> SpecDefaults:
        """What the options say for every model that is named without it."""
        from ghostdeploy.commands.targets import SpecDefaults

        return SpecDefaults(
            width=self.width,
            resolution=self.resolution,
            variant=self.variant,
            changes=dict(self.changes),
            num_classes=self.num_classes,
        )
