"""Inverted residuals (MobileNetV2, CVPR 2018), and the networks that are a table of them.

Modules are called as in timm: ``conv_stem``, ``blocks.{stage}.{i}.conv_pw``, …, ``conv_head``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple, cast

from torch import Tensor, nn

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.layers import SqueezeExcite, conv_bn, make_divisible
from ghostdeploy.zoo.network import ConvNet

Act = Callable[[], nn.Module]
DIVISOR = 8  # channels are multiples of it at every width, as in MobileNet's code and in timm


class Blocks(NamedTuple):
    """A line of a network's table: ``repeats`` blocks, of which the first has ``stride``.

    ``expansion``: hidden channels per channel of the block's input.
    ``channels``: what the blocks give, at width 1.
    ``se``: squeeze-and-excitation's share of channels, 0 for none.
    ``nl``: LightNL's share of channels and its stride (AutoNL); a share of 0 is none.
    ``act``: the activation, None for the network's.
    """

    expansion: float
    kernel: int
    stride: int
    channels: int
    repeats: int = 1
    se: float = 0.0
    nl: tuple[float, int] = (0.0, 1)
    act: Act | None = None

    def each(self) -> Iterator[Blocks]:
        """Yield the line of each of its blocks."""
        yield self
        for _ in range(self.repeats - 1):
            yield self._replace(stride=1)


@dataclass(frozen=True)
class Design:
    """What a network of inverted residuals is: its table ``stages``, and what holds for all.

    ``stem`` / ``head``: channels of the first convolution / of the last 1×1, at width 1.
    ``scales_head``: a width above 1 widens the head too.
    ``act``, ``eps``: the activation, and BN's ε.
    ``bias``: the blocks' convolutions have one although BN follows.
    ``expands_all``: a block of expansion 1 has a 1×1 convolution to its hidden channels too.
    """

    stages: tuple[tuple[Blocks, ...], ...]
    stem: int = 32
    head: int = 1280
    scales_head: bool = False
    act: Act = nn.ReLU6
    eps: float = 1e-5
    bias: bool = False
    expands_all: bool = False

    def conv_bn(
        self, in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1
    ) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
        """Return a block's 1×1 convolution, or with a larger kernel its depthwise one, and BN."""
        return conv_bn(
            in_channels,
            out_channels,
            kernel,
            stride=stride,
            depthwise=kernel > 1,
            bias=self.bias,
            eps=self.eps,
        )


class Extras(NamedTuple):
    """What a block may have more.

    ``dfc`` takes the block's input and its hidden channels before the depthwise convolution, and
    returns the latter gated; ``se`` attends to them behind it; ``nl`` follows the projection of a
    block that expands.
    """

    dfc: nn.Module | None = None
    se: nn.Module | None = None
    nl: nn.Module | None = None


class InvertedResidual(nn.Module):
    """1×1 to ``hidden`` channels → depthwise → 1×1, plus the input where the sizes allow it."""

    def __init__(
        self,
        in_channels: int,
        hidden: int,
        out_channels: int,
        *,
        kernel: int,
        stride: int,
        design: Design,
        extras: Extras,
    ) -> None:
        super().__init__()
        self.conv_pw, self.bn1 = design.conv_bn(in_channels, hidden)
        self.act1 = design.act()
        self.dfc = extras.dfc
        self.conv_dw, self.bn2 = design.conv_bn(hidden, hidden, kernel, stride)
        self.act2 = design.act()
        self.se = extras.se
        self.conv_pwl, self.bn3 = design.conv_bn(hidden, out_channels)
        self.nl = extras.nl
        self.adds = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Apply it: (N, in, H, W) → (N, out, ⌈H/stride⌉, ⌈W/stride⌉)."""
        y = self.act1(self.bn1(self.conv_pw(x)))
        if self.dfc is not None:
            y = self.dfc(x, y)
        y = self.act2(self.bn2(self.conv_dw(y)))
        if self.se is not None:
            y = self.se(y)
        y = self.bn3(self.conv_pwl(y))
        if self.nl is not None:
            y = self.nl(y)
        return cast(Tensor, y + x if self.adds else y)


class DepthwiseSeparable(nn.Module):
    """Depthwise → 1×1: an inverted residual whose hidden channels are its input's.

    ``last_act`` stands behind the 1×1; None, as in all but MobileNetV1, is nothing.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel: int,
        stride: int,
        design: Design,
        extras: Extras,
        last_act: Act | None = None,
    ) -> None:
        super().__init__()
        self.dfc = extras.dfc
        self.conv_dw, self.bn1 = design.conv_bn(in_channels, in_channels, kernel, stride)
        self.act1 = design.act()
        self.se = extras.se
        self.conv_pw, self.bn2 = design.conv_bn(in_channels, out_channels)
        self.act2 = (last_act or nn.Identity)()
        self.adds = stride == 1 and in_channels == out_channels and last_act is None

    def forward(self, x: Tensor) -> Tensor:
        """Apply it: (N, in, H, W) → (N, out, ⌈H/stride⌉, ⌈W/stride⌉)."""
        y = x if self.dfc is None else self.dfc(x, x)
        y = self.act1(self.bn1(self.conv_dw(y)))
        if self.se is not None:
            y = self.se(y)
        y = self.act2(self.bn2(self.conv_pw(y)))
        return cast(Tensor, y + x if self.adds else y)


class MobileNet(ConvNet):
    """The network of a ``Design``: logits (N, num_classes) of images (N, 3, H, W).

    A subclass says what its blocks have more (``extras``), or how its head is (``make_head``).
    """

    head_modules: ClassVar[tuple[str, ...]] = ("conv_head", "bn2", "act2", "classifier")

    def __init__(self, spec: ModelSpec, design: Design) -> None:
        super().__init__()
        self.spec, self.design = spec, design
        channels, stride, number = self.widen(design.stem), 2, 0
        self.conv_stem, self.bn1 = conv_bn(3, channels, 3, stride=2, eps=design.eps)
        self.act1 = design.act()
        self.blocks = nn.Sequential()
        for rows in design.stages:
            stage = nn.Sequential()
            for row in (block for line in rows for block in line.each()):
                stage.append(self.block(row, channels, stride))
                channels, stride = self.widen(row.channels), stride * row.stride
                self.taps[stride] = number
                number += 1
            self.blocks.append(stage)
        self.make_head(channels)

    def widen(self, channels: int) -> int:
        """Return ``channels`` of width 1 at this network's width."""
        return make_divisible(channels * self.spec.width, DIVISOR)

    def block(self, row: Blocks, channels: int, stride: int) -> nn.Module:
        """Make one block for an input of ``channels`` channels at ``stride`` of the image."""
        design = replace(self.design, act=row.act) if row.act else self.design
        plain = row.expansion == 1 and not design.expands_all
        hidden = channels if plain else make_divisible(channels * row.expansion, DIVISOR)
        extras = self.extras(row, channels, hidden, stride)
        out = self.widen(row.channels)
        if plain:
            return DepthwiseSeparable(
                channels, out, kernel=row.kernel, stride=row.stride, design=design, extras=extras
            )
        return InvertedResidual(
            channels, hidden, out,
            kernel=row.kernel, stride=row.stride, design=design, extras=extras,
        )  # fmt: skip

    def extras(self, row: Blocks, channels: int, hidden: int, stride: int) -> Extras:
        """Return what a block has more: here SE, whose width is a share of the block's input."""
        if not row.se:
            return Extras()
        reduced, act = max(1, int(channels * row.se)), row.act or self.design.act
        return Extras(se=SqueezeExcite(hidden, reduced, act=act, gate=nn.Sigmoid))

    def make_head(self, channels: int) -> None:
        """Make what follows the blocks, which give ``channels`` channels."""
        head = self.design.head
        if self.design.scales_head:
            head = max(head, self.widen(head))
        self.conv_head, self.bn2 = conv_bn(channels, head, eps=self.design.eps)
        self.act2 = self.design.act()
        self.classifier = nn.Linear(head, self.spec.num_classes)

    def stem(self, x: Tensor) -> Tensor:
        """Apply the stem: (N, 3, H, W) → (N, C, ⌈H/2⌉, ⌈W/2⌉)."""
        return cast(Tensor, self.act1(self.bn1(self.conv_stem(x))))

    def numbered_blocks(self) -> list[nn.Module]:
        """Return the blocks of all stages in order."""
        return [block for stage in self.blocks for block in cast(nn.Sequential, stage)]

    def last(self, x: Tensor) -> Tensor:
        """Apply the last 1×1 convolution to the blocks' last map."""
        return cast(Tensor, self.act2(self.bn2(self.conv_head(x))))
