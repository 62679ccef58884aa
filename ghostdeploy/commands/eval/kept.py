"""Answers that are kept as they come, so that an evaluation goes on where it was interrupted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ghostdeploy.commands.eval.classifier import Classifier
from ghostdeploy.commands.eval.prediction import Answer

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


def read_answers(path: Path, classifiers: int) -> dict[int, Answer]:
    """Read the answers of an earlier run by image number; a line cut short is left out."""
    found: dict[int, Answer] = {}
    if not path.exists():
        return found
    text = path.read_text(encoding="utf-8", errors="replace")
    if text and not text.endswith("\n"):  # what follows must not be glued to it
        path.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")
    for line in text.splitlines():
        try:
            number, value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, str) or len(value) == classifiers:
            found[int(number)] = value
    return found


def append_answers(file: TextIO, rows: Sequence[tuple[int, Answer]]) -> None:
    """Write answers to the end of ``file`` at once: a later crash does not lose them."""
    file.write("".join(json.dumps(row) + "\n" for row in rows))
    file.flush()
