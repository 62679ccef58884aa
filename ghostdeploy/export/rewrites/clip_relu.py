"""clip-relu: clamping to 0–1 in operators that XNNPACK has.

What: RELU_0_TO_1 becomes RELU and RELU_N1_TO_1.
Why: XNNPACK has no RELU_0_TO_1, which converters write for a clip and for hard sigmoids; each one
    ends a partition.
Exact: max(x, 0) clamped to [−1, 1] is x clamped to [0, 1].
Holds for: float tensors.
"""

from __future__ import annotations

from typing import Any

from ghostdeploy.export.rewrites.build import GraphBuilder
from ghostdeploy.flatbuffer import schema

KEEPS_FUNCTION = True


def apply(model: Any) -> int:
    """Returns the number of operators replaced."""
    codes = schema().BuiltinOperator
    changed = 0
    for graph in model.subgraphs:
        operators, builder = [], GraphBuilder(model, graph)
        for op in graph.operators:
            code = model.operatorCodes[op.opcodeIndex].builtinCode
            source = int(op.inputs[0]) if len(op.inputs) else 0
            is_float = graph.tensors[source].type == schema().TensorType.FLOAT32
            if code == codes.RELU_0_TO_1 and is_float:
                operators.extend(_replacement(builder, op, source))
                changed += 1
            else:
                operators.append(op)
        graph.operators = operators
    return changed


def _replacement(builder: GraphBuilder, op: Any, source: int) -> list[Any]:
    positive = builder.like(source, list(builder.shape(source)))
    made = [
        builder.plain("RELU", source, positive),
        builder.plain("RELU_N1_TO_1", positive, int(op.outputs[0])),
    ]
    builder.name_after(int(op.outputs[0]), made)
    return made
