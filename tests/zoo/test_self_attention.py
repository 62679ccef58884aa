"""GhostNet + MobileViT's self-attention: grouping of tokens, and attention itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ghostdeploy.zoo import build, make_spec
from ghostdeploy.zoo.ghostnetv1_sa import Attention, MobileViTAttention, fold, unfold


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(1, 3, 4, 6), (2, 5, 8, 2)])
def test_fold_is_the_inverse_of_unfold(shape) -> None:
    x = random(*shape)
    assert torch.equal(fold(unfold(x), shape), x)


def test_unfold_gathers_the_pixels_at_one_place_of_every_patch() -> None:
    x = random(2, 3, 4, 6)
    sequences = unfold(x).reshape(2, 4, 6, 3)
    for place, (i, j) in enumerate(np.ndindex(2, 2)):
        expected = x[:, :, i::2, j::2].flatten(2).transpose(1, 2)
        assert torch.equal(sequences[:, place], expected)


def settled(channels: int = 8) -> MobileViTAttention:
    torch.manual_seed(0)
    return MobileViTAttention(channels, dim=8, depth=2, heads=2).eval()


def test_a_pixel_reaches_the_same_place_of_every_patch_and_no_other() -> None:
    module, x = settled(), random(1, 8, 6, 8)
    changed = x.clone()
    changed[0, :, 3, 4] += 5.0  # an odd row, an even column
    with torch.no_grad():
        moved = (module(changed) - module(x)).abs().amax(1)[0] > 1e-6
    expected = torch.zeros(6, 8, dtype=torch.bool)
    expected[1::2, 0::2] = True
    assert torch.equal(moved, expected)


def test_odd_sizes_are_made_even_and_back() -> None:
    """Through bilinear resizing every place then reaches every other."""
    module, x = settled(), random(1, 8, 7, 5)
    changed = x.clone()
    changed[0, :, 3, 2] += 5.0
    with torch.no_grad():
        moved = (module(changed) - module(x)).abs().amax(1)[0] > 1e-7
    assert moved.shape == (7, 5)
    assert moved.all()


def test_a_constant_odd_map_is_as_a_constant_even_map() -> None:
    module = settled()
    with torch.no_grad():
        odd, even = module(torch.ones(1, 8, 7, 7)), module(torch.ones(1, 8, 8, 8))
    torch.testing.assert_close(odd, even[:, :, :7, :7])


def test_attention_is_torchs_multi_head_attention() -> None:
    torch.manual_seed(1)
    ours, theirs = Attention(12, heads=3).eval(), nn.MultiheadAttention(12, 3, batch_first=True)
    with torch.no_grad():
        for name in ("weight", "bias"):
            parts = [getattr(layer, name) for layer in (ours.q, ours.k, ours.v)]
            getattr(theirs, f"in_proj_{name}").copy_(torch.cat(parts))
            getattr(theirs.out_proj, name).copy_(getattr(ours.proj, name))
        x = random(4, 9, 12)
        expected = theirs.eval()(x, x, x, need_weights=False)[0]
        torch.testing.assert_close(ours(x), expected, rtol=1e-5, atol=1e-6)


def test_a_transformer_layer_normalizes_before_and_adds_after() -> None:
    layer = settled().layers[0]
    x = random(2, 5, 8)
    with torch.no_grad():
        y = x + layer.attn(F.layer_norm(x, (8,)))
        hidden = layer.mlp[0](F.layer_norm(y, (8,)))
        expected = y + layer.mlp[2](hidden * torch.sigmoid(hidden))
        torch.testing.assert_close(layer(x), expected, rtol=1e-5, atol=1e-6)
    assert layer.mlp[0].out_features == 16


def test_the_stages_stand_where_the_options_say() -> None:
    options = {"after_blocks": (2, 15), "dims": (8, 24), "depths": (1, 2), "heads": 2}
    network = build(make_spec("ghostnetv1_sa", width=0.25, changes=options))
    assert list(network.attention) == ["2", "15"]
    assert [len(stage.layers) for stage in network.attention.values()] == [1, 2]
    assert [stage.norm.normalized_shape for stage in network.attention.values()] == [(8,), (24,)]
    seen = []
    for name, stage in network.attention.items():
        stage.register_forward_hook(
            lambda m, args, out, name=name: seen.append((name, tuple(args[0].shape[2:])))
        )
    with torch.no_grad():
        network(torch.zeros(1, 3, 64, 96))
    assert seen == [("2", (16, 24)), ("15", (2, 3))]


def test_attention_changes_ghostnet_and_leaves_its_trunk() -> None:
    network = build(make_spec("ghostnetv1_sa", width=0.1))
    plain = build(make_spec("ghostnetv1", width=0.1))
    plain.load_state_dict(
        {k: v for k, v in network.state_dict().items() if not k.startswith("attention.")}
    )
    image = random(1, 3, 64, 64)
    with torch.no_grad():
        ours, theirs = network.trunk(image), plain.trunk(image)
    assert all(torch.equal(a, b) for a, b in zip(ours[:4], theirs[:4], strict=True))
    assert not torch.allclose(ours[4], theirs[4])
