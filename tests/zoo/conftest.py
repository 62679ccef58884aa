"""Seeded networks and images, made once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ghostdeploy.images.examples import example_images
from ghostdeploy.images.preprocessing import normalize
from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo import build, make_spec
from tests.optional_packages import ABSENT

if TYPE_CHECKING:
    from torch import Tensor, nn


@contextmanager
def one_thread() -> Iterator[None]:
    """Small networks on a busy machine: threads that wait for each other cost most."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with nullcontext() if "torch" in ABSENT else one_thread():
        yield


def seeded(spec: ModelSpec, seed: int = 0) -> nn.Module:
    from ghostdeploy.zoo.weights import seed_weights

    network = build(spec)
    with one_thread():  # fixtures of the session come before those of a test
        seed_weights(network, seed)
    return network


@pytest.fixture(scope="session")
def images() -> Tensor:
    """Noise and a picture, 224×224, that no seeding pass has seen."""
    import torch

    random = np.random.RandomState(1234)
    return torch.from_numpy(normalize(example_images(random, 2, 224, 224))).float()


@pytest.fixture(scope="session")
def v2() -> nn.Module:
    return seeded(make_spec("ghostnetv2"))


@pytest.fixture(scope="session")
def v1() -> nn.Module:
    return seeded(make_spec("ghostnetv1"))


@pytest.fixture(scope="session")
def small() -> nn.Module:
    """GhostNetV2 at a tenth of the width: the full depth and every kind of tensor."""
    return seeded(make_spec("ghostnetv2", width=0.1))
