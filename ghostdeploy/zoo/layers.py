"""The layers that the networks share, and those that GhostNet's relatives are made of.

Attribute names follow the published checkpoints (GhostNet's official code and timm use the same
keys), so a checkpoint loads without renaming.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar, cast

import torch.nn.functional as F
from torch import Tensor, cat, nn

from ghostdeploy.errors import UsageError
from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.options import DfcForm


def make_divisible(channels: float, divisor: int = 4) -> int:
    """Round to the nearest multiple of ``divisor``, never below 90 % of ``channels``.

    So do the official code and, before it, MobileNet's.
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


class HardSigmoid(nn.Module):
    """The gate relu6(x + 3) / 6, in the form that XNNPACK takes (RELU_0_TO_1 is not one)."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply it to each element."""
        return F.relu6(x + 3.0) * (1.0 / 6.0)


class HardSwish(nn.Module):
    """x · relu6(x + 3) / 6 for a linear layer's input.

    Of torch's own the converter moves the division by six into the layer's weights; what is then
    left in the file is no value of the network.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gate = HardSigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Apply it to each element."""
        return x * cast(Tensor, self.gate(x))


class Clip(nn.Module):
    """The gate clamp(x, 0, 1): the cheapest gate of Table 9."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply it to each element."""
        return x.clamp(0.0, 1.0)


GATES: dict[str, type[nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "hard_sigmoid": HardSigmoid,
    "clip": Clip,
}


class ConvBnAct(nn.Module):
    """Convolution → BN → activation: the stem's and the last 1×1's shape."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 1,
        act: Callable[[], nn.Module] = nn.ReLU,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.act = act()

    def forward(self, x: Tensor) -> Tensor:
        """Apply all three: (N, in, H, W) → (N, out, H − K + 1, W − K + 1), K the kernel."""
        return cast(Tensor, self.act(self.bn1(self.conv(x))))


M = TypeVar("M", bound=nn.Module)


def quieten(module: M, seeded_scale: float) -> M:
    """Return ``module`` marked to get seeded weights ``seeded_scale`` times those of others.

    It is for what would amplify, layer by layer, rounding errors, or how an image differs from
    those that settled the statistics. A checkpoint's weights are not changed.
    """
    module.seeded_scale = seeded_scale  # type: ignore[assignment]
    return module


class SqueezeExcite(nn.Module):
    """Channel attention: the mean of each channel → ``reduced`` numbers → a gate a channel.

    GhostNet and MobileNetV3 have a ReLU between and a hard sigmoid behind.
    """

    def __init__(
        self,
        channels: int,
        reduced: int,
        *,
        act: Callable[[], nn.Module] = nn.ReLU,
        gate: Callable[[], nn.Module] = HardSigmoid,
    ) -> None:
        super().__init__()
        self.conv_reduce = nn.Conv2d(channels, reduced, 1)
        self.act = act()
        self.conv_expand = nn.Conv2d(reduced, channels, 1)
        self.gate = gate()

    def forward(self, x: Tensor) -> Tensor:
        """Scale each channel: (N, C, H, W) → (N, C, H, W)."""
        pooled = x.mean((2, 3), keepdim=True)
        return x * cast(Tensor, self.gate(self.conv_expand(self.act(self.conv_reduce(pooled)))))


def conv_bn(
    in_channels: int,
    out_channels: int,
    kernel: int | tuple[int, int] = 1,
    *,
    stride: int = 1,
    depthwise: bool = False,
    bias: bool = False,
    eps: float = 1e-5,
) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """Return a convolution that keeps the size (divided by ``stride``), and its BN."""
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    conv = nn.Conv2d(
        in_channels,
        out_channels,
        (height, width),
        stride,
        padding=(height // 2, width // 2),
        groups=in_channels if depthwise else 1,
        bias=bias,
    )
    return conv, nn.BatchNorm2d(out_channels, eps=eps)


def shrink_side(side: int, ratio: float) -> int:
    """Return the attention map's side, ⌊ratio · side⌋.

    The small constant keeps 0.7 · 10 = 7 from flooring to 6.
    """
    return math.floor(ratio * side + 1e-9)


class DfcDown(nn.Module):
    """The DFC branch's down-sampling: (N, C, H, W) → (N, C, ⌊rH⌋, ⌊rW⌋)."""

    def __init__(self, options: DfcForm) -> None:
        super().__init__()
        self.mode, self.ratio = options.down, options.ratio

    def extra_repr(self) -> str:
        """Return what torch prints of it."""
        return f"{self.mode}, ratio={self.ratio}"

    def forward(self, x: Tensor) -> Tensor:
        """Make the map smaller, or leave it where the ratio is 1."""
        if self.ratio == 1.0:
            return x
        size = (shrink_side(x.shape[-2], self.ratio), shrink_side(x.shape[-1], self.ratio))
        if self.mode == "bilinear":
            return F.interpolate(x, size, mode="bilinear", align_corners=False)
        if self.ratio == 0.5:
            return F.avg_pool2d(x, 2) if self.mode == "average" else F.max_pool2d(x, 2)
        pool = F.adaptive_avg_pool2d if self.mode == "average" else F.adaptive_max_pool2d
        return pool(x, size)


class DfcUp(nn.Module):
    """The gate's up-sampling to the size of what it multiplies (align_corners=False)."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode

    def extra_repr(self) -> str:
        """Return what torch prints of it."""
        return self.mode

    def forward(self, gate: Tensor, size: tuple[int, int]) -> Tensor:
        """Resize ``gate`` (N, C, h, w) to ``size``, (H, W)."""
        if tuple(gate.shape[-2:]) == size:
            return gate
        align = None if self.mode == "nearest" else False
        return F.interpolate(gate, size, mode=self.mode, align_corners=align)


def check_dfc_size(spec: ModelSpec, dfc: DfcForm, stride: int) -> None:
    """Raise UsageError where ``dfc`` leaves nothing of a map at ``stride`` of the input."""
    height, width = (math.ceil(side / stride) for side in spec.resolution)
    if shrink_side(min(height, width), dfc.ratio) < 1:
        raise UsageError(
            f"ratio {dfc.ratio} leaves nothing of the {height}x{width} map at stride {stride};"
            " take a larger ratio or resolution"
        )


class DfcGated(nn.Module):
    """A module that may hold a DFC branch (GhostNetV2, §4.2, Eqs. 4–5) among its own layers.

    The branch is the module's input, made smaller, through 1×1, 1×K and K×1, a sigmoid, and
    back up. ``dfc`` is None where there is none.
    """

    dfc: DfcForm | None = None

    def add_branch(self, in_channels: int, out_channels: int, dfc: DfcForm, kernel: int) -> None:
        """Make the branch's layers, K being ``kernel``."""
        self.dfc = dfc
        self.down = DfcDown(dfc)
        self.short_conv = nn.Sequential(
            *conv_bn(in_channels, out_channels),
            *conv_bn(out_channels, out_channels, (1, kernel), depthwise=True),
            *conv_bn(out_channels, out_channels, (kernel, 1), depthwise=True),
        )
        self.gate = GATES[dfc.scale]()
        self.up = DfcUp(dfc.up)

    def attention(self, x: Tensor) -> Tensor:
        """Compute the attention map of the module's input: (N, in, H, W) → (N, out, H, W)."""
        size = (x.shape[-2], x.shape[-1])
        logits = self.short_conv(self.down(x))
        if self.dfc is not None and self.dfc.scale_where == "after":
            return cast(Tensor, self.gate(self.up(logits, size)))
        return cast(Tensor, self.up(self.gate(logits), size))


class GhostModule(DfcGated):
    """Half the output by a 1×1 convolution, the other half from that by a cheap depthwise 3×3.

    With ``dfc`` the output is gated by DFC attention. ``out_channels`` is a multiple of 4
    throughout the family, so the halves are equal.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        relu: bool,
        dfc: DfcForm | None = None,
        dfc_kernel: int = 5,
    ) -> None:
        super().__init__()
        half = out_channels // 2

        def act() -> nn.Module:
            return nn.ReLU() if relu else nn.Identity()

        self.primary_conv = nn.Sequential(*conv_bn(in_channels, half), act())
        self.cheap_operation = nn.Sequential(*conv_bn(half, half, 3, depthwise=True), act())
        if dfc is not None:
            self.add_branch(in_channels, out_channels, dfc, dfc_kernel)

    def forward(self, x: Tensor) -> Tensor:
        """Apply it: (N, in, H, W) → (N, out, H, W)."""
        primary = self.primary_conv(x)
        ghost = cat([primary, self.cheap_operation(primary)], dim=1)
        return ghost if self.dfc is None else ghost * self.attention(x)


class GhostBottleneck(nn.Module):
    """Ghost module → (depthwise stride 2) → (SE) → Ghost module, plus a shortcut."""

    def __init__(
        self,
        in_channels: int,
        hidden: int,
        out_channels: int,
        *,
        kernel: int,
        stride: int,
        se_ratio: float,
        first: GhostModule,
        second: GhostModule,
    ) -> None:
        super().__init__()
        self.ghost1 = first
        if stride > 1:
            self.conv_dw, self.bn_dw = conv_bn(
                hidden, hidden, kernel, stride=stride, depthwise=True
            )
        self.se = SqueezeExcite(hidden, make_divisible(hidden * se_ratio)) if se_ratio else None
        self.ghost2 = second
        self.stride = stride
        self.shortcut = nn.Sequential()
        if stride > 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                *conv_bn(in_channels, in_channels, kernel, stride=stride, depthwise=True),
                *conv_bn(in_channels, out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Apply it: (N, in, H, W) → (N, out, ⌈H/stride⌉, ⌈W/stride⌉)."""
        y = self.ghost1(x)
        if self.stride > 1:
            y = self.bn_dw(self.conv_dw(y))
        if self.se is not None:
            y = self.se(y)
        return cast(Tensor, self.ghost2(y) + self.shortcut(x))
