"""Which network, of the zoo or the user's own, and with which weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ghostdeploy.cli.options.arguments import option
from ghostdeploy.cli.options.completions import complete_variants
from ghostdeploy.cli.options.types import Argument, Change, InputSpecType, OutputNames, Resolution

if TYPE_CHECKING:
    from ghostdeploy.commands.targets import SpecDefaults
    from ghostdeploy.schema import InputSpec, Normalization


@dataclass(frozen=True)
class NetworkArguments:
    """The network that a MODEL is, as far as its name leaves it open."""

    HEADING: ClassVar[str] = "Network"

    width: float = option(
        "--width", default=1.0, show_default=True, help="Multiply the numbers of channels by this."
    )
    resolution: tuple[int, int] | None = option(
        "--resolution",
        type=Resolution(),
        metavar="PIXELS",
        help="Pixels a side of the input image, or HEIGHTxWIDTH; 224, or what the network says.",
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
    num_classes: int | None = option(
        "--num-classes",
        type=int,
        help="Number of classes to tell apart; 1000, or what the network says.",
    )
    inputs: tuple[InputSpec, ...] = option(
        "--input",
        type=InputSpecType(),
        multiple=True,
        metavar="SHAPE[:TYPE][:NAME]",
        help="What a network of yours takes, as 1x3x224x224 or 1x128:int64:tokens; images are NCHW."
        " May be repeated.",
    )
    arguments: tuple[tuple[str, object], ...] = option(
        "--arg",
        type=Argument(),
        multiple=True,
        metavar="NAME=VALUE",
        help="Argument of the function that makes a network of yours. May be repeated.",
    )
    outputs: tuple[str, ...] = option(
        "--outputs",
        type=OutputNames(),
        metavar="NAME,...",
        help="Names for what a network of yours gives, with commas.",
    )
    weights: str | None = option(
        "--weights",
        metavar="FILE|own|hub",
        help="Load trained weights from this checkpoint: .pth, .pth.tar or .safetensors. For a"
        " network of yours, own keeps what its function made, hub is timm's download.",
    )
    seed: int = option(
        "--seed",
        default=0,
        show_default=True,
        help="Seed of the random weights that stand in for trained ones.",
    )

    @property
    def checkpoint(self) -> Path | None:
        """The file of --weights, None where another word or none stands for them."""
        return Path(self.weights) if self.weights and not self._kept else None

    @property
    def _kept(self) -> str:
        return self.weights if self.weights in ("own", "hub") else ""

    def defaults_for(
        self,
        normalization: Normalization | None = None,
        value_range: tuple[float, ...] | None = None,
    ) -> SpecDefaults:
        """Return what the options say for every model that is named without it.

        ``normalization`` is what is told of pixels, ``value_range`` the range of integer inputs.

        Raises UsageError for values that make no sense.
        """
        from ghostdeploy.commands.targets import SpecDefaults
        from ghostdeploy.sources.reference import OwnNetwork

        low_high = (value_range[0], value_range[1]) if value_range else None
        own = OwnNetwork(
            inputs=self.inputs,
            arguments=self.arguments,
            outputs=self.outputs or (),
            normalization=normalization,
            keep=self._kept,
            value_range=low_high,
        )
        return SpecDefaults(
            width=self.width,
            resolution=self.resolution,
            variant=self.variant,
            changes=dict(self.changes),
            num_classes=self.num_classes,
            own=own,
        )
