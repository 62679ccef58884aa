"""An ONNX file of anyone's: its sizes bound, its truth onnxruntime's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.schema import InputSpec
from ghostdeploy.sources import find_source, open_source
from ghostdeploy.sources.reference import OwnNetwork

SCALE = numpy_helper.from_array(np.array(2.0, np.float32), "scale")


def write(path, *inputs, kind=TensorProto.FLOAT):
    """A file that doubles its first input; a side that is a word is open."""
    made = [helper.make_tensor_value_info(f"x{n}", kind, sides) for n, sides in enumerate(inputs)]
    double = helper.make_node("Mul", ["x0", "scale"], ["y"])
    others = [helper.make_node("Relu", [f"x{n}"], [f"y{n}"]) for n in range(1, len(inputs))]
    ends = ["y", *(f"y{n}" for n in range(1, len(inputs)))]
    given = [
        helper.make_tensor_value_info(name, kind, sides)
        for name, sides in zip(ends, inputs, strict=True)
    ]
    # As old exporters did, the weights are among the inputs.
    made.append(helper.make_tensor_value_info("scale", TensorProto.FLOAT, ()))
    graph = helper.make_graph([double, *others], "g", made, given, [SCALE])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.save(model, path)
    return find_source(str(path))


def with_inputs(reference, *inputs):
    return replace(reference, own=OwnNetwork(inputs=inputs))


def test_it_computes_what_onnxruntime_does(tmp_path):
    loaded = open_source(write(tmp_path / "m.onnx", (1, 3, 8, 8)))
    assert loaded.spec.inputs == (InputSpec((1, 3, 8, 8), "float32", "x0"),)
    assert (loaded.spec.outputs, loaded.spec.output_shapes) == (("y",), ((1, 3, 8, 8),))
    np.testing.assert_array_equal(loaded.run(loaded.feeds[2])[0], 2 * loaded.feeds[2]["x0"])
    assert loaded.truth == "onnxruntime"


def test_a_batch_alone_is_one(tmp_path):
    loaded = open_source(write(tmp_path / "m.onnx", ("N", 3, 8, 8)))
    assert loaded.spec.inputs[0].shape == (1, 3, 8, 8)


def test_open_sides_are_said(tmp_path):
    reference = write(tmp_path / "m.onnx", ("N", 3, "H", "W"))
    with pytest.raises(
        UsageError, match=r"x0 is 1x3x\?x\?: say how large, e.g. --input 1x3x224x224"
    ):
        open_source(reference)
    for said in (
        with_inputs(reference, InputSpec((1, 3, 8, 16))),
        with_inputs(reference, InputSpec((1, 3, 8, 16), name="x0")),
        replace(reference, resolution=(8, 16)),
    ):
        assert open_source(said).spec.inputs[0].shape == (1, 3, 8, 16)


def test_an_input_without_a_name_goes_where_a_side_is_open(tmp_path):
    reference = write(tmp_path / "m.onnx", (1, 3, 8, 8), (1, "words"))
    bound = open_source(with_inputs(reference, InputSpec((1, 5))))
    assert [each.shape for each in bound.spec.inputs] == [(1, 3, 8, 8), (1, 5)]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (InputSpec((1, 3, 9, 9), name="x0"), "x0 is fixed to 1x3x8x8"),
        (InputSpec((1, 3, 9, 9)), r"no input is 1x3x9x9; it takes x0 1x3x8x8"),
        (InputSpec((1, 3, 8, 8), name="image"), "has no input 'image'; it takes x0"),
    ],
)
def test_what_it_does_not_take(tmp_path, given, said):
    with pytest.raises(UsageError, match=said):
        open_source(with_inputs(write(tmp_path / "m.onnx", (1, 3, 8, 8)), given))


def test_a_batch_of_two_is_refused(tmp_path):
    with pytest.raises(UsageError, match="x0 has a batch of 2"):
        open_source(write(tmp_path / "m.onnx", (2, 3, 8, 8)))


def test_files_that_are_none(tmp_path):
    (tmp_path / "text.onnx").write_text("hello")
    for name, said in (("text", "is not a sound ONNX model"), ("none", "there is no such file")):
        with pytest.raises(InputFileError, match=said):
            open_source(find_source(str(tmp_path / f"{name}.onnx")))


def test_what_an_onnx_file_cannot_be_given(tmp_path):
    reference = write(tmp_path / "m.onnx", (1, 3, 8, 8))
    for wrong in (
        replace(reference, weights=tmp_path / "w.pth"),
        replace(reference, num_classes=3),
        replace(reference, own=OwnNetwork(arguments=(("a", 1),))),
    ):
        with pytest.raises(UsageError, match="leave out"):
            open_source(wrong)
