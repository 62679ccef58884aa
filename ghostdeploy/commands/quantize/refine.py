"""What is done to an int8 TFLite file last: its biases, and what its input takes."""

from __future__ import annotations

from ghostdeploy import flatbuffer
from ghostdeploy.export import camera, metadata, tidy
from ghostdeploy.quantize import QuantizeOptions, bias
from ghostdeploy.quantize.calibration import Inputs


def refine(model: bytes, reference: bytes, options: QuantizeOptions, inputs: Inputs) -> bytes:
    """Correct the biases and make the input uint8, where ``options`` ask for that.

    ``reference`` is the float file that ``model`` was made of, ``inputs`` (N, 3, H, W) are
    calibration images.
    """
    if not options.bias_correction and options.input_type == "int8":
        return model
    tree = flatbuffer.load(model, "the quantized model")
    if options.bias_correction:
        bias.correct_biases(tree, reference, inputs)
    if options.input_type == "uint8":
        camera.take_bytes(tree)
    tidy.drop_unused(tree)
    return metadata.attach_files(flatbuffer.dump(tree), metadata.attached_files(model))
