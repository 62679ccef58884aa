"""What tables, progress and records call a model: so that no two of them are called alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ghostdeploy import zoo
from ghostdeploy.lowering.rewrites import Form
from ghostdeploy.schema import Artifact, ForeignSpec, ModelSpec


def titles_of(artifacts: Sequence[Artifact]) -> list[str]:
    """Return a title for each model that none of the others has.

    Where ``title_of`` does not tell models apart, such as one network with two weights, the files'
    names are added, or the whole paths, or a number for one and the same file.
    """
    titles = list(map(title_of, artifacts))
    for title, count in Counter(titles).items():
        if count > 1:
            alike = [n for n, found in enumerate(titles) if found == title]
            for n, more in zip(alike, _tell_apart([artifacts[n].path for n in alike]), strict=True):
                titles[n] = more if more.endswith(title) else f"{title} ({more})"
    return titles


def _tell_apart(paths: Sequence[str]) -> Sequence[str]:
    for words in ([Path(path).name for path in paths], paths):
        if len(set(words)) == len(words):
            return words
    return [str(number) for number in range(1, 1 + len(paths))]


def _zoo_title(spec: ModelSpec) -> list[str]:
    parts = [zoo.MODELS[spec.arch].title]
    if spec.variant != "official":
        parts.append(f"({spec.variant})")
    parts.append(f"{spec.width}×")
    if spec.resolution != (224, 224):
        parts.append(f"{spec.resolution[0]}×{spec.resolution[1]}")
    return parts


def title_of(artifact: Artifact) -> str:
    """Return what tables call a model: its architecture, width and what else is no default."""
    if artifact.spec is None:
        return Path(artifact.path).name
    spec = artifact.spec
    parts = [spec.title] if isinstance(spec, ForeignSpec) else _zoo_title(spec)
    if artifact.precision != "fp32":
        parts.append(artifact.precision)
    if artifact.format == "tflite":
        parts.append(Form(artifact.export.without, artifact.export.speed).title)
    return " ".join(filter(None, parts))
