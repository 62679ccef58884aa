"""What is done to an int8 TFLite file last: its biases, and what goes in and comes out."""

from __future__ import annotations

from ghostdeploy import flatbuffer
from ghostdeploy.lowering import camera, metadata, tidy
from ghostdeploy.quantization import QuantizeOptions, bias
from ghostdeploy.quantization.calibration import Inputs


def refine(model: bytes, reference: bytes, options: QuantizeOptions, inputs: Inputs) -> bytes:
    """Correct the biases and make the input and the output uint8, where ``options`` ask for that.

    ``reference`` is the float file that ``model`` was made of, ``inputs`` (N, 3, H, W) are
    calibration images.
    """
    if not options.bias_correction and options.input_type == options.output_type == "int8":
        return model
    tree = flatbuffer.load(model, "the quantized model")
    if options.bias_correction:
        bias.correct_biases(tree, reference, inputs)
    if options.input_type == "uint8":
        camera.take_bytes(tree)
    if options.output_type == "uint8":
        camera.give_bytes(tree)
    tidy.drop_unused(tree)
    return metadata.attach_files(flatbuffer.dump(tree), metadata.attached_files(model))
