"""One total for a whole command: parts, parts of parts, and parts side by side."""

from __future__ import annotations

import pytest

from ghostdeploy.progress import WHOLE, divide


class Heard:
    """A Progress that keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int, str]] = []

    def __call__(self, done: int, total: int, text: str) -> None:
        self.told.append((done, total, text))


def test_parts_one_after_the_other_have_one_total_and_never_recede() -> None:
    heard = Heard()
    images, rounds = divide(heard, (1.0, 3.0))
    for n in range(128):
        images(n, 128, "reading")
    inner, last = divide(rounds, (1.0, 1.0))
    for n in range(4):
        inner(n, 4, "observing")
    for total in (30, 33, 39):  # spoilt rounds add to the total
        last(20, total, "round")
    assert {total for _, total, _ in heard.told} == {WHOLE}
    done = [done for done, _, _ in heard.told]
    assert done == sorted(done)
    assert done[128] == WHOLE // 4  # the first part is over once the second says something
    assert heard.told[-1][2] == "round"


def test_parts_side_by_side_add_up() -> None:
    heard = Heard()
    one, other = divide(heard, (1.0, 1.0), side_by_side=True)
    other(1, 2, "b")
    one(1, 2, "a")
    one(0, 2, "again")
    assert [done for done, _, _ in heard.told] == [WHOLE // 4, WHOLE // 2, WHOLE // 2]


@pytest.mark.parametrize(("done", "total"), [(0, 0), (5, 0), (-3, 7), (9, 3)])
def test_odd_counts_stay_within_the_whole(done: int, total: int) -> None:
    heard = Heard()
    divide(heard, (0.0, 0.0))[0](done, total, "waiting")
    divide(heard, (1.0,))[0](done, total, "waiting")
    assert all(0 <= told <= WHOLE for told, _, _ in heard.told)
