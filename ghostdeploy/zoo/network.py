"""What every network of the zoo is: a stem, numbered blocks with taps, and a head."""

from __future__ import annotations

from typing import ClassVar, cast

import torch.nn.functional as F
from torch import Tensor, nn

DROPOUT = 0.2


class ConvNet(nn.Module):
    """Logits (N, num_classes) of an image batch (N, 3, H, W), by a trunk of blocks in a row.

    A subclass makes its layers, calls ``tap`` for each block and gives ``stem`` and
    ``numbered_blocks``; it overrides what else differs. ``classifier`` is its linear layer.
    ``pooled_conv`` names a 1×1 convolution in ``neck`` that works on the pooled pixel, "" for
    none. ``head_modules`` are the children behind the last feature map.
    """

    pooled_conv: ClassVar[str] = ""
    head_modules: ClassVar[tuple[str, ...]] = ("classifier",)
    classifier: nn.Module

    def __init__(self) -> None:
        super().__init__()
        self.taps: dict[int, int] = {}  # stride -> number of the last block at that stride

    def image_conv(self) -> nn.Conv2d:
        """Return the convolution that sees the image: the first one."""
        return next(module for module in self.modules() if isinstance(module, nn.Conv2d))

    def stem(self, x: Tensor) -> Tensor:
        """Apply what stands before the first block to images (N, 3, H, W)."""
        raise NotImplementedError

    def numbered_blocks(self) -> list[nn.Module]:
        """Return the blocks in the order that they are applied in."""
        raise NotImplementedError

    def after_block(self, number: int, x: Tensor) -> Tensor:
        """Return what a relative makes of block ``number``'s output ``x``; most leave it."""
        return x

    def trunk(self, x: Tensor) -> list[Tensor]:
        """Return the output of each block for images (N, 3, H, W)."""
        outputs = []
        x = self.stem(x)
        for number, block in enumerate(self.numbered_blocks()):
            x = self.after_block(number, block(x))
            outputs.append(x)
        return outputs

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the last feature map at strides 4, 8, 16 and 32, for detection and segmentation.

        They are (N, C, ⌈H/stride⌉, ⌈W/stride⌉).
        """
        outputs = self.trunk(x)
        return [outputs[block] for stride, block in self.taps.items() if stride >= 4]

    def last(self, x: Tensor) -> Tensor:
        """Return what is pooled, for the last block's output ``x`` (N, C, H, W)."""
        return x

    def final_map(self, x: Tensor) -> Tensor:
        """Return the map that is pooled for images (N, 3, H, W)."""
        return self.last(self.trunk(x)[-1])

    def neck(self, pooled: Tensor) -> Tensor:
        """Return what the classifier reads, for the pooled map (N, C, 1, 1)."""
        return pooled

    def forward(self, x: Tensor) -> Tensor:
        """Classify: (N, 3, H, W) → logits (N, num_classes)."""
        x = self.neck(self.final_map(x).mean((2, 3), keepdim=True))
        x = F.dropout(x.flatten(1), DROPOUT, self.training)
        return cast(Tensor, self.classifier(x))

    def own_name(self, name: str) -> str:
        """Return what this network calls the tensor ``name`` of a second public layout."""
        return name
