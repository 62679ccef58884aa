"""The tables of a TFLite flatbuffer, followed before anyone relies on them.

TFLite reads its flatbuffer unverified: a truncated file ends in SIGSEGV as often as in an error.
So every offset that a reader would follow is followed here first, as often as the reader would:
vectors that share their tables would else unfold to any size.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

TABLE_BYTES = 16  # of a file, for each table in it: a tensor with its buffer takes 48 and more
SHARED_TABLES = 1000  # that a small file may have beyond the room for them
MAX_TABLES = 1_000_000  # of any file, which takes ten seconds; language models have some 100,000


@dataclass(frozen=True)
class _FollowedSlots:
    """The slots of a flatbuffer table that hold offsets to follow.

    They lead to vectors (by slot the bytes of an item), tables, and vectors of tables.
    """

    vectors: Mapping[int, int] = field(default_factory=dict)
    tables: Mapping[int, _FollowedSlots] = field(default_factory=dict)
    lists: Mapping[int, _FollowedSlots] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The slots that have to be looked at."""
        return 1 + max((*self.vectors, *self.tables, *self.lists), default=-1)


# The slots of TFLite's schema.fbs (version 3) that hold offsets a runtime always follows.
_QUANTIZATION = _FollowedSlots(vectors={0: 4, 1: 4, 2: 4, 3: 8})
_DIMENSION = _FollowedSlots()
_SPARSITY = _FollowedSlots(vectors={0: 4, 1: 4}, lists={2: _DIMENSION})
_VARIANT = _FollowedSlots(vectors={0: 4})
_TENSOR = _FollowedSlots(
    vectors={0: 4, 3: 1, 7: 4}, tables={4: _QUANTIZATION, 6: _SPARSITY}, lists={9: _VARIANT}
)
_OPERATOR = _FollowedSlots(vectors={1: 4, 2: 4, 5: 1, 7: 1, 8: 4})
_SUBGRAPH = _FollowedSlots(vectors={1: 4, 2: 4, 4: 1}, lists={0: _TENSOR, 3: _OPERATOR})
_OPERATOR_CODE = _FollowedSlots(vectors={1: 1})
_BUFFER = _FollowedSlots(vectors={0: 1})
_METADATA = _FollowedSlots(vectors={0: 1})
_TENSOR_MAP = _FollowedSlots(vectors={0: 1})
_SIGNATURE = _FollowedSlots(vectors={2: 1}, lists={0: _TENSOR_MAP, 1: _TENSOR_MAP})
_NAMED = _FollowedSlots(vectors={0: 1})
_EXTERNAL = _FollowedSlots(vectors={4: 1})
_MODEL = _FollowedSlots(
    vectors={3: 1, 5: 4},
    lists={
        1: _OPERATOR_CODE,
        2: _SUBGRAPH,
        4: _BUFFER,
        6: _METADATA,
        7: _SIGNATURE,
        8: _NAMED,
        9: _EXTERNAL,
    },
)


def check_tables(data: bytes | mmap.mmap) -> None:
    """Follow the tables of a TFLite model. Raises ValueError for what no writer makes.

    That is an offset that leaves the file, or tables shared so often that the model would be far
    larger than its file. The time is linear in the file's size.
    """
    walk = _Walk(data, min(SHARED_TABLES + len(data) // TABLE_BYTES, MAX_TABLES))
    try:
        walk.enter_table(walk.follow(0), _MODEL)
    except (struct.error, IndexError) as error:
        raise ValueError("it is cut short, or an offset leads nowhere") from error


@dataclass
class _Walk:
    """A walk through ``data`` that may still enter ``left`` tables."""

    data: bytes | mmap.mmap
    left: int

    def enter_table(self, table: int, followed: _FollowedSlots) -> None:
        """Raise struct.error or IndexError for an offset that leaves the file."""
        self.left -= 1
        if self.left < 0:
            raise ValueError("its tables are shared without end")
        slots = self._slots(table, followed.count)
        for slot, item_bytes in followed.vectors.items():
            if slots.get(slot):
                self._vector(self.follow(table + slots[slot]), item_bytes)
        for slot, inner in followed.tables.items():
            if slots.get(slot):
                self.enter_table(self.follow(table + slots[slot]), inner)
        for slot, inner in followed.lists.items():
            if slots.get(slot):
                for place in self._vector(self.follow(table + slots[slot]), 4):
                    self.enter_table(self.follow(place), inner)

    def follow(self, place: int) -> int:
        """Return where the offset at ``place`` leads."""
        (offset,) = struct.unpack_from("<I", self.data, place)
        return self._inside(place + int(offset))

    def _slots(self, table: int, wanted: int) -> dict[int, int]:
        (back,) = struct.unpack_from("<i", self.data, table)
        vtable = self._inside(table - back)
        vtable_bytes, table_bytes = struct.unpack_from("<HH", self.data, vtable)
        self._inside(table + table_bytes - 1)
        self._inside(vtable + vtable_bytes - 1)
        count = min(wanted, max(0, vtable_bytes - 4) // 2)
        return dict(enumerate(struct.unpack_from(f"<{count}H", self.data, vtable + 4)))

    def _vector(self, place: int, item_bytes: int) -> range:
        (count,) = struct.unpack_from("<I", self.data, place)
        end = place + 4 + count * item_bytes
        self._inside(end - 1)
        return range(place + 4, end, item_bytes)

    def _inside(self, place: int) -> int:
        if not 0 <= place < len(self.data):
            raise IndexError(place)
        return place
