"""Seeded weights: the same bits everywhere, and a network that is worth testing with."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from ghostdeploy.zoo import build, make_spec
from ghostdeploy.zoo.weights import seed_weights
from tests.zoo.conftest import seeded


def digest(network: nn.Module) -> str:
    """Of every tensor's name, shape and bytes, in order."""
    sha = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        sha.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        sha.update(tensor.numpy().tobytes())
    return sha.hexdigest()


# Published files, records and baselines name models by seed: these may never change.
PINNED = {
    "v1": "54fa06872cf0c9edd6ef078b6525a1b15a31f91be13454e443a288f00350dc92",
    "v2": "405e30e72bb55d636076a61075ca8e023d2d952f5479065b13b53f612d3cb068",
    "small": "495e1e9b7383abcfa641591b5cee1206b686356453d6d0c5dd188331031555a4",
}


@pytest.mark.parametrize("name", PINNED)
def test_seed_0_is_pinned(name: str, request) -> None:
    assert digest(request.getfixturevalue(name)) == PINNED[name]


ANOTHER_PROCESSOR = {
    "ATEN_CPU_CAPABILITY": "default",
    "NPY_DISABLE_CPU_FEATURES": "AVX512F,AVX512CD,AVX512_SKX,AVX2,FMA3",
    "OMP_NUM_THREADS": "2",
    "OMP_WAIT_POLICY": "PASSIVE",
}
PRINT_DIGEST = """
import torch
from ghostdeploy.zoo import make_spec
from tests.zoo.conftest import seeded
from tests.zoo.test_seeded_weights import digest
torch.manual_seed(99)
print(digest(seeded(make_spec(width=0.1))))
"""


def test_an_older_processor_other_threads_and_torchs_own_seed_change_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PRINT_DIGEST],
        env={**os.environ, **ANOTHER_PROCESSOR},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == PINNED["small"]


def test_another_seed_is_another_network(small, images) -> None:
    other = seeded(make_spec(width=0.1), seed=1)
    differing = [
        name
        for name, tensor in other.state_dict().items()
        if not torch.equal(tensor, small.state_dict()[name])
    ]
    assert len(differing) == sum(not n.endswith("batches_tracked") for n in small.state_dict())
    with torch.no_grad():
        assert (other(images) - small(images)).std() > 0.1


def test_seeding_leaves_a_plain_float32_network_in_eval_mode(small) -> None:
    assert not any(m.training for m in small.modules())
    floating = [t for t in small.state_dict().values() if t.is_floating_point()]
    assert {t.dtype for t in floating} == {torch.float32}
    assert all(t.isfinite().all() for t in floating)
    assert not any(m._forward_pre_hooks for m in small.modules())


def outputs_of(network: nn.Module, kind: type[nn.Module], images) -> dict[str, torch.Tensor]:
    seen: dict[str, torch.Tensor] = {}
    handles = [
        module.register_forward_hook(lambda m, i, out, name=name: seen.__setitem__(name, out))
        for name, module in network.named_modules()
        if isinstance(module, kind)
    ]
    with torch.no_grad():
        network(images)
    for handle in handles:
        handle.remove()
    return seen


def test_activations_stay_in_range(small, images) -> None:
    """On images that did not settle the statistics."""
    normalized = outputs_of(small, nn.BatchNorm2d, images)
    # Stem and last; two Ghost modules a block; 14 branches; 4 strides; 5 shortcuts.
    assert len(normalized) == 2 + 16 * 2 * 2 + 14 * 3 + 4 + 5 * 2
    for name, values in normalized.items():
        assert 0.3 < values.std() < 3, name
        assert values.abs().max() < 50, name


def test_every_gate_varies_over_the_picture(small, images) -> None:
    gates = outputs_of(small, nn.Sigmoid, images)
    assert len(gates) == 14
    for name, gate in gates.items():
        assert 0.1 < gate.std() < 0.3, name
        assert 0.4 < gate.mean() < 0.6, name
        assert gate.std((2, 3)).mean() > 0.1, name  # within a channel, not only between them


def test_a_network_with_torchs_default_weights_would_prove_nothing(images) -> None:
    """Why the statistics are settled: there the gates hardly move."""
    torch.manual_seed(0)
    gates = outputs_of(build(make_spec(width=0.1)), nn.Sigmoid, images)
    assert max(float(gate.std()) for gate in gates.values()) < 0.1


def test_logits_tell_images_apart(small, images) -> None:
    with torch.no_grad():
        noise, picture = small(images)
    assert (noise - picture).std() > 0.3
    assert 0.3 < noise.std() < 3


def test_self_attention_networks_are_seeded_whole() -> None:
    network = build(make_spec("ghostnetv1_sa", width=0.1))
    before = {name: tensor.clone() for name, tensor in network.named_parameters()}
    seed_weights(network, 0)
    assert all(not torch.equal(before[n], p) for n, p in network.named_parameters())
    assert network.training is False
