"""Answers kept by an earlier run: what we wrote is believed, anything else is judged again."""

from __future__ import annotations

import json

import pytest

from ghostdeploy.commands.eval.kept import read_answers

GOOD = [3, [[1, 0], [0, 1]]]


@pytest.mark.parametrize(
    "line",
    [
        "5", "null", "[]", "[1]", "[1, 2]", "[1, null]", '["1", "no image"]', "[1.0, [[0], [1]]]",
        "[true, [[0], [1]]]", "[1, [[0]]]", "[1, [0, 1]]", "[1, [[0], []]]", '[1, [[0], ["a"]]]',
        '[1, {"a": 1, "b": 2}]', "[1, [[0], [1, 2, 3, 4, 5, 6]]]", '[1, "\\u001b[2J"]',
        "[1, [[0], [1.5]]]", "[" * 5000, "9" * 5000, "[1, [[0], [1", "",
    ],
)  # fmt: skip
def test_a_line_that_we_never_write_is_left_out(line: str, tmp_path) -> None:
    path = tmp_path / "eval.jsonl"
    path.write_text(f'{json.dumps(GOOD)}\n{line}\n[4, "not an image"]\n')
    assert read_answers(path, 2) == {3: [[1, 0], [0, 1]], 4: "not an image"}
