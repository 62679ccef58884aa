"""The published checkpoints load without renaming: names, order, shapes, and the function."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from ghostdeploy.zoo import build, gated_modules, make_spec
from tests.zoo import reference_network


def test_names_order_and_shapes_of_the_published_checkpoint(v2) -> None:
    have = [(name, tuple(tensor.shape)) for name, tensor in v2.state_dict().items()]
    assert len(have) == 764
    assert have == list(reference_network.keys())


@pytest.mark.parametrize("arch", ["ghostnetv1", "ghostnetv2"])
def test_blocks_are_grouped_as_in_the_checkpoint(arch: str) -> None:
    names = build(make_spec(arch, width=0.1)).state_dict()
    blocks = {tuple(name.split(".")[1:3]) for name in names if name.startswith("blocks.")}
    sizes = Counter(int(stage) for stage, _ in blocks)
    assert [sizes[stage] for stage in range(10)] == [1, 1, 1, 1, 1, 1, 5, 1, 4, 1]


# make_divisible(v, 4) of the 1.0× widths, by hand.
OUT_CHANNELS = {
    1.0: [16, 24, 24, 40, 40, 80, 80, 80, 80, 112, 112, 160, 160, 160, 160, 160],
    1.3: [20, 32, 32, 52, 52, 104, 104, 104, 104, 144, 144, 208, 208, 208, 208, 208],
}


@pytest.mark.parametrize(("width", "stem", "last"), [(1.0, 16, 960), (1.3, 20, 1248)])
def test_widths_scale_all_but_the_head(width: float, stem: int, last: int) -> None:
    network = build(make_spec(width=width, num_classes=7))
    outs = [b.ghost2.primary_conv[0].out_channels * 2 for b in network.numbered_blocks()]
    assert outs == OUT_CHANNELS[width]
    assert network.conv_stem.out_channels == stem
    assert network.conv_head.in_channels == last
    assert network.conv_head.out_channels == 1280
    assert network.classifier.out_features == 7


def test_gated_modules_are_those_with_a_dfc_branch() -> None:
    for where in ("first", "second", "both"):
        spec = make_spec(width=0.1, changes={"where": where})
        names = build(spec).state_dict()
        branches = {n.partition(".short_conv")[0] for n in names if ".short_conv" in n}
        assert branches == set(gated_modules(spec))
    assert len(gated_modules(make_spec())) == 14
    assert gated_modules(make_spec("ghostnetv1")) == ()


def test_the_network_is_the_published_function(v2, images) -> None:
    image = images[1:, :, :97, :97]  # maps of 49, 25, 13, 7 and 4: nearest 3 → 7 and its like
    with torch.no_grad():
        expected = reference_network.logits(v2.state_dict(), image)
        error = (v2(image) - expected).norm() / expected.norm()
    assert error < 1e-4


def test_without_gates_v2_is_v1(v1, images) -> None:
    image = images[:, :, :64, :64]
    bare = build(make_spec(changes={"dfc_blocks": ()}))
    bare.load_state_dict(v1.state_dict())
    with torch.no_grad():
        assert torch.equal(bare(image), v1(image))
