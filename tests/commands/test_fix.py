"""``lint --fix``: the rewrites that keep the function, on files of anybody."""

from pathlib import Path

import numpy as np
import pytest

from ghostdeploy import flatbuffer
from ghostdeploy.commands.fix import FixRequest, fix
from ghostdeploy.errors import CheckFailed, InputFileError
from ghostdeploy.lowering.metadata import attach_files, attached_files
from ghostdeploy.lowering.noise import NoiseDistance, measure_noise_distance
from ghostdeploy.lowering.rewrites import clip_relu
from tests.command_line import ghostdeploy
from tests.lowering.rewrites.graphs import ROWS, loop, old_codes, table, two_signatures
from tests.lowering.rewrites.tiny import ops, random_image, run, tiny


def clipped(*, half_pixel: bool = False) -> bytes:
    """A clip, and a nearest resize that means something else with ``half_pixel``."""
    t = tiny()
    a, b, c = t.tensor((1, 3, 3, 2)), t.tensor((1, 3, 3, 2)), t.tensor((1, 7, 7, 2))
    size = t.tensor((2,), "int32", np.array([7, 7], np.int32))
    t.op("RELU_0_TO_1", [a], [b])
    t.op(
        "RESIZE_NEAREST_NEIGHBOR",
        [b, size],
        [c],
        kind="ResizeNearestNeighborOptions",
        halfPixelCenters=half_pixel,
    )
    return t.bytes(a, c)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "clipped.tflite"
    path.write_bytes(clipped())
    return path


def test_the_fixed_file_computes_the_same(model):
    done = fix(FixRequest(model))
    image = random_image((1, 3, 3, 2), "float32", seed=99)
    assert [(f.name, f.count) for f in done.rewrites] == [("nearest-depth", 1), ("clip-relu", 1)]
    assert done.path == model.with_name("clipped.fixed.tflite")
    assert model.read_bytes() == clipped()
    after = done.path.read_bytes()
    assert not {"RELU_0_TO_1", "RESIZE_NEAREST_NEIGHBOR"} & set(ops(after))
    np.testing.assert_array_equal(
        run(after, image, xnnpack=True), run(clipped(), image, xnnpack=False)
    )


def test_half_pixel_centres_are_somebody_elses_meaning(tmp_path):
    path = tmp_path / "theirs.tflite"
    path.write_bytes(clipped(half_pixel=True))
    done = fix(FixRequest(path))
    assert [f.name for f in done.rewrites] == ["clip-relu"]
    assert "RESIZE_NEAREST_NEIGHBOR" in ops(done.path.read_bytes())


def test_explaining_changes_nothing(model):
    before = sorted(model.parent.iterdir())
    found = fix(FixRequest(model, dry_run=True)).rewrites
    assert [f.name for f in found] == ["nearest-depth", "clip-relu"]
    assert found[1].why.startswith("XNNPACK has no RELU_0_TO_1")
    assert sorted(model.parent.iterdir()) == before
    assert model.read_bytes() == clipped()


def test_fixing_twice_finds_nothing_more(model):
    done = fix(FixRequest(fix(FixRequest(model)).path))
    assert done.path is None
    assert done.rewrites == ()


def test_attached_files_stay(tmp_path):
    path = tmp_path / "labelled.tflite"
    path.write_bytes(attach_files(clipped(), {"labels.txt": "müsli\n".encode()}))
    after = fix(FixRequest(path)).path.read_bytes()
    assert attached_files(after) == {"labels.txt": "müsli\n".encode()}


def test_a_rewrite_that_changes_the_function_is_refused(model, monkeypatch):
    def wrong(builder, op):
        return [builder.make_operator("TANH", [int(op.inputs[0])], int(op.outputs[0]))]

    monkeypatch.setattr(clip_relu, "_replacement", wrong)
    with pytest.raises(CheckFailed, match="another function"):
        fix(FixRequest(model))
    assert list(model.parent.iterdir()) == [model]


def test_only_tflite_files_can_be_rewritten(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"x")
    with pytest.raises(InputFileError, match="only TFLite"):
        fix(FixRequest(path))


def test_the_command_line(model):
    explained = ghostdeploy("lint", "--explain", model)
    assert "would be rewritten" in explained.stdout
    fixed = ghostdeploy("lint", "--fix", model, "--out", model.with_name("out.tflite"))
    assert fixed.returncode == 0
    assert "clip-relu ×1" in fixed.stdout
    assert model.with_name("out.tflite").exists()
    again = ghostdeploy("lint", "--fix", model.with_name("out.tflite"))
    assert "nothing to rewrite" in again.stdout


def written(folder: Path, data: bytes) -> Path:
    path = folder / "m.tflite"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("data", "places"),
    [(two_signatures(), 2), (two_signatures(swapped=True), 2), (loop(), 1), (table(), 1)],
    ids=["signatures", "swapped", "loop", "table"],
)
def test_files_of_several_graphs_and_signatures(data, places, tmp_path):
    done = fix(FixRequest(written(tmp_path, data)))
    assert [(f.name, f.count) for f in done.rewrites] == [("clip-relu", places)]
    assert done.rel_l2 == 0
    after = done.path.read_bytes()
    assert measure_noise_distance(data, after, 2) == NoiseDistance(0.0, quantized=False)


def test_every_signature_is_compared(tmp_path, monkeypatch):
    right = clip_relu._replacement

    def wrong(builder, op):
        second = builder.graph is builder.model.subgraphs[1]
        kind = [builder.make_operator("RELU", [int(op.inputs[0])], int(op.outputs[0]))]
        return kind if second else right(builder, op)

    monkeypatch.setattr(clip_relu, "_replacement", wrong)
    with pytest.raises(CheckFailed, match="another function"):
        fix(FixRequest(written(tmp_path, two_signatures())))


def test_files_of_before_2020_are_read(tmp_path):
    done = fix(FixRequest(written(tmp_path, old_codes(clipped()))))
    assert [f.name for f in done.rewrites] == ["nearest-depth", "clip-relu"]


def test_what_the_runtime_refuses_is_told_with_its_reason(tmp_path):
    path = written(tmp_path, table())
    with pytest.raises(InputFileError, match=r"m\.tflite: LiteRT here cannot run it: gather index"):
        fix(FixRequest(path, input_range=(ROWS, ROWS + 5)))
    assert fix(FixRequest(path, input_range=(2, ROWS - 1))).path


def test_an_operator_without_its_options_is_a_file_s_fault(tmp_path):
    model = flatbuffer.load(clipped(), "here")
    model.subgraphs[0].operators[1].builtinOptions = None
    model.subgraphs[0].operators[1].builtinOptionsType = 0
    with pytest.raises(InputFileError, match="an operator lacks what its kind has"):
        fix(FixRequest(written(tmp_path, flatbuffer.dump(model))))
