"""Answers that are kept as they come, so that an evaluation goes on where it was interrupted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ghostdeploy.commands.eval.classifier import Classifier
from ghostdeploy.commands.eval.prediction import Answered

if TYPE_CHECKING:
    from ghostdeploy.images.labelled import LabelledImages


def answers_path(folder: Path, classifiers: Sequence[Classifier], data: LabelledImages) -> Path:
    """Return where the answers are kept: another file for other models, steps or images."""
    return folder / f"eval-{_key(classifiers, data)}.jsonl"


def _key(classifiers: Sequence[Classifier], data: LabelledImages) -> str:
    """Return a digest of what answers depend on: the models, the steps before them, the images."""
    parts = [(one.identity, repr(one.how)) for one in classifiers]
    files = [
        (path.relative_to(data.root).as_posix(), path.stat().st_size, path.stat().st_mtime_ns)
        for path in data.files
    ]
    text = json.dumps([parts, files, data.root.resolve().as_posix()])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_answers(path: Path, classifiers: int, *, compared: bool) -> dict[int, Answered]:
    """Read the answers of an earlier run by image number; a line cut short is left out.

    ``compared``: so are those without the sums that a comparison needs.
    """
    found: dict[int, Answered] = {}
    if not path.exists():
        return found
    text = path.read_text(encoding="utf-8", errors="replace")
    if text and not text.endswith("\n"):  # what follows must not be glued to it
        path.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")
    for line in text.splitlines():
        try:
            one = Answered(*json.loads(line))
        except (ValueError, TypeError, RecursionError):
            continue
        if _whole(one, classifiers, compared=compared):
            found[int(one.number)] = one
    return found


def _whole(one: Answered, classifiers: int, *, compared: bool) -> bool:
    """Return whether a line holds an answer of every classifier, or why the image was skipped."""
    if not isinstance(one.number, int) or isinstance(one.answer, str):
        return isinstance(one.number, int)
    if not isinstance(one.answer, list) or len(one.answer) != classifiers:
        return False
    if not all(isinstance(best, list) and [*map(type, best[:1])] == [int] for best in one.answer):
        return False
    return not compared or _are_sums(one.sums, classifiers)


def _are_sums(found: object, classifiers: int) -> bool:
    return (
        isinstance(found, list)
        and len(found) == classifiers
        and all(isinstance(row, list) and len(row) == 2 for row in found)
        and all(isinstance(value, float) for row in found for value in row)
    )


def append_answers(file: TextIO, rows: Sequence[Answered]) -> None:
    """Write answers to the end of ``file`` at once: a later crash does not lose them."""
    # Without a comparison a line is as it ever was: the number and the answer.
    lines = (row if row.sums else row[:2] for row in rows)
    file.write("".join(json.dumps(line) + "\n" for line in lines))
    file.flush()
