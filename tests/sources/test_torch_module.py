"""A module of a user's, ready to be exported: eval mode, float32, weights, outputs by name."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.sources import open_source
from tests.sources.networks import NET, TWO_ENDS

TRAINED = (
    NET
    + """
def trained():
    net = Net()
    net.stem[1].running_mean.fill_(0.5)
    return net
"""
)
TRAINS = (
    NET
    + """
class Stubborn(Net):
    def train(self, mode=True):
        return super().train(True)
"""
)
MERGES = (
    NET
    + """
class Merging(Net):
    def reparameterize(self):
        pass
"""
)
HALF = (
    NET
    + """
def half():
    return Net().half()
def double():
    return Net().double()
"""
)
BRANCHES = (
    NET
    + """
class Branching(Net):
    def forward(self, x):
        if x.sum() > 0:
            return super().forward(x)
        return super().forward(-x)
"""
)


def test_seeded_weights_are_the_same_each_time_and_matter(refer):
    first, again, other = (open_source(refer(seed=seed)) for seed in (0, 0, 1))
    assert first.spec.identity == again.spec.identity != other.spec.identity
    assert first.spec.notes == ("seeded random weights (seed 0)",)
    outputs = [first.run(feed)[0] for feed in first.feeds]
    assert np.std(outputs, axis=0).min() > 1e-3


def test_trained_weights_are_kept_without_a_word(refer):
    for reference in (refer(TRAINED, "trained"), refer(TRAINED, "build", keep="own")):
        assert open_source(reference).spec.notes == ("weights as the network brings them",)


def test_a_checkpoint_is_loaded(refer, tmp_path):
    loaded = open_source(refer(TRAINED, "trained"))
    state = {f"module.{name}": value for name, value in loaded.program.state_dict.items()}
    torch.save(state, tmp_path / "w.pth")
    again = open_source(refer(TRAINED, "build", weights=tmp_path / "w.pth"))
    assert again.spec.identity == loaded.spec.identity
    with pytest.raises(InputFileError, match="--num-classes"):
        open_source(refer(TRAINED, "build", weights=tmp_path / "w.pth", num_classes=5))


@pytest.mark.parametrize(("function", "kind"), [("half", "float16"), ("double", "float64")])
def test_other_number_formats_are_moved_and_told(refer, function, kind):
    loaded = open_source(refer(HALF, function))
    assert f"weights in {kind} were converted to float32" in loaded.spec.notes
    assert {t.dtype for t in loaded.program.state_dict.values() if t.is_floating_point()} == {
        torch.float32
    }


def test_what_stays_in_training_mode_is_refused(refer):
    with pytest.raises(UsageError, match="stays in training mode"):
        open_source(refer(TRAINS, "Stubborn"))


def test_layers_that_could_be_merged_are_told(refer):
    notes = open_source(refer(MERGES, "Merging")).spec.notes
    assert any("reparameterize(), which was not called" in note for note in notes)


def test_data_dependent_control_flow_names_the_users_line(refer):
    with pytest.raises(UsageError, match=r"torch cannot export net.py:Branching: net.py:\d+: "):
        open_source(refer(BRANCHES, "Branching"))


def test_a_tree_of_outputs_gets_names(refer):
    loaded = open_source(refer(TWO_ENDS))
    assert loaded.spec.outputs == ("deep", "maps_0", "logits")
    assert loaded.spec.output_shapes == ((1, 8, 8, 8), (1, 8, 16, 16), (1, 5))
    assert [each.name for each in loaded.spec.inputs] == ["x", "ids", "scale"]
    assert loaded.feeds[3]["ids"].tolist() == [[1, 2, 3, 9]]
    assert loaded.spec.num_classes is None
    named = open_source(refer(TWO_ENDS, outputs=("a", "b", "c")))
    assert named.spec.outputs == ("a", "b", "c")
    with pytest.raises(UsageError, match="gives 3 outputs, and --outputs names 1"):
        open_source(refer(TWO_ENDS, outputs=("a",)))


def test_the_cost_is_counted(refer):
    loaded = open_source(refer())
    assert loaded.macs == 8 * 8 * 4 * 27 + 4 * 3
    assert loaded.parameters == 4 * 27 + 4 + 8 + 4 * 3 + 3


def test_inputs_that_the_network_refuses(refer):
    from ghostdeploy.schema import InputSpec

    with pytest.raises(UsageError, match=r"net.py"):
        open_source(refer(inputs=(InputSpec((1, 5, 16, 16)),)))
