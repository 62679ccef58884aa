"""AutoNL's networks (CVPR 2020): inverted residuals with the light non-local block LightNL."""

from __future__ import annotations

from torch import Tensor, nn

from ghostdeploy.zoo.inverted_residual import Blocks, Extras, MobileNet
from ghostdeploy.zoo.layers import conv_bn, quieten


class LightNL(nn.Module):
    """Adds to each pixel what all pixels say of it: Σⱼ ⟨θᵢ, φⱼ⟩ gⱼ / HW, a depthwise 3×3, BN.

    θ and φ are the first ``share`` of the channels, g is all of them; j goes over every
    ``stride``-th row and column. There is no softmax, so that the products may be taken in the
    order that costs less.
    """

    def __init__(self, channels: int, share: float, stride: int, eps: float) -> None:
        super().__init__()
        self.channels, self.shared, self.stride = channels, int(share * channels), stride
        self.conv, _ = conv_bn(channels, channels, 3, depthwise=True)
        # Of the third power of its input; in training its scale begins at 0.
        self.bn = quieten(nn.BatchNorm2d(channels, eps), 0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Add it: (N, C, H, W) → (N, C, H, W)."""
        pixels = x.permute(0, 2, 3, 1)  # (N, H, W, C), as the phone has it
        few = pixels[:, :: self.stride, :: self.stride]
        n, h, w, c = pixels.shape
        theta = pixels[..., : self.shared].reshape(n, h * w, self.shared)
        g = few.reshape(n, -1, c)
        phi = few[..., : self.shared].reshape(n, -1, self.shared).transpose(1, 2)
        y = self.multiply(theta, phi, g) / (h * w)
        added: Tensor = self.bn(self.conv(y.reshape(n, h, w, c).permute(0, 3, 1, 2)))
        return x + added

    def multiply(self, theta: Tensor, phi: Tensor, g: Tensor) -> Tensor:
        """Return θφg, (N, HW, c)·(N, c, hw)·(N, hw, C), in the order that costs less."""
        pixels, few, channels = theta.shape[1], g.shape[1], self.channels
        by_pixels = pixels * few * (self.shared + channels)
        by_channels = (pixels + few) * self.shared * channels
        return (theta @ phi) @ g if by_pixels < by_channels else theta @ (phi @ g)


class AutoNL(MobileNet):
    """A network of AutoNL's search: each line of its table says where LightNL stands."""

    def extras(self, row: Blocks, channels: int, hidden: int, stride: int) -> Extras:
        """Return the SE and the LightNL of a block."""
        extras = super().extras(row, channels, hidden, stride)
        share, step = row.nl
        if not share:
            return extras
        nl = LightNL(self.widen(row.channels), share, step, self.design.eps)
        return extras._replace(nl=nl)
