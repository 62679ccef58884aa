"""Equalization keeps the function and makes channels alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ghostdeploy import zoo
from ghostdeploy.commands.export.network import build_network
from ghostdeploy.export.deploy import DeployNetwork
from ghostdeploy.images.examples import example_images
from ghostdeploy.images.preprocessing import normalize
from ghostdeploy.quantize.equalize import equalize
from ghostdeploy.schema import ExportOptions


def spread(form, images) -> float:
    """The geometric mean of a channel's largest magnitude over its tensor's, Ghost modules."""
    shares = []

    def look(module, args, out):
        top = out.detach().abs().amax((0, 2, 3))
        shares.extend((top / top.max()).clamp_min(1e-3).log().tolist())

    hooks = [block.ghost1.register_forward_hook(look) for block in form.net.numbered_blocks()]
    with torch.no_grad():
        form(images)
    for hook in hooks:
        hook.remove()
    return float(np.exp(np.mean(shares)))


@pytest.mark.parametrize("embed", [False, True])
@pytest.mark.parametrize("arch", ["ghostnetv1", "ghostnetv2"])
def test_the_same_function_with_channels_more_alike(arch, embed):
    network = build_network(zoo.make_spec(arch, width=0.3, resolution=(64, 64)), None, 0)
    images = example_images(np.random.RandomState(3), 6, 64, 64)
    images = 255 * images if embed else normalize(images)
    inputs = images.astype(np.float32)
    plain, even = (
        DeployNetwork(network, ExportOptions(embed_preprocessing=embed)) for _ in range(2)
    )
    equalize(even, inputs)
    x = torch.from_numpy(inputs)
    with torch.no_grad():
        torch.testing.assert_close(even(x), plain(x), rtol=1e-3, atol=1e-3)
    assert spread(even, x) > 1.1 * spread(plain, x)
