"""Images and the class of each: ImageFolder's layout, or a flat folder with a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.files import read_text
from ghostdeploy.images.folders import find_images


@dataclass(frozen=True)
class LabelledImages:
    """Images with their classes: ``files`` below ``root``, and for each a number in ``labels``.

    The number is the class's place among ``classes``.
    """

    root: Path
    files: tuple[Path, ...]
    labels: tuple[int, ...]
    classes: tuple[str, ...]


def read_labelled(
    root: Path, classes: Sequence[str] = (), truth: Path | None = None
) -> LabelledImages:
    """Return the images of ``root``: one folder a class, or with ``truth`` all in one.

    ``classes`` names the folders in the order of the model's outputs; without it they are sorted.
    ``truth`` has a line ``NAME CLASS`` an image (CLASS a number or a name), or, as ImageNet's own
    list, just the number, in the order of the sorted names. Raises InputFileError or UsageError.
    """
    files = find_images(root)
    if truth is not None:
        return _listed(root, files, classes, truth)
    folders = sorted({path.relative_to(root).parts[0] for path in files if path.parent != root})
    if not folders or any(path.parent == root for path in files):
        raise UsageError(
            f"{root} must hold one folder of images a class; for a flat folder give --truth FILE"
        )
    names = tuple(classes) or tuple(folders)
    unknown = [folder for folder in folders if folder not in names]
    if unknown:
        raise UsageError(
            f"{root}: the folder {unknown[0]!r} is no class of the list"
            f" ({len(unknown)} of {len(folders)} are not)"
        )
    number = {name: n for n, name in enumerate(names)}
    labels = tuple(number[path.relative_to(root).parts[0]] for path in files)
    return LabelledImages(root, tuple(files), labels, names)


def _listed(root: Path, files: list[Path], classes: Sequence[str], truth: Path) -> LabelledImages:
    lines = _lines(truth)
    number = {name: str(n) for n, name in enumerate(classes)}
    rows = [line.rsplit(None, 1) for line in lines]
    if all(len(row) == 1 for row in rows):
        if len(rows) != len(files):
            raise UsageError(f"{truth} has {len(rows)} lines for {len(files)} images in {root}")
        rows = [[path.name, row[0]] for path, row in zip(files, rows, strict=True)]
    told = {row[0]: number.get(row[-1], row[-1]) for row in rows if len(row) == 2}
    labels = []
    for path in files:
        label = told.get(path.name, "")
        if not (label.isascii() and label.isdigit()):
            raise UsageError(f"{truth} gives no class number or known class for {path.name}")
        labels.append(int(label[:9]))
    names = tuple(classes) or tuple(str(n) for n in range(max(labels) + 1))
    if max(labels) >= len(names):
        raise UsageError(f"{truth} speaks of class {max(labels)}, the list has {len(names)}")
    return LabelledImages(root, tuple(files), tuple(labels), names)


def _lines(path: Path) -> list[str]:
    lines = [line.strip() for line in read_text(path).splitlines() if line.strip()]
    if not lines:
        raise InputFileError(f"{path} is empty")
    return lines
