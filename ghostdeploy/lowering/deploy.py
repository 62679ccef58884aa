"""The network as it is exported: the same function, built so that it lowers well."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ghostdeploy.images.normalization import MEAN, STD
from ghostdeploy.schema import ExportOptions
from ghostdeploy.zoo.network import ConvNet


class DeployNetwork(nn.Module):
    """The network as it is exported: (1, 3, H, W) → logits, probabilities, or feature maps.

    BN is folded into the convolution before it (in float64), and a 1×1 convolution on the one
    pooled pixel becomes the linear layer that it is, which saves the reshape behind it.
    """

    def __init__(self, network: ConvNet, options: ExportOptions) -> None:
        super().__init__()
        self.net = fold_batch_norms(copy.deepcopy(network).double())
        self.options = options
        if options.embed_preprocessing:
            self.center = fold_preprocessing(self.net)
        if name := self.net.pooled_conv:
            conv = self.net.get_submodule(name)
            assert isinstance(conv, nn.Conv2d)
            self.net.set_submodule(name, pointwise_to_linear(conv))
        self.float().eval()

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Return logits or probabilities (1, classes), or the maps at strides 4 to 32."""
        x = self.center(image) if self.options.embed_preprocessing else image
        if self.options.features:
            return tuple(self.net.features(x))
        logits: Tensor = self.net.classifier(self.net.neck(self.net.final_map(x).mean((2, 3))))
        return logits.softmax(1) if self.options.softmax else logits


class Center(nn.Module):
    """Subtracts a constant a channel from (N, 3, H, W)."""

    def __init__(self, mean: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` without its mean."""
        return x - self.get_buffer("mean")


def fold_batch_norms(module: nn.Module) -> ConvNet:
    """Fold every BN that directly follows a convolution among a module's children, in place.

    Returns ``module``.
    """
    conv_name, conv = "", None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d) and isinstance(conv, nn.Conv2d):
            setattr(module, conv_name, fuse_conv_bn_eval(conv.eval(), child.eval()))
            setattr(module, name, nn.Identity())
        else:
            fold_batch_norms(child)
        conv_name, conv = name, child
    return module  # type: ignore[return-value]


def fold_preprocessing(net: ConvNet) -> Center:
    """Make ``net`` take RGB of 0–255: the scale goes into the stem, the mean stays a subtraction.

    The mean cannot go into the stem's bias: the stem pads with zeros, which would then stand
    for black instead of for the mean colour, and the border pixels would differ.
    """
    stem = net.image_conv()
    stem.weight.data /= 255.0 * torch.tensor(STD, dtype=torch.float64).view(1, 3, 1, 1)
    return Center(255.0 * torch.tensor(MEAN, dtype=torch.float64).view(1, 3, 1, 1))


def pointwise_to_linear(conv: nn.Conv2d) -> nn.Linear:
    """Make a 1×1 convolution on a single pixel the linear layer that it is."""
    linear = nn.Linear(conv.in_channels, conv.out_channels)
    linear.weight.data = conv.weight.data.flatten(1)
    assert conv.bias is not None
    linear.bias.data = conv.bias.data
    return linear


def reference_outputs(
    network: ConvNet, options: ExportOptions, image: NDArray[np.float32]
) -> list[NDArray[np.float32]]:
    """Return what the exported model must compute for ``image`` (1, 3, H, W).

    The original network computes it, which shares nothing with ``DeployNetwork``: BN is not
    folded, preprocessing is a step before.
    """
    x = torch.from_numpy(image)
    if options.embed_preprocessing:
        mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
        x = (x / 255.0 - mean) / std
    with torch.no_grad():
        if options.features:
            return [feature.numpy() for feature in network.features(x)]
        logits = network(x)
        return [(logits.softmax(1) if options.softmax else logits).numpy()]
