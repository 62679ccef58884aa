"""Files that are no models, or not of a kind that is known here: one line each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from ghostdeploy import flatbuffer
from ghostdeploy.errors import InputFileError
from ghostdeploy.linting import lint_graph, read_graph
from tests.linting.rules.hand_made import Onnx, Tflite


def refusal(path: Path) -> str:
    with pytest.raises(InputFileError) as caught:
        read_graph(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def tflite(path: Path, **changes: int) -> Path:
    t = Tflite()
    model = t.model(t.op("TANH", [t.input]))
    model.version = changes.get("version", 3)
    code = model.operatorCodes[0]
    code.builtinCode = changes.get("code", code.builtinCode)
    path.write_bytes(flatbuffer.dump(model))
    return path


def test_a_newer_schema(tmp_path: Path) -> None:
    assert "schema version 4" in refusal(tflite(tmp_path / "m.tflite", version=4))


@pytest.mark.parametrize(("end", "lacks"), [("inputs", "an input"), ("outputs", "an output")])
def test_a_tflite_operator_without_what_it_needs(end: str, lacks: str, tmp_path: Path) -> None:
    t = Tflite()
    model = t.model(t.op("TANH", [t.input]))
    setattr(model.subgraphs[0].operators[0], end, np.array([], np.int32))
    (tmp_path / "m.tflite").write_bytes(flatbuffer.dump(model))
    assert f"its TANH lacks {lacks}" in refusal(tmp_path / "m.tflite")


def test_a_newer_operator(tmp_path: Path) -> None:
    assert "operator 5000" in refusal(tflite(tmp_path / "m.tflite", code=5000))


@pytest.mark.parametrize(
    ("operator", "inputs", "outputs", "lacks"),
    [
        ("QuantizeLinear", [], ["y"], "an input"),
        ("DequantizeLinear", ["x"], ["y"], "an input"),
        ("Conv", ["", "w"], ["y"], "an input"),
        ("Relu", ["x"], [], "an output"),
        ("Relu", ["x"], [""], "an output"),
    ],
)
def test_an_operator_without_what_it_needs(
    operator: str, inputs: list[str], outputs: list[str], lacks: str, tmp_path: Path
) -> None:
    o = Onnx()
    model = o.model(o.op("Sigmoid", o.input))
    model.graph.node.append(onnx.helper.make_node(operator, inputs, outputs))
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    assert f"its operator {operator} lacks {lacks}" in refusal(tmp_path / "m.onnx")


def test_what_an_operator_may_leave_out_may_be_lacking(tmp_path: Path) -> None:
    body = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", [a], [b]) for a, b in (("go", "on"), ("n", "v"))],
        "body",
        [
            onnx.helper.make_tensor_value_info("n", onnx.TensorProto.INT64, []),
            onnx.helper.make_tensor_value_info("go", onnx.TensorProto.BOOL, []),
        ],
        [
            onnx.helper.make_tensor_value_info("on", onnx.TensorProto.BOOL, []),
            onnx.helper.make_tensor_value_info("v", onnx.TensorProto.INT64, []),
        ],
    )
    o = Onnx()
    model = o.model(o.op("Clip", o.input))
    model.graph.node.append(onnx.helper.make_node("Loop", ["", ""], ["k"], body=body))
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    assert {node.native for node in read_graph(tmp_path / "m.onnx").nodes} == {"Clip", "Loop"}


@pytest.mark.parametrize("name", ["m.tflite", "m.onnx"])
def test_a_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    assert "is a folder" in refusal(tmp_path / name)


def external(tmp_path: Path, elements: int = 4 * 4096) -> Path:
    o = Onnx()
    weights = o.constant(np.ones((elements // 4, 4, 1, 1)))
    model = o.model(o.op("Conv", o.input, weights))
    path = tmp_path / "m.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights.bin")
    return path


class TestExternalData:
    def test_it_is_counted_where_it_is(self, tmp_path: Path) -> None:
        report = lint_graph(read_graph(external(tmp_path)))
        assert report.weights_mb == pytest.approx(4 * 4096 * 4 / 1e6)

    def test_equal_contents_are_seen_in_it(self, tmp_path: Path) -> None:
        o = Onnx((1, 64, 8, 8))
        weights = [o.constant(np.ones((64, 64, 1, 1))) for _ in range(2)]
        x = o.op("Conv", o.op("Conv", o.input, weights[0]), weights[1])
        path = tmp_path / "m.onnx"
        onnx.save(o.model(x), path, save_as_external_data=True, location="w.bin")
        rules = {f.rule for f in lint_graph(read_graph(path)).findings}
        assert rules == {"duplicate-weights"}

    def test_it_is_missing(self, tmp_path: Path) -> None:
        path = external(tmp_path)
        (tmp_path / "weights.bin").unlink()
        assert "weights.bin is not there" in refusal(path)

    def test_it_is_too_short(self, tmp_path: Path) -> None:
        path = external(tmp_path)
        (tmp_path / "weights.bin").write_bytes(b"short")
        assert "weights.bin is too short" in refusal(path)

    @pytest.mark.parametrize("location", ["../weights.bin", "/etc/hostname", ""])
    def test_it_is_somewhere_else(self, location: str, tmp_path: Path) -> None:
        path = external(tmp_path)
        model = onnx.load(path, load_external_data=False)
        for entry in model.graph.initializer[0].external_data:
            if entry.key == "location":
                entry.value = location
        path.write_bytes(model.SerializeToString())
        assert "is not a file beside it" in refusal(path)


def test_several_graphs(tmp_path: Path) -> None:
    """Findings in a second graph are told, and its weights counted, shared ones once."""
    t, other = Tflite(), Tflite()
    shared = t.random(256)
    model = t.model(t.op("ADD", [t.input, shared]))
    twin = other.tensor("twin", (256,))
    second = other.model(other.op("RELU_0_TO_1", [other.op("ADD", [other.input, twin])]))
    other.tensors[twin].buffer = t.tensors[shared].buffer
    for operator in other.operators:
        operator.opcodeIndex += len(model.operatorCodes)
    model.operatorCodes.extend(second.operatorCodes)
    model.subgraphs.extend(second.subgraphs)
    path = tmp_path / "m.tflite"
    path.write_bytes(flatbuffer.dump(model))
    graph = read_graph(path)
    assert [len(g.nodes) for g in graph.subgraphs] == [2]
    report = lint_graph(graph)
    assert report.op_counts == {"ADD": 2, "RELU_0_TO_1": 1}
    assert {"xnnpack", "hard-activations"} <= {f.rule for f in report.findings}
    assert report.weights_mb == pytest.approx(1024 / 1e6)


def test_what_a_value_knows() -> None:
    t = Tflite(dtype="int8", scale=[0.5], zero=[3], signature=(-1, 8, 8, 4))
    weights = t.random(4, 1, 1, 4, dtype="int8", scale=[0.1, 0.2, 0.3, 0.4])
    graph = t.graph(t.op("CONV_2D", [t.input, weights], scale=[0.25], zero=[-1]))
    image, filters = graph.values["image"], graph.values[f"constant_{weights}"]
    assert (image.shape, image.scale, image.zero_point) == ((-1, 8, 8, 4), (0.5,), (3,))
    assert (image.nbytes, image.constant, image.digest) == (256, False, "")
    assert filters.scale == pytest.approx((0.1, 0.2, 0.3, 0.4))
    assert (filters.nbytes, filters.constant, len(filters.numbers or ())) == (16, True, 16)


def test_a_quantized_scalar_is_read_as_the_real_number() -> None:
    t = Tflite()
    three = t.constant([107], "int8", scale=[0.025], zero=[-13])
    graph = t.graph(t.op("ADD", [t.input, three]))
    assert graph.scalar(f"constant_{three}") == pytest.approx(3.0)


def test_onnx_quantization_is_on_the_values() -> None:
    o = Onnx()
    scale, zero = o.constant(0.5), o.constant(3, "int8")
    x = o.op("QuantizeLinear", o.input, scale, zero, name="q")
    graph = o.graph(o.op("DequantizeLinear", x, scale, zero))
    assert graph.values["q"].quantization == ((0.5,), (3,))
    assert graph.values["q"].dtype == "int8"


class TestLargeFiles:
    """100 MB in seconds, and in a memory of about the file's size."""

    @pytest.mark.parametrize("format", ["tflite", "onnx"])
    def test_time_and_memory(self, format: str, tmp_path: Path) -> None:
        path = tmp_path / f"m.{format}"
        large = np.ones((25, 1_000_000), np.float32)
        builder = Tflite() if format == "tflite" else Onnx()
        op = "ADD" if format == "tflite" else "Add"
        x = builder.input
        for row in large:
            args = (x, builder.constant(row))
            x = builder.op(op, args) if format == "tflite" else builder.op(op, *args)
        data = builder.bytes(x) if format == "tflite" else builder.model(x).SerializeToString()
        path.write_bytes(data)
        size_mb = len(data) / 1e6
        assert size_mb > 99
        del data, large, builder
        peak_mb, seconds = cost(path)
        assert seconds < 20  # under 1 s on an idle core
        assert peak_mb < (1.3 if format == "tflite" else 2.3) * size_mb + 30


def cost(path: Path) -> tuple[float, float]:
    """(extra memory, time) of a process that reads and lints ``path``."""
    import subprocess
    import sys

    program = f"""
import resource, time
from pathlib import Path
import numpy, onnx
from ghostdeploy.flatbuffer import schema
from ghostdeploy.linting import lint_graph, read_graph
schema()
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before, start = peak(), time.monotonic()
report = lint_graph(read_graph(Path({str(path)!r})))
assert report.weights_mb > 99
print(peak() - before, time.monotonic() - start)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    peak_mb, seconds = done.stdout.split()
    return float(peak_mb), float(seconds)
