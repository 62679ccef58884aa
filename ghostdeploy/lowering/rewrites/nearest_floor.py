"""nearest-floor: nearest up-sampling that picks the pixels torch picks.

What: clears half_pixel_centers on RESIZE_NEAREST_NEIGHBOR.
Why: torch's nearest mode (ONNX: asymmetric, floor) reads source pixel ⌊i·in/out⌋, at 3 → 7
    [0,0,0,1,1,2,2]. onnx2tf 1.29.24 writes half-pixel centres, which at 3 → 7 read
    [0,0,1,1,1,2,2]: another function, in blocks 12–15 of every GhostNetV2 at 224 pixels.
    Where the size is an exact multiple the two agree.
Holds for: graphs from our own torch code, where every nearest resize is torch's.
"""

from __future__ import annotations

from ghostdeploy.flatbuffer import ModelT, operator_kind

KEEPS_FUNCTION = False


def apply(model: ModelT) -> int:
    """Clear the flag on every resize that has it and return their number."""
    changed = 0
    for graph in model.subgraphs:
        for op in graph.operators:
            if operator_kind(model, op) != "RESIZE_NEAREST_NEIGHBOR":
                continue
            changed += bool(op.builtinOptions.halfPixelCenters)
            op.builtinOptions.halfPixelCenters = False
    return changed
