"""What TensorFlow's quantizer leaves undone: rewrites, names, signature, metadata, a check."""

from __future__ import annotations

from ghostdeploy import flatbuffer
from ghostdeploy.commands.quantize.plan import QuantizationPlan
from ghostdeploy.errors import ConversionError
from ghostdeploy.flatbuffer import schema
from ghostdeploy.lowering import metadata, tidy
from ghostdeploy.lowering.rewrites import apply_rewrites


def finish(raw: bytes, original: bytes, plan: QuantizationPlan) -> tuple[bytes, dict[str, int]]:
    """Rewrite a quantized model, and give it the names, signature and metadata of the original.

    Returned beside it is which of the planned rewrites changed anything, and how often.
    """
    source = flatbuffer.load(original, "the model")
    model = flatbuffer.load(raw, "the quantized model")
    rewrites = apply_rewrites(model, plan.rewrites)
    graph = source.subgraphs[0]
    inputs, outputs = (
        [flatbuffer.tensor_name(graph.tensors[int(i)]) for i in indices]
        for indices in (graph.inputs, graph.outputs)
    )
    for index, name in zip(model.subgraphs[0].outputs, outputs, strict=True):
        model.subgraphs[0].tensors[int(index)].name = name.encode()
    tidy.set_signature(model, inputs[:1], outputs)
    model.description = source.description
    metadata.add_facts(model, metadata.read_facts(source) | plan.facts)
    metadata.copy_metadata(source, model)
    tidy.drop_unused(model)
    return metadata.attach_files(
        flatbuffer.dump(model), metadata.attached_files(original)
    ), rewrites


def refuse_float(data: bytes, precision: str) -> None:
    """Raise ConversionError naming an operator that the quantizer left in float."""
    model = flatbuffer.load(data, "the quantized model")
    graph, codes = model.subgraphs[0], model.operatorCodes
    casts = {schema().BuiltinOperator.QUANTIZE, schema().BuiltinOperator.DEQUANTIZE}
    for op in graph.operators:
        if not len(op.outputs):  # it writes a variable
            continue
        code = flatbuffer.operator_number(codes[op.opcodeIndex])
        made = graph.tensors[int(op.outputs[0])]
        if code not in casts and made.type == schema().TensorType.FLOAT32:
            name = flatbuffer.tensor_name(made)
            raise ConversionError(
                f"{name} has no {precision} form in TensorFlow Lite; name it with --keep-float"
            )
