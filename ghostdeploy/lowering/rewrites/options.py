"""The options that operators must have for a rewrite to read them."""

from __future__ import annotations

from ghostdeploy.errors import InputFileError
from ghostdeploy.flatbuffer import ModelT, operator_kind, schema

# Whose options are read here, and of which class they are in TFLite's schema.
CLASSES: dict[str, str] = {
    "ADD": "AddOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "CONCATENATION": "ConcatenationOptions",
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "MEAN": "ReducerOptions",
    "MUL": "MulOptions",
    "RESIZE_BILINEAR": "ResizeBilinearOptions",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions",
    "SUB": "SubOptions",
}


def settle_options(model: ModelT) -> None:
    """Give operators without options the default ones, as the runtime does, in place.

    Raises InputFileError for an operator with those of another one.
    """
    for graph in model.subgraphs:
        for op in graph.operators:
            kind = operator_kind(model, op)
            wanted = CLASSES.get(kind)
            if wanted is None:
                continue
            if op.builtinOptions is None:
                op.builtinOptions = getattr(schema(), f"{wanted}T")()
                op.builtinOptionsType = getattr(schema().BuiltinOptions, wanted)
            elif type(op.builtinOptions).__name__ != f"{wanted}T":
                raise InputFileError(f"the model is damaged: its {kind} has the options of another")
