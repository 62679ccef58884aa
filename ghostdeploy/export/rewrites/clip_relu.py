"""clip-relu: clamping to 0–1 in operators that XNNPACK has.

What: RELU_0_TO_1 becomes RELU and RELU_N1_TO_1.
Why: XNNPACK has no RELU_0_TO_1, which converters write for a clip and for hard sigmoids; each one
    ends a partition.
Exact: max(x, 0) clamped to [−1, 1] is x clamped to [0, 1].
Holds for: float tensors.
"""

from __future__ import annotations

from ghostdeploy.export.rewrites.build import GraphBuilder, replace_operators
from ghostdeploy.flatbuffer import ModelT, OperatorT, schema

KEEPS_FUNCTION = True


def apply(model: ModelT) -> int:
    """Replace every RELU_0_TO_1 and return their number."""
    return replace_operators(model, "RELU_0_TO_1", _is_float, _replacement)


def _is_float(builder: GraphBuilder, op: OperatorT) -> bool:
    return bool(builder.graph.tensors[op.inputs[0]].type == schema().TensorType.FLOAT32)


def _replacement(builder: GraphBuilder, op: OperatorT) -> list[OperatorT]:
    source = int(op.inputs[0])
    positive = builder.add_like(source, builder.shape(source))
    made = [
        builder.make_operator("RELU", [source], positive),
        builder.make_operator("RELU_N1_TO_1", [positive], int(op.outputs[0])),
    ]
    builder.number_outputs(made, int(op.outputs[0]))
    return made
