"""A program of torch.export.save: what may be in it, and what is refused."""

from __future__ import annotations

import json
import zipfile

import pytest
import torch
from torch import nn

from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.lowering.onnx_models import lines_of
from ghostdeploy.lowering.to_onnx import program_to_onnx
from ghostdeploy.schema import InputSpec
from ghostdeploy.sources import find_source, open_source
from ghostdeploy.sources.reference import NetworkReference, OwnNetwork


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.ReLU())
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(4, 5)

    def forward(self, x):
        return self.head(self.drop(self.stem(x).mean((2, 3))))


def save(path, *, training=False, sizes=None, batch=1):
    module = Small().train(training)
    image = torch.randn(batch, 3, 16, 16)
    program = torch.export.export(module, (image,), dynamic_shapes=sizes)
    torch.export.save(program, path)
    return NetworkReference("program", str(path))


def test_names_and_lines_survive_the_file(tmp_path):
    loaded = open_source(save(tmp_path / "p.pt2"))
    assert loaded.spec.num_classes == 5
    model = program_to_onnx(loaded.program, ["x"], loaded.spec.outputs).model
    assert {node.name for node in model.graph.node} >= {"stem.2/relu", "head/gemm"}
    line = Small.forward.__code__.co_firstlineno + 1
    assert lines_of(model)["stem.2/relu"] == f"test_program.py:{line}"
    assert str(tmp_path) not in str(model)
    assert "/" not in "".join(lines_of(model).values())


def test_training_mode_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"exported in training mode \(batch_norm.*model.eval"):
        open_source(save(tmp_path / "p.pt2", training=True))


def test_its_size_is_its_own(tmp_path):
    reference = save(tmp_path / "p.pt2")
    with pytest.raises(UsageError, match="x is fixed to 1x3x16x16"):
        open_source(NetworkReference("program", reference.place, resolution=(32, 32)))
    same = open_source(NetworkReference("program", reference.place, resolution=(16, 16)))
    assert same.spec.inputs == (InputSpec((1, 3, 16, 16), "float32", "x"),)
    with pytest.raises(UsageError, match="a batch of 2"):
        open_source(save(tmp_path / "two.pt2", batch=2))


def test_open_sizes_are_bound_or_refused(tmp_path):
    sizes = ({0: torch.export.Dim("batch"), 2: torch.export.Dim("rows", min=16, max=64)},)
    reference = save(tmp_path / "p.pt2", sizes=sizes, batch=2)
    with pytest.raises(
        UsageError, match=r"x is \?x3x\?x16: say how large, e.g. --input 1x3x224x16"
    ):
        open_source(reference)
    own = OwnNetwork(inputs=(InputSpec((1, 3, 32, 16)),))
    bound = open_source(NetworkReference("program", reference.place, own=own))
    assert bound.spec.inputs[0].shape == (1, 3, 32, 16)
    model = program_to_onnx(bound.program, ["x"], bound.spec.outputs).model
    sides = [side.dim_value for side in model.graph.input[0].type.tensor_type.shape.dim]
    assert sides == [1, 3, 32, 16]


def test_other_files_of_torch_are_told(tmp_path):
    torch.save(Small(), tmp_path / "module.pt2")
    torch.save(Small().state_dict(), tmp_path / "state.pt2")
    (tmp_path / "text.pt2").write_text("hello")
    for name in ("module", "state", "text"):
        with pytest.raises(InputFileError, match=r"is not a program of torch\.export\.save"):
            open_source(find_source(str(tmp_path / f"{name}.pt2")))


@pytest.mark.parametrize(
    "found",
    [
        {"expr_str": "print('hello')"},
        {"guards_code": ["a.__class__"]},
        {"payload": {"use_pickle": True}},
    ],
)
def test_code_beside_the_graph_is_not_run(tmp_path, found):
    reference = save(tmp_path / "p.pt2")
    changed = tmp_path / "changed.pt2"
    with zipfile.ZipFile(reference.place) as before, zipfile.ZipFile(changed, "w") as after:
        for info in before.infolist():
            data = before.read(info)
            if info.filename.endswith("models/model.json"):
                data = json.dumps(json.loads(data) | {"more": found}).encode()
            after.writestr(info, data)
    with pytest.raises(InputFileError, match="holds code beside its graph"):
        open_source(NetworkReference("program", str(changed)))


def test_a_damaged_one_says_whose_torch_wrote_it(tmp_path):
    reference = save(tmp_path / "p.pt2")
    changed = tmp_path / "changed.pt2"
    with zipfile.ZipFile(reference.place) as before, zipfile.ZipFile(changed, "w") as after:
        for info in before.infolist():
            if "weight_0" not in info.filename:
                data = before.read(info)
                if info.filename.endswith("models/model.json"):
                    data = data.replace(torch.__version__.encode(), b"9.9.9")
                after.writestr(info, data)
    with pytest.raises(InputFileError, match=r"written by torch 9.9.9"):
        open_source(NetworkReference("program", str(changed)))


def test_weights_are_in_it(tmp_path):
    reference = save(tmp_path / "p.pt2")
    own = OwnNetwork(keep="own")
    with pytest.raises(UsageError, match="leave out --weights"):
        open_source(NetworkReference("program", reference.place, own=own))
