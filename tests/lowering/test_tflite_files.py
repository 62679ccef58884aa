"""TFLite files as they come out of the real pipeline."""

from __future__ import annotations

import json
import zipfile
from collections import Counter

import numpy as np
import pytest
from flatbuffers import encode, number_types
from flatbuffers.table import Table

from ghostdeploy import zoo
from ghostdeploy.flatbuffer import schema
from tests.conftest import LABELS
from tests.lowering.networks import litert


def operators(model) -> list[tuple[str, object]]:
    names = {v: k for k, v in vars(schema().BuiltinOperator).items() if isinstance(v, int)}
    codes = [names[code.builtinCode] for code in model.operatorCodes]
    return [(codes[op.opcodeIndex], op) for op in model.subgraphs[0].operators]


@pytest.fixture(scope="module")
def model(whole):
    return whole.model("tflite")


def test_the_image_is_nhwc_and_named_and_so_is_the_output(model):
    graph = model.subgraphs[0]
    ((image,), (logits,)) = graph.inputs, graph.outputs
    assert (graph.tensors[image].name, list(graph.tensors[image].shape)) == (
        b"image",
        [1, 224, 224, 3],
    )
    assert (graph.tensors[logits].name, list(graph.tensors[logits].shape)) == (b"logits", [1, 1000])
    (signature,) = model.signatureDefs
    assert signature.signatureKey == b"serving_default"
    assert [(t.name, t.tensorIndex) for t in signature.inputs] == [(b"image", image)]
    assert [(t.name, t.tensorIndex) for t in signature.outputs] == [(b"logits", logits)]


def test_nothing_moves_data_and_nothing_is_grouped(model):
    tensors = model.subgraphs[0].tensors
    for name, op in operators(model):
        assert name not in (
            "TRANSPOSE",
            "SLICE",
            "STRIDED_SLICE",
            "GATHER",
            "CAST",
        )  # a RESHAPE moves nothing
        if name == "CONV_2D":
            image, weights = (tensors[i].shape for i in op.inputs[:2])
            assert image[3] == weights[3], tensors[op.outputs[0]].name
        if name == "RESIZE_NEAREST_NEIGHBOR":
            assert not op.builtinOptions.halfPixelCenters
            assert not op.builtinOptions.alignCorners


def test_the_convolutions_are_those_of_the_network(model):
    modules = zoo.build(zoo.make_spec()).modules()
    convs = [m for m in modules if type(m).__name__ == "Conv2d"]
    depthwise = sum(c.groups > 1 for c in convs)
    counts = Counter(name for name, _ in operators(model))
    # The head's 1×1 on one pixel is a FULLY_CONNECTED.
    assert (depthwise, len(convs) - depthwise - 1) == (69, 67)
    # Four maps grow from 3×3 to 7×7: each has an edge picked for its rows and one for its columns.
    # Three concatenations went: one behind a depthwise convolution, two by splitting a 1×1.
    assert (counts["DEPTHWISE_CONV_2D"], counts["CONV_2D"]) == (69 + 8 + 1, 67 + 2)
    assert counts["FULLY_CONNECTED"] == 2


def test_tensor_names_lead_to_torch_modules(model):
    modules = dict(zoo.build(zoo.make_spec()).named_modules())
    for name, op in operators(model):
        tensor = model.subgraphs[0].tensors[op.outputs[0]].name.decode()
        assert tensor == "logits" or tensor.rpartition("/")[0] in modules, (name, tensor)


def test_names_are_unique(model):
    names = [t.name for t in model.subgraphs[0].tensors]
    assert len(set(names)) == len(names)


def test_it_says_itself_what_it_is(model, whole):
    (facts,) = (e for e in model.metadata if e.name == b"GHOSTDEPLOY")
    known = json.loads(bytes(model.buffers[facts.buffer].data))
    assert known["ghostdeploy.weights"] == "seed:0"
    assert json.loads(known["ghostdeploy.spec"])["arch"] == "ghostnetv2"
    assert json.loads(known["ghostdeploy.tools"]) == whole.artifact("tflite").tool_versions


def aligned(data: bytes, content: bytes) -> bool:
    place = data.find(content)
    while place % 16 and place >= 0:
        place = data.find(content, place + 1)
    return place >= 0


def test_every_buffer_is_used_and_lies_on_sixteen_bytes(model, whole):
    used = {t.buffer for t in model.subgraphs[0].tensors} | {e.buffer for e in model.metadata}
    assert used | {0} == set(range(len(model.buffers)))
    data = whole.data("tflite")
    big = [bytes(b.data) for b in model.buffers if b.data is not None and len(b.data) > 1000]
    assert len(big) > 100
    # A constant of equal numbers may also be found in the middle of another one.
    assert all(aligned(data, content) for content in big)


# --- TFLite metadata, read by the field numbers of the published metadata_schema.fbs ---------


class Reader:
    """One table of it. A field that is absent is None."""

    def __init__(self, data: bytes, position: int) -> None:
        self.table = Table(bytearray(data), position)
        self.data = data

    @classmethod
    def root(cls, data: bytes) -> Reader:
        return cls(data, encode.Get(number_types.UOffsetTFlags.packer_type, data, 0))

    def offset(self, field: int) -> int:
        return self.table.Offset(4 + 2 * field)

    def text(self, field: int) -> str | None:
        at = self.offset(field)
        return self.table.String(self.table.Pos + at).decode() if at else None

    def number(self, field: int) -> int:
        at = self.offset(field)
        return self.table.Get(number_types.Int8Flags, self.table.Pos + at) if at else 0

    def child(self, field: int) -> Reader:
        return Reader(self.data, self.table.Indirect(self.table.Pos + self.offset(field)))

    def children(self, field: int) -> list[Reader]:
        if not (at := self.offset(field)):
            return []
        start = self.table.Vector(at)
        count = self.table.VectorLen(at)
        return [Reader(self.data, self.table.Indirect(start + 4 * n)) for n in range(count)]

    def floats(self, field: int) -> list[float]:
        vector = self.table.GetVectorAsNumpy(number_types.Float32Flags, self.offset(field))
        return [round(float(v), 3) for v in vector]


def metadata(exported) -> Reader:
    model = exported.model("tflite")
    (entry,) = (e for e in model.metadata if e.name == b"TFLITE_METADATA")
    data = bytes(model.buffers[entry.buffer].data)
    assert data[4:8] == b"M001"
    return Reader.root(data)


@pytest.mark.parametrize(
    ("export", "mean", "std"),
    [
        ("whole", [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
        ("optioned", [0.0], [1.0]),  # preprocessing is embedded: nothing is left to do
    ],
)
def test_metadata_tells_the_task_libraries_how_to_prepare_an_image(request, export, mean, std):
    root = metadata(request.getfixturevalue(export))
    assert root.text(0).startswith("ghostnetv2_")
    assert root.text(5) == "Apache-2.0"
    (graph,) = root.children(3)
    (image,) = graph.children(2)
    assert image.text(0) == "image"
    content = image.child(3)
    assert content.number(0) == 2  # ImageProperties
    assert content.child(1).number(0) == 1  # RGB
    (unit,) = image.children(4)
    assert unit.number(0) == 1  # NormalizationOptions
    assert (unit.child(1).floats(0), unit.child(1).floats(1)) == (mean, std)


def test_labels_are_named_in_the_metadata_and_lie_in_a_zip_behind_the_model(optioned):
    (graph,) = metadata(optioned).children(3)
    (output,) = graph.children(3)
    (file,) = output.children(6)
    assert (output.text(0), file.text(0), file.number(2)) == ("probabilities", "labels.txt", 2)
    with zipfile.ZipFile(optioned.path("tflite")) as archive:
        assert archive.namelist() == ["labels.txt"]
        assert archive.read("labels.txt").decode().splitlines() == list(LABELS)


def test_a_file_without_labels_has_no_zip(whole):
    assert not zipfile.is_zipfile(whole.path("tflite"))
    (graph,) = metadata(whole).children(3)
    assert graph.children(3)[0].children(6) == []


def test_a_file_with_labels_runs(optioned):
    (output,) = litert(optioned.data("tflite"), np.zeros((1, 97, 97, 3), np.float32))
    assert output.shape == (1, 10)
