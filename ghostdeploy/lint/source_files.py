"""Which of our files defines the module that a node came from. It needs no torch."""

from __future__ import annotations

from ghostdeploy.schema import ModelSpec

# The first part of a module's path -> the file whose class computes what is below it.
SOURCE_FILES: dict[str, str] = {
    "attention": "ghostdeploy/zoo/ghostnetv1_sa.py",
    "blocks": "ghostdeploy/zoo/layers.py",
    "act1": "ghostdeploy/zoo/ghostnetv1.py",
    "act2": "ghostdeploy/zoo/ghostnetv1.py",
    "bn1": "ghostdeploy/zoo/ghostnetv1.py",
    "center": "ghostdeploy/export/deploy.py",
    "classifier": "ghostdeploy/zoo/ghostnetv1.py",
    "conv_head": "ghostdeploy/zoo/ghostnetv1.py",
    "conv_stem": "ghostdeploy/zoo/ghostnetv1.py",
}


def source_file_of(module: str, spec: ModelSpec | None) -> str:
    """Return the file that defines ``module``, "" for a model that is not ours."""
    return SOURCE_FILES.get(module.partition(".")[0], "") if spec else ""
