"""GhostNet V1 + MobileViT's self-attention: the paper's Table 1, second row.

The paper gives its cost (172 M) and latency only; where the attention stands and how wide
and deep it is, is a reconstruction (``SelfAttentionOptions``).
"""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.ghostnetv1 import STAGES, GhostNet
from ghostdeploy.zoo.layers import make_divisible
from ghostdeploy.zoo.options import SelfAttentionOptions

PATCH = 2


class Attention(nn.Module):
    """Multi-head self-attention over (B, tokens, dim)."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads, self.head_dim = heads, dim // heads
        self.q, self.k, self.v = (nn.Linear(dim, dim) for _ in range(3))
        self.proj = nn.Linear(dim, dim)

    def split(self, x: Tensor) -> Tensor:
        """Split the heads: (B, T, dim) → (B, heads, T, head_dim)."""
        batch, tokens, _ = x.shape
        return x.reshape(batch, tokens, self.heads, self.head_dim).transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Attend: (B, T, dim) → (B, T, dim)."""
        q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
        weights = (q * self.head_dim**-0.5) @ k.transpose(2, 3)
        y = weights.softmax(-1) @ v  # (B, heads, T, head_dim)
        return cast(Tensor, self.proj(y.transpose(1, 2).reshape(x.shape)))


class TransformerLayer(nn.Module):
    """LayerNorm + attention, LayerNorm + feed-forward (2·dim, SiLU), each with a residual."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(dim), Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.SiLU(), nn.Linear(2 * dim, dim))

    def forward(self, x: Tensor) -> Tensor:
        """Apply both: (B, T, dim) → (B, T, dim)."""
        x = x + self.attn(self.norm1(x))
        return cast(Tensor, x + self.mlp(self.norm2(x)))


class MobileViTAttention(nn.Module):
    """1×1 to ``dim``, transformer over the tokens at one place of each 2×2 patch, 1×1 back."""

    def __init__(self, channels: int, dim: int, depth: int, heads: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(channels, dim, 1, bias=False)
        self.layers = nn.Sequential(*(TransformerLayer(dim, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim)
        self.conv_out = nn.Conv2d(dim, channels, 1, bias=False)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Add the attention to ``x``: (N, C, H, W) → (N, C, H, W).

        Odd sides are resized to even ones in between, and back.
        """
        size = x.shape[-2:]
        even = tuple(side + side % PATCH for side in size)
        y = resize(self.conv_in(x), even)
        tokens = self.norm(self.layers(unfold(y)))
        y = resize(fold(tokens, y.shape), tuple(size))
        return x + cast(Tensor, self.bn(self.conv_out(y)))


def resize(x: Tensor, size: tuple[int, ...]) -> Tensor:
    """Resize (N, C, H, W) bilinearly, or not at all where the size is right already."""
    if tuple(x.shape[-2:]) == size:
        return x
    return F.interpolate(x, size, mode="bilinear", align_corners=False)


def unfold(x: Tensor) -> Tensor:
    """Return (N, C, H, W) as (N·4, H·W/4, C): a sequence for each place in the 2×2 patch."""
    n, c, h, w = x.shape
    x = x.reshape(n * c, h // PATCH, PATCH, w // PATCH, PATCH)
    x = x.permute(0, 2, 4, 1, 3).reshape(n, c, PATCH * PATCH, h * w // PATCH**2)
    return x.permute(0, 2, 3, 1).reshape(n * PATCH * PATCH, h * w // PATCH**2, c)


def fold(tokens: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Undo ``unfold``; ``shape`` is (N, C, H, W)."""
    n, c, h, w = shape
    x = tokens.reshape(n, PATCH * PATCH, h * w // PATCH**2, c).permute(0, 3, 1, 2)
    x = x.reshape(n * c, PATCH, PATCH, h // PATCH, w // PATCH)
    return x.permute(0, 3, 1, 4, 2).reshape(n, c, h, w)


class GhostNetSelfAttention(GhostNet):
    """GhostNet with a MobileViT attention stage after some of its blocks."""

    def __init__(self, spec: ModelSpec, options: SelfAttentionOptions) -> None:
        super().__init__(spec)
        widths = [make_divisible(row[2] * spec.width) for rows in STAGES for row in rows]
        self.attention = nn.ModuleDict(
            {
                str(block): MobileViTAttention(widths[block], dim, depth, options.heads)
                for block, dim, depth in zip(
                    options.after_blocks, options.dims, options.depths, strict=True
                )
            }
        )

    def after_block(self, number: int, x: Tensor) -> Tensor:
        """Return block ``number``'s output (N, C, H, W) with its attention, where it has one."""
        key = str(number)
        return self.attention[key](x) if key in self.attention else x


def build(spec: ModelSpec) -> GhostNetSelfAttention:
    """Make GhostNet + self-attention of ``spec``, with torch's default weights."""
    assert isinstance(spec.options, SelfAttentionOptions)
    return GhostNetSelfAttention(spec, spec.options)
