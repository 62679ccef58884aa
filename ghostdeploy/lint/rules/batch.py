"""batch: the batch of an image input is 1.

What: an image input of another batch than 1; as info, one whose batch is left free.
Why: a phone shows one image at a time; a larger batch multiplies latency and memory. A free batch
    runs as 1 but keeps the delegates' shape checks at run time.
Fix: export with batch 1 (keras: ``Input(batch_size=1)``).
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.lint.graph import Graph
from ghostdeploy.lint.rule import Expectations
from ghostdeploy.schema import Finding

CODE = "batch"
SEVERITY = "warning"
IMAGE_RANK = 4


def check(graph: Graph, expected: Expectations) -> Iterator[Finding]:
    """Yield one finding for each input."""
    for name in graph.inputs:
        shape = graph.shape(name)
        if len(shape) != IMAGE_RANK or shape[0] == 1:
            continue
        free = shape[0] < 1
        message = f"the batch of input {name} is {'free' if free else shape[0]}, not 1"
        yield Finding(CODE, "info" if free else SEVERITY, name, message, "export with batch 1")
