"""The walk over a flatbuffer's tables ends soon, whatever they lead to."""

from __future__ import annotations

import struct

import pytest

from ghostdeploy import flatbuffer
from ghostdeploy.errors import InputFileError
from ghostdeploy.flatbuffer_tables import check_tables
from ghostdeploy.runners.model_file import check_model_file
from tests import small_models


class Layout:
    """A flatbuffer laid out by hand, from front to back: offsets lead forward only."""

    def __init__(self) -> None:
        self.data = bytearray(b"\0\0\0\0TFL3")
        self.waiting: dict[str, list[int]] = {"root": [0]}

    def here(self, name: str) -> None:
        """Let all offsets to ``name`` lead to what follows."""
        for place in self.waiting.pop(name):
            struct.pack_into("<I", self.data, place, len(self.data) - place)

    def offset(self, name: str) -> None:
        self.waiting.setdefault(name, []).append(len(self.data))
        self.data += bytes(4)

    def table(self, name: str, slots: dict[int, str]) -> None:
        """A table with its vtable in front; ``slots`` lead to vectors by name."""
        count = 1 + max(slots, default=-1)
        places = {slot: 4 + 4 * n for n, slot in enumerate(slots)}
        self.data += struct.pack("<HH", 4 + 2 * count, 4 + 4 * len(slots))
        for slot in range(count):
            self.data += struct.pack("<H", places.get(slot, 0))
        self.here(name)
        self.data += struct.pack("<i", 4 + 2 * count)
        for target in slots.values():
            self.offset(target)

    def vector(self, name: str, count: int, item: str) -> None:
        """A vector of ``count`` offsets that all lead to the one table ``item``."""
        self.here(name)
        self.data += struct.pack("<I", count)
        for _ in range(count):
            self.offset(item)


def shared(graphs: int, tensors: int) -> bytes:
    """A model of graphs × tensors tensors, all of them one table."""
    out = Layout()
    out.table("root", {2: "graphs", 4: "buffers"})
    out.vector("graphs", graphs, "graph")
    out.table("graph", {0: "tensors"})
    out.vector("tensors", tensors, "tensor")
    out.table("tensor", {})
    out.vector("buffers", 1, "buffer")
    out.table("buffer", {})
    return bytes(out.data)


def test_the_layout_is_a_model() -> None:
    model = flatbuffer.load(shared(3, 5), "here")
    assert [len(graph.tensors) for graph in model.subgraphs] == [5, 5, 5]


def test_a_little_sharing_is_read() -> None:
    check_tables(shared(10, 80))


@pytest.mark.parametrize(("graphs", "tensors"), [(3000, 3000), (2, 20_000), (20_000, 2)])
def test_tables_shared_without_end_are_refused(graphs: int, tensors: int, tmp_path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(shared(graphs, tensors))
    with pytest.raises(InputFileError, match="its tables are shared without end"):
        flatbuffer.load_file(path)
    with pytest.raises(InputFileError, match="its tables are shared without end"):
        check_model_file(path)


def test_the_walk_follows_each_table_once_as_a_rule() -> None:
    """Real files stay below the limit by far: it is one table in eight bytes."""
    for name in ("tiny", "heavy", "mixed", "custom"):
        check_tables(small_models.tflite(name))


def test_an_offset_that_leads_nowhere() -> None:
    whole = shared(3, 5)
    for size in range(8, len(whole) - 4):
        with pytest.raises(ValueError, match="cut short, or an offset leads nowhere"):
            check_tables(whole[:size])
