"""Whole networks: sizes, feature maps, and that every option changes the function."""

from __future__ import annotations

import math

import pytest
import torch

from ghostdeploy.errors import UsageError
from ghostdeploy.zoo import MODELS, build, make_spec


@pytest.mark.parametrize("arch", MODELS)
@pytest.mark.parametrize("size", [(33, 33), (33, 64), (65, 47), (97, 160)])
def test_odd_and_oblong_images(arch: str, size: tuple[int, int]) -> None:
    network = build(make_spec(arch, width=0.1, resolution=size, num_classes=5))
    with torch.no_grad():
        logits = network(torch.zeros(2, 3, *size))
    assert logits.shape == (2, 5)
    assert logits.isfinite().all()


OTHERS = [arch for arch in MODELS if not arch.startswith("ghostnet")]


@pytest.mark.parametrize("arch", OTHERS)
def test_feature_maps_of_the_other_networks(arch: str) -> None:
    network = build(make_spec(arch, width=0.25, num_classes=2))
    height, width = 65, 97
    with torch.no_grad():
        features = network.features(torch.zeros(1, 3, height, width))
        trunk = network.trunk(torch.zeros(1, 3, height, width))
    assert [tuple(f.shape[2:]) for f in features] == [
        (math.ceil(height / stride), math.ceil(width / stride)) for stride in (4, 8, 16, 32)
    ]
    assert torch.equal(features[-1], trunk[-1])
    assert features[0].shape[2:] != trunk[network.taps[4] + 1].shape[2:]  # the last at its stride


@pytest.mark.parametrize("arch", [arch for arch in MODELS if arch not in OTHERS])
def test_taps_and_feature_maps(arch: str) -> None:
    network = build(make_spec(arch, width=1.0, num_classes=2))
    assert network.taps == {2: 0, 4: 2, 8: 4, 16: 10, 32: 15}
    height, width = 65, 97
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        features, trunk = network.features(image), network.trunk(image)
    shapes = [tuple(f.shape[1:]) for f in features]
    assert shapes == [
        (channels, math.ceil(height / stride), math.ceil(width / stride))
        for channels, stride in ((24, 4), (40, 8), (112, 16), (160, 32))
    ]
    assert all(torch.equal(f, trunk[b]) for f, b in zip(features, (2, 4, 10, 15), strict=True))


def test_at_32_pixels_the_last_branch_has_nothing_to_pool() -> None:
    """Why 33 is the smallest side that a spec takes."""
    with pytest.raises(UsageError, match="33 to 4096"):
        make_spec(resolution=(32, 224))
    with pytest.raises(RuntimeError), torch.no_grad():
        build(make_spec(width=0.1))(torch.zeros(1, 3, 32, 32))


@pytest.mark.parametrize(("ratio", "side"), [(0.3, 64), (0.1, 224), (0.3, 96)])
def test_a_ratio_that_leaves_nothing_is_refused(ratio: float, side: int) -> None:
    spec = make_spec(
        width=0.1, resolution=(side, 512), changes={"ratio": ratio, "dfc_blocks": (12,)}
    )
    with pytest.raises(UsageError, match=f"ratio {ratio} leaves nothing .* at stride 32"):
        build(spec)


def test_a_small_ratio_is_fine_where_the_maps_are_large() -> None:
    spec = make_spec(width=0.1, changes={"ratio": 0.1, "dfc_blocks": (2, 3)})
    with torch.no_grad():
        assert build(spec)(torch.zeros(1, 3, 224, 224)).isfinite().all()


# Options that leave the tensors' shapes alone, so that both networks have the same weights.
CHANGES = [
    {"down": "max"},
    {"down": "bilinear", "ratio": 0.7},
    {"up": "bilinear"},
    {"up": "bicubic"},
    {"scale": "hard_sigmoid"},
    {"scale": "clip"},
    {"ratio": 0.3},
    {"ratio": 1.0},
]


def logits_of(state, changes, images) -> torch.Tensor:
    network = build(make_spec(width=0.1, changes=changes))
    network.load_state_dict(state)
    with torch.no_grad():
        return network(images)


@pytest.fixture(scope="module")
def plain(small, images) -> torch.Tensor:
    return logits_of(small.state_dict(), {}, images)


def distance(a: torch.Tensor, b: torch.Tensor) -> float:
    """In standard deviations of the logits."""
    return float((a - b).square().mean().sqrt() / b.std())


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_each_option_is_another_function(changes, small, plain, images) -> None:
    assert distance(logits_of(small.state_dict(), changes, images), plain) > 0.02


def test_bilinear_and_average_pooling_agree_at_half_an_even_size_only(small, plain, images) -> None:
    """They differ at the odd maps of blocks 12–15 and are the same at the others."""
    bilinear = logits_of(small.state_dict(), {"down": "bilinear"}, images)
    assert 1e-3 < distance(bilinear, plain) < 1


@pytest.mark.parametrize("scale", ["sigmoid", "hard_sigmoid", "clip"])
def test_scale_where_matters_with_bilinear_up_sampling_only(scale: str, small, images) -> None:
    def at(where: str, up: str) -> torch.Tensor:
        return logits_of(
            small.state_dict(), {"scale": scale, "scale_where": where, "up": up}, images[1:]
        )

    assert distance(at("after", "nearest"), at("before", "nearest")) < 1e-5
    assert distance(at("after", "bilinear"), at("before", "bilinear")) > 1e-4


def test_kernel_by_stage() -> None:
    network = build(make_spec(width=0.1, changes={"kernel": (11, 9, 7)}))
    sizes = [b.ghost1.short_conv[2].kernel_size for b in network.numbered_blocks()[2:]]
    # Ghost modules see strides 4, 4, 8, 8 in blocks 2–5, then 16 in 6–11, then 32.
    assert sizes == [(1, 11)] * 4 + [(1, 9)] * 6 + [(1, 7)] * 4
    assert network.blocks[2][0].ghost1.short_conv[4].kernel_size == (11, 1)


def test_kernel_of_the_second_module_follows_the_stride_behind_it() -> None:
    changes = {"kernel": (11, 9, 7), "where": "second"}
    network = build(make_spec(width=0.1, changes=changes))
    sizes = [b.ghost2.short_conv[4].kernel_size[0] for b in network.numbered_blocks()[1:]]
    assert sizes == [11] * 4 + [9] * 6 + [7] * 5


def test_dropout_works_in_training_only() -> None:
    network = build(make_spec("ghostnetv1", width=0.1))
    image = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(network(image), network(image))
        assert not torch.equal(network.train()(image), network(image))
