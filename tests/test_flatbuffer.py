"""TFLite flatbuffers out and in again: nothing is lost and LiteRT computes the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from ghostdeploy import flatbuffer
from ghostdeploy.errors import InputFileError
from tests import small_models
from tests.linting.models import TfliteGraph, gated_module
from tests.lowering.rewrites.graphs import two_signatures

STEPS = ("average", "1×1", "dw 1×5", "dw 5×1", "+3", "relu6", "·1/6", "up nearest")


def hand_made() -> bytes:
    graph = TfliteGraph()
    return graph.model(gated_module(graph, graph.input, STEPS))


@pytest.fixture(params=["hand-made", "tiny", "mixed", "custom"])
def data(request) -> bytes:
    return hand_made() if request.param == "hand-made" else small_models.tflite(request.param)


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every field of an object tree with its path; arrays as lists, absent vectors as empty."""
    if value is None or (isinstance(value, (list, np.ndarray)) and len(value) == 0):
        yield path, []
    elif isinstance(value, (list, np.ndarray)):
        if hasattr(value[0], "__dict__"):
            for index, item in enumerate(value):
                yield from leaves(item, f"{path}[{index}]")
        else:
            yield path, list(value)
    elif hasattr(value, "__dict__"):
        for name, item in vars(value).items():
            yield from leaves(item, f"{path}.{name}")
    else:
        yield path, value


def test_a_round_trip_keeps_every_field(data: bytes) -> None:
    model = flatbuffer.load(data, "here")
    again = flatbuffer.load(flatbuffer.dump(model), "there")
    before, after = dict(leaves(model)), dict(leaves(again))
    assert len(before) > 100
    assert before == after


def test_a_second_round_trip_changes_no_byte(data: bytes) -> None:
    once = flatbuffer.dump(flatbuffer.load(data, "here"))
    assert flatbuffer.dump(flatbuffer.load(once, "there")) == once


def run(data: bytes) -> list[np.ndarray]:
    interpreter = Interpreter(model_content=data, num_threads=1)
    random = np.random.RandomState(0)
    for detail in interpreter.get_input_details():
        shape = [max(1, int(side)) for side in detail["shape_signature"]]
        interpreter.resize_tensor_input(detail["index"], shape)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        values = random.uniform(-2, 2, detail["shape"])
        interpreter.set_tensor(detail["index"], values.astype(detail["dtype"]))
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


@pytest.mark.parametrize("name", ["hand-made", "tiny", "mixed"])
def test_the_runtime_computes_the_same_afterwards(name: str) -> None:
    data = hand_made() if name == "hand-made" else small_models.tflite(name)
    expected, got = run(data), run(flatbuffer.dump(flatbuffer.load(data, name)))
    assert all(out.std() > 0 for out in expected)
    for a, b in zip(expected, got, strict=True):
        np.testing.assert_array_equal(a, b)


def test_buffers_lie_on_16_bytes_as_the_schema_demands(data: bytes) -> None:
    dumped = flatbuffer.dump(flatbuffer.load(data, "here"))
    assert dumped[4:8] == b"TFL3"
    buffers = [b.data for b in flatbuffer.load(dumped, "there").buffers if b.data is not None]
    assert buffers
    start = np.frombuffer(dumped, np.uint8).ctypes.data
    assert [(b.ctypes.data - start) % 16 for b in buffers] == [0] * len(buffers)


def test_damage_is_told_in_one_line_with_the_source() -> None:
    good = hand_made()
    for data, said in (
        (b"", "weights.bin is empty, not a TFLite model"),
        (b"PK\3\4" + bytes(50), "weights.bin is not a TFLite model (no TFL3 identifier)"),
        (b"\x1c\0\0", "weights.bin is not a TFLite model (no TFL3 identifier)"),
        (good[:40], "weights.bin is a damaged TFLite model: "),
        (good[: len(good) // 2], "weights.bin is a damaged TFLite model: "),
    ):
        with pytest.raises(InputFileError) as caught:
            flatbuffer.load(data, "weights.bin")
        assert str(caught.value).startswith(said)
        assert "\n" not in str(caught.value)


def broken(what: str) -> bytes:
    graph = TfliteGraph()
    model = graph.model_t(gated_module(graph, graph.input, STEPS))
    main = model.subgraphs[0]
    if what == "no graph":
        model.subgraphs = []
    elif what == "buffer":
        main.tensors[3].buffer = 99
    elif what == "operator code":
        main.operators[0].opcodeIndex = 99
    elif what == "input":
        main.operators[0].inputs[0] = 999
    elif what == "output":
        main.operators[0].outputs[0] = -2
    else:
        main.outputs[0] = -1
    return flatbuffer.dump(model)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("no graph", "it has no graph"),
        ("buffer", "buffer 99 does not exist"),
        ("operator code", "operator code 99 does not exist"),
        ("input", "tensor 999 does not exist"),
        ("output", "tensor -2 does not exist"),
        ("graph output", "tensor -1 does not exist"),
    ],
)
def test_an_index_that_points_nowhere(what: str, said: str) -> None:
    with pytest.raises(InputFileError, match=said):
        flatbuffer.load(broken(what), "here")


def test_load_file(tmp_path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(hand_made())
    assert len(flatbuffer.load_file(path).subgraphs[0].operators) == 4 + len(STEPS) + 1
    with pytest.raises(InputFileError, match="no such file"):
        flatbuffer.load_file(tmp_path / "none.tflite")
    with pytest.raises(InputFileError, match="is a folder"):
        flatbuffer.load_file(tmp_path)


def test_names_that_a_file_leaves_out_or_spells_badly_are_read() -> None:
    tensor = flatbuffer.schema().TensorT()
    assert flatbuffer.tensor_name(tensor) == ""
    tensor.name = b"caf\xc3\xa9/conv"
    assert flatbuffer.tensor_name(tensor) == "café/conv"
    tensor.name = b"caf\xe9"  # latin-1
    assert flatbuffer.tensor_name(tensor) == "caf\N{REPLACEMENT CHARACTER}"


def test_an_operator_is_called_as_in_the_schema_or_nothing() -> None:
    model = flatbuffer.load(small_models.tflite("tiny"), "here")
    op = model.subgraphs[0].operators[0]
    code = model.operatorCodes[op.opcodeIndex]
    code.builtinCode = 3  # CONV_2D in tensorflow/compiler/mlir/lite/schema/schema.fbs
    assert flatbuffer.operator_kind(model, op) == "CONV_2D"
    code.builtinCode = 9999
    assert flatbuffer.operator_kind(model, op) == ""


def test_an_appended_buffer_comes_back() -> None:
    model = flatbuffer.load(hand_made(), "here")
    index = flatbuffer.append_buffer(model, b"\x01\x02\x03")
    again = flatbuffer.load(flatbuffer.dump(model), "there")
    assert bytes(again.buffers[index].data) == b"\x01\x02\x03"


def behind(data: bytes, options: bytes = b"") -> bytes:
    """The same model with all contents behind the flatbuffer, as in files beyond 2 GB.

    The offsets are put in by hand, so that this does not rest on what it is to test.
    """
    model = flatbuffer.load(data, "here")
    contents = [b"" if b.data is None else bytes(b.data) for b in model.buffers]
    op = model.subgraphs[0].operators[0]
    for _ in range(2):  # the size of the flatbuffer is known from the first time
        place = -(-len(flatbuffer._pack(model)) // 16) * 16
        start = place
        for buffer, content in zip(model.buffers, contents, strict=True):
            buffer.data = None
            buffer.offset, buffer.size = (place, len(content)) if content else (0, 0)
            place += -(-len(content) // 16) * 16
        if options:
            op.customOptions = None
            op.largeCustomOptionsOffset, op.largeCustomOptionsSize = place, len(options)
    tail = b"".join(c + bytes(-len(c) % 16) for c in contents)
    return flatbuffer._pack(model).ljust(start, b"\0") + tail + options


@pytest.mark.parametrize("name", ["hand-made", "tiny"])
def test_contents_behind_the_flatbuffer_are_the_same_model(name: str) -> None:
    data = hand_made() if name == "hand-made" else small_models.tflite(name)
    large = behind(data)
    assert large != data
    for a, b in zip(run(data), run(large), strict=True):  # LiteRT reads this form
        np.testing.assert_array_equal(a, b)
    model, twin = flatbuffer.load(large, "here"), flatbuffer.load(data, "there")
    assert dict(leaves(model)) == dict(leaves(twin))
    assert flatbuffer.dump(model) == flatbuffer.dump(twin)


def test_large_options_of_a_custom_operator_come_back() -> None:
    model = flatbuffer.load(behind(small_models.tflite("custom"), b"options"), "here")
    op = model.subgraphs[0].operators[0]
    assert bytes(op.customOptions) == b"options"
    again = flatbuffer.load(flatbuffer.dump(model), "there").subgraphs[0].operators[0]
    assert bytes(again.customOptions) == b"options"
    assert again.largeCustomOptionsOffset == again.largeCustomOptionsSize == 0


def test_contents_that_leave_the_file_are_damage() -> None:
    large = behind(hand_made())
    with pytest.raises(InputFileError, match=r"buffer \d+ leaves the file"):
        flatbuffer.load(large[:-64], "here")


def test_more_than_a_flatbuffer_can_hold_lies_behind_it(monkeypatch) -> None:
    data = hand_made()
    model = flatbuffer.load(data, "here")
    inline = flatbuffer.dump(model)
    monkeypatch.setattr(flatbuffer, "MAX_INLINE_BYTES", 100)
    large = flatbuffer.dump(model)
    assert len(flatbuffer.load(large, "there").buffers) == len(model.buffers)
    for a, b in zip(run(data), run(large), strict=True):
        np.testing.assert_array_equal(a, b)
    monkeypatch.undo()
    assert flatbuffer.dump(model) == inline  # the tree is as it was
    assert flatbuffer.dump(flatbuffer.load(large, "there")) == inline


def test_vectors_that_a_file_leaves_out_are_empty() -> None:
    model = flatbuffer.load(hand_made(), "here")
    bare = flatbuffer.schema().SubGraphT()
    model.subgraphs.append(bare)
    model.subgraphs[0].operators[0].inputs = None
    again = flatbuffer.load(flatbuffer.dump(model), "there")
    graph = again.subgraphs[1]
    assert graph.tensors == graph.operators == []
    assert [*graph.inputs, *graph.outputs, *again.subgraphs[0].operators[0].inputs] == []


def test_a_signature_that_points_nowhere() -> None:
    model = flatbuffer.load(two_signatures(), "here")
    model.signatureDefs[0].inputs[0].tensorIndex = 999
    with pytest.raises(InputFileError, match="tensor 999 does not exist"):
        flatbuffer.load(flatbuffer.dump(model), "there")
    model.signatureDefs[0].subgraphIndex = 7
    with pytest.raises(InputFileError, match="graph 7 does not exist"):
        flatbuffer.load(flatbuffer.dump(model), "there")


def test_a_huge_file_of_something_else_is_not_read(tmp_path) -> None:
    path = tmp_path / "m.tflite"
    with path.open("wb") as file:
        file.truncate(10**13)  # a hole
    with pytest.raises(InputFileError, match="no TFL3 identifier"):
        flatbuffer.load_file(path)
