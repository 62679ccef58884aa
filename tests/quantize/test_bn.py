"""Ranges out of BN, against its parameters and what equalization did to the activations."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ghostdeploy import zoo
from ghostdeploy.commands.export.network import build_network
from ghostdeploy.export.deploy import DeployNetwork
from ghostdeploy.images.examples import example_images
from ghostdeploy.images.preprocessing import normalize
from ghostdeploy.quantize import bn
from ghostdeploy.quantize.equalize import equalize
from ghostdeploy.schema import ExportOptions

CASES = {  # convolution: its BN, the ReLU behind it
    "conv_stem": ("bn1", "act1"),
    "blocks.1.0.conv_dw": ("blocks.1.0.bn_dw", ""),
    "blocks.3.0.ghost1.primary_conv.0": ("blocks.3.0.ghost1.primary_conv.1",
                                         "blocks.3.0.ghost1.primary_conv.2"),
    "blocks.3.0.ghost2.cheap_operation.0": ("blocks.3.0.ghost2.cheap_operation.1", ""),
    "blocks.3.0.ghost1.short_conv.4": ("blocks.3.0.ghost1.short_conv.5", ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def network():
    return build_network(zoo.make_spec("ghostnetv2", width=0.3, resolution=(64, 64)), None, 0)


@pytest.fixture(scope="module")
def inputs():
    return normalize(example_images(np.random.RandomState(3), 2, 64, 64)).astype(np.float32)


def outputs(form, inputs):
    """What each convolution gives, (channels, values)."""
    seen = {}
    hooks = [
        m.register_forward_hook(
            lambda _, args, out, name=name: seen.update({name: out.transpose(0, 1).flatten(1)})
        )
        for name, m in form.net.named_modules()
        if name in CASES
    ]
    with torch.no_grad():
        form(torch.from_numpy(inputs))
    for hook in hooks:
        hook.remove()
    return seen


def test_six_spreads_of_every_channel(network, inputs):
    plain, even = (DeployNetwork(network, ExportOptions()) for _ in range(2))
    equalize(even, inputs)
    found, same = (bn.bounds(network, plain.net, form.net) for form in (even, plain))
    before, after = outputs(plain, inputs), outputs(even, inputs)
    changed = 0
    for name, (norm, activation) in CASES.items():
        layer = network.get_submodule(norm)
        middle, spread = layer.bias.detach(), 6 * layer.weight.detach().abs()
        ends = [middle - spread, middle + spread]
        assert same[name] == pytest.approx((float(ends[0].min()), float(ends[1].max())))
        # What a channel was divided by, from its values alone.
        divisor = (before[name].norm(dim=1) / after[name].norm(dim=1)).detach()
        low, high = (ends[0] / divisor).min().item(), (ends[1] / divisor).max().item()
        assert found[name] == pytest.approx((low, high), rel=1e-3)
        changed += bool((divisor - 1).abs().max() > 0.1)
        if activation:
            assert found[activation] == (0.0, found[name][1])
    assert changed > 1
