"""What TensorFlow's quantizer leaves undone: rewrites, names, signature, metadata, a check."""

from __future__ import annotations

import json
from dataclasses import asdict

from ghostdeploy.errors import ConversionError
from ghostdeploy.schema import Calibration


def finish(
    raw: bytes,
    original: bytes,
    precision: str,
    calibration: Calibration,
    wanted: tuple[str, ...],
) -> tuple[bytes, dict[str, int]]:
    """Rewrite a quantized model, and give it the names, signature and metadata of the original.

    ``wanted`` are the rewrites; which of them changed anything is returned, and how often.
    """
    from ghostdeploy import flatbuffer
    from ghostdeploy.export import metadata, tidy
    from ghostdeploy.export.rewrites import apply_rewrites

    source = flatbuffer.load(original, "the model")
    model = flatbuffer.load(raw, "the quantized model")
    rewrites = apply_rewrites(model, wanted)
    graph = source.subgraphs[0]
    inputs, outputs = (
        [flatbuffer.tensor_name(graph.tensors[int(i)]) for i in indices]
        for indices in (graph.inputs, graph.outputs)
    )
    for index, name in zip(model.subgraphs[0].outputs, outputs, strict=True):
        model.subgraphs[0].tensors[int(index)].name = name.encode()
    tidy.set_signature(model, inputs[0], outputs)
    model.description = source.description
    facts = metadata.read_facts(source)
    images = json.dumps(asdict(calibration), sort_keys=True)
    own = {"ghostdeploy.precision": precision, "ghostdeploy.calibration": images}
    metadata.add_facts(model, facts | own)
    metadata.copy_metadata(source, model)
    tidy.drop_unused(model)
    return metadata.attach_files(
        flatbuffer.dump(model), metadata.attached_files(original)
    ), rewrites


def refuse_float(data: bytes, precision: str) -> None:
    """Raises ConversionError naming an operator that the quantizer left in float."""
    from ghostdeploy import flatbuffer
    from ghostdeploy.flatbuffer import schema

    model = flatbuffer.load(data, "the quantized model")
    graph, codes = model.subgraphs[0], model.operatorCodes
    casts = {schema().BuiltinOperator.QUANTIZE, schema().BuiltinOperator.DEQUANTIZE}
    for op in graph.operators:
        code, made = codes[op.opcodeIndex].builtinCode, graph.tensors[int(op.outputs[0])]
        if code not in casts and made.type == schema().TensorType.FLOAT32:
            name = flatbuffer.tensor_name(made)
            raise ConversionError(
                f"{name} has no {precision} form in TensorFlow Lite; name it with --keep-float"
            )
