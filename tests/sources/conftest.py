"""A user's files, and a reference to what is in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ghostdeploy.sources import find_source
from ghostdeploy.sources.reference import NetworkReference, OwnNetwork
from tests.sources.networks import NET

TOLD = ("resolution", "num_classes", "weights", "seed")  # the rest is OwnNetwork's
Refer = Callable[..., NetworkReference]


@pytest.fixture
def refer(tmp_path: Path) -> Refer:
    """Write ``text`` to net.py, and return a reference to ``function`` in it."""

    def make(text: str = NET, function: str = "build", **own: Any) -> NetworkReference:
        path = tmp_path / "net.py"
        path.write_text(text, encoding="utf-8")
        known = {name: own.pop(name) for name in TOLD if name in own}
        found = find_source(f"{path}:{function}")
        assert found is not None
        return replace(found, own=OwnNetwork(**own), **known)

    return make
