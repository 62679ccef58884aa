"""Many questions in one round trip, each with its own answer."""

from __future__ import annotations

from android_bench.device.shell import join_sections, split_sections
from tests.android_bench.device_phones import LocalShell


def test_a_section_that_was_cut_off_is_left_out():
    whole = LocalShell().shell(join_sections({"a": "echo 84", "b": "printf 326"}, "n")).stdout
    assert split_sections(whole, "n") == {"a": b"84\n", "b": b"326\n"}
    end = whole.index(b"326") + 2
    assert split_sections(whole[:end], "n") == {"a": b"84\n"}
    assert split_sections(whole.replace(b"\n", b"\r\n"), "n") == {"a": b"84\n", "b": b"326\n"}
    assert split_sections(whole, "other") == {}


def test_a_part_does_not_leak_into_the_next():
    parts = {"a": "cd /; exit 7", "b": "pwd >&2; echo x"}
    assert split_sections(LocalShell().shell(join_sections(parts, "n")).stdout, "n") == {
        "a": b"", "b": b"x\n",
    }  # fmt: skip
