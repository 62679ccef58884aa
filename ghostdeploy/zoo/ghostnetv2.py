"""GhostNetV2 (NeurIPS 2022): GhostNet whose Ghost modules are gated by DFC attention."""

from __future__ import annotations

from ghostdeploy.schema import ModelSpec
from ghostdeploy.zoo.ghostnetv1 import GhostNet
from ghostdeploy.zoo.options import DfcOptions


def build(spec: ModelSpec) -> GhostNet:
    """Make GhostNetV2 of ``spec``, with torch's default weights."""
    assert isinstance(spec.options, DfcOptions)
    return GhostNet(spec, spec.options)
