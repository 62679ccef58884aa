"""Models on disk, and the graph that is read from them."""

from __future__ import annotations

import pytest

from ghostdeploy.linting import read_graph
from tests.linting.models import GRAPHS, gated_module


@pytest.fixture(params=GRAPHS)
def builder(request):
    """An empty graph of each format."""
    return GRAPHS[request.param]()


@pytest.fixture
def read(tmp_path):
    """The neutral graph of a builder's model, by way of a file."""

    def from_file(graph, output):
        path = tmp_path / f"model{graph.suffix}"
        path.write_bytes(graph.model(output))
        return read_graph(path)

    return from_file


GOOD = ("average", "1×1", "dw 1×5", "dw 5×1", "sigmoid", "up nearest")


@pytest.fixture(scope="session")
def small_files() -> dict[str, bytes]:
    """One gated Ghost module, a few kB, as ONNX and TFLite."""
    files = {}
    for name, kind in GRAPHS.items():
        graph = kind()
        files[name] = graph.model(gated_module(graph, graph.input, GOOD))
    return files
