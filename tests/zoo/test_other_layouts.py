"""Public checkpoints of the other networks load: names by hand, and by the libraries if there."""

from __future__ import annotations

import pytest
import torch

from ghostdeploy.errors import InputFileError
from ghostdeploy.zoo import build, gated_modules, make_spec
from ghostdeploy.zoo.weights import load_weights


def names(arch: str) -> set[str]:
    return set(build(make_spec(arch, width=0.25)).state_dict())


@pytest.mark.parametrize(
    ("arch", "some"),
    [
        ("mobilenetv1", {"conv_stem.weight", "blocks.3.5.conv_pw.weight", "blocks.4.1.bn2.bias"}),
        ("mobilenetv2", {"blocks.0.0.conv_dw.weight", "blocks.6.0.conv_pwl.weight", "bn2.bias"}),
        ("mobilenetv3_large", {"blocks.6.0.conv.weight", "conv_head.bias", "blocks.2.0.bn3.bias"}),
        ("mnasnet_a1", {"blocks.2.0.se.conv_reduce.bias", "blocks.6.0.conv_pwl.weight"}),
        ("efficientnet_b0", {"blocks.0.0.se.conv_expand.weight", "blocks.5.3.conv_dw.weight"}),
        ("fbnet_c", {"blocks.0.0.conv_pwl.weight", "blocks.5.3.conv_pw.weight"}),
        (
            "shufflenetv2",
            {"conv1.0.weight", "stage3.7.branch2.5.weight", "conv5.1.bias", "fc.bias"},
        ),
    ],
)
def test_tensors_are_called_as_in_the_published_layout(arch: str, some: set[str]) -> None:
    assert some <= names(arch)


TORCHVISION = {
    "features.0.0.weight": "conv_stem.weight",
    "features.0.1.running_mean": "bn1.running_mean",
    "features.1.conv.0.0.weight": "blocks.0.0.conv_dw.weight",
    "features.1.conv.1.weight": "blocks.0.0.conv_pw.weight",
    "features.1.conv.2.bias": "blocks.0.0.bn2.bias",
    "features.2.conv.0.0.weight": "blocks.1.0.conv_pw.weight",
    "features.17.conv.1.1.weight": "blocks.6.0.bn2.weight",
    "features.17.conv.3.running_var": "blocks.6.0.bn3.running_var",
    "features.18.0.weight": "conv_head.weight",
    "features.18.1.num_batches_tracked": "bn2.num_batches_tracked",
    "classifier.1.bias": "classifier.bias",
    "conv_stem.weight": "conv_stem.weight",
    "classifier.weight": "classifier.weight",
}


@pytest.mark.parametrize(("theirs", "ours"), TORCHVISION.items())
def test_torchvisions_names_of_mobilenetv2(theirs: str, ours: str) -> None:
    network = build(make_spec("mobilenetv2", width=0.25))
    assert network.own_name(theirs) == ours
    assert ours in network.state_dict()


@pytest.mark.parametrize("name", ["features.99.conv.0.0.weight", "features.2.conv.9.weight"])
def test_a_name_that_torchvision_has_not_is_unexpected(name: str, tmp_path) -> None:
    network = build(make_spec("mobilenetv2", width=0.25))
    torch.save({**network.state_dict(), name: torch.zeros(1)}, tmp_path / "w.pth")
    with pytest.raises(InputFileError, match="is unexpected"):
        load_weights(network, tmp_path / "w.pth")


def test_dfc_gates_every_block_of_mobilenetv2() -> None:
    spec = make_spec("mobilenetv2", width=0.25, variant="dfc")
    tensors = build(spec).state_dict()
    branches = {name.partition(".short_conv")[0] for name in tensors if ".short_conv" in name}
    assert branches == set(gated_modules(spec))
    assert len(branches) == 17
    assert gated_modules(make_spec("mobilenetv2")) == ()
