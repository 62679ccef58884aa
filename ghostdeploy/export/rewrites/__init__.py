"""Changes to a converted TFLite graph, each the same function or the mending of a wrong one.

A rewrite is one file with ``apply(model) -> int``, the number of places changed, ``KEEPS_FUNCTION``
(False for one that mends a wrong conversion), a docstring with What / Why / Exact, and one row
here. The order is that of application. Parity is proven after all of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

REWRITES: dict[str, str] = {
    "nearest-floor": "ghostdeploy.export.rewrites.nearest_floor",
    "nearest-depth": "ghostdeploy.export.rewrites.nearest_depth",
    "clip-relu": "ghostdeploy.export.rewrites.clip_relu",
    "pool-depthwise": "ghostdeploy.export.rewrites.pool_depthwise",
    "pad-same": "ghostdeploy.export.rewrites.pad_same",
    "depthwise": "ghostdeploy.export.rewrites.depthwise",
}


def apply_rewrites(model: Any, names: tuple[str, ...] = tuple(REWRITES)) -> dict[str, int]:
    """Apply ``names`` in the table's order to a ``ModelT``; returns where each changed anything."""
    counts = {
        name: import_module(module).apply(model)
        for name, module in REWRITES.items()
        if name in names
    }
    return {name: count for name, count in counts.items() if count}
