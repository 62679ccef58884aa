"""What is done to an int8 TFLite file last: its biases, and what its input takes."""

from __future__ import annotations

from typing import Any

from ghostdeploy.quantize import QuantizeOptions


def refined(model: bytes, reference: bytes, options: QuantizeOptions, inputs: Any) -> bytes:
    """``model`` with corrected biases and a uint8 input, where ``options`` ask for them.

    ``reference`` is the float file that it was made of, ``inputs`` (N, 3, H, W) calibration images.
    """
    if not options.bias_correction and options.input_type == "int8":
        return model
    from ghostdeploy import flatbuffer
    from ghostdeploy.export import camera, metadata, tidy
    from ghostdeploy.quantize import bias

    tree = flatbuffer.load(model, "the quantized model")
    if options.bias_correction:
        bias.correct_biases(tree, reference, inputs)
    if options.input_type == "uint8":
        camera.take_bytes(tree)
    tidy.drop_unused(tree)
    return metadata.attach_files(flatbuffer.dump(tree), metadata.attached_files(model))
