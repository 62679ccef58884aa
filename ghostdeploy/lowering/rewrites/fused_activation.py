"""fused-activation: an activation that the operator before it can do itself.

What: RELU, RELU6 or RELU_N1_TO_1 behind a convolution, a fully connected layer, an addition, a
    subtraction or a multiplication that nothing else reads becomes that operator's own.
Why: onnx2tf 2 leaves some apart; the map is written and read once more.
Exact: the same clamping of the same numbers.
Holds for: float tensors, and operators without an activation.
"""

from __future__ import annotations

from ghostdeploy.flatbuffer import ModelT, OperatorT, schema
from ghostdeploy.lowering.rewrites.build import GraphBuilder, readers_of

KEEPS_FUNCTION = True
ACTIVATIONS = ("RELU", "RELU6", "RELU_N1_TO_1")
HOSTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL")


def apply(model: ModelT) -> int:
    """Fuse every activation that fits and return their number."""
    return sum(_apply(GraphBuilder(model, graph)) for graph in model.subgraphs)


def _apply(builder: GraphBuilder) -> int:
    graph, readers = builder.graph, readers_of(builder.graph)
    makers = {int(i): op for op in graph.operators for i in op.outputs}
    gone: set[int] = set()  # operators, by id
    for op in graph.operators:
        kind = builder.kind(op)
        host = makers.get(int(op.inputs[0])) if kind in ACTIVATIONS else None
        if host is None or len(readers[int(op.inputs[0])]) > 1 or not _takes(builder, host):
            continue
        host.builtinOptions.fusedActivationFunction = getattr(schema().ActivationFunctionType, kind)
        host.outputs = op.outputs
        gone.add(id(op))
    graph.operators = [op for op in graph.operators if id(op) not in gone]
    return len(gone)


def _takes(builder: GraphBuilder, host: OperatorT) -> bool:
    made = builder.graph.tensors[int(host.outputs[0])]
    return bool(
        builder.kind(host) in HOSTS
        and made.type == schema().TensorType.FLOAT32
        and not host.builtinOptions.fusedActivationFunction
    )
