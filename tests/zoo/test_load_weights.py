"""Checkpoints in every published form; and what is not one is refused in one line."""

from __future__ import annotations

import os
import pickle
import random
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from ghostdeploy.errors import InputFileError
from ghostdeploy.zoo import build, make_spec
from ghostdeploy.zoo.weights import load_weights

State = dict[str, Tensor]


@pytest.fixture
def state(small) -> State:
    return {name: tensor.clone() for name, tensor in small.state_dict().items()}


@pytest.fixture
def network():
    """Of the checkpoint's shape, with other weights."""
    torch.manual_seed(7)
    return build(make_spec(width=0.1))


def save(state: object, path: Path, **options) -> Path:
    torch.save(state, path, **options)
    return path


def with_totals(state: State) -> dict[str, object]:
    totals = {"total_ops": torch.zeros(1), "blocks.0.0.total_params": torch.zeros(1)}
    return {**state, **totals, "total": 167.0}


FORMS = {
    "plain.pth": lambda s: s,
    "ordered.pth": OrderedDict,
    "wrapped.pth": lambda s: {"state_dict": s, "epoch": 450},
    "wrapped.pth.tar": lambda s: {"state_dict": s, "arch": "ghostnetv2", "best": torch.zeros(1)},
    "model.pth": lambda s: {"model": s},
    "parallel.pth.tar": lambda s: {"state_dict": {f"module.{k}": v for k, v in s.items()}},
    "totals.pth": with_totals,
    "parallel_totals.pth": lambda s: {f"module.{k}": v for k, v in with_totals(s).items()},
    "old.pth": lambda s: {k: v for k, v in s.items() if "num_batches_tracked" not in k},
    "half.pth": lambda s: {k: v.half() if v.is_floating_point() else v for k, v in s.items()},
}


@pytest.mark.parametrize("name", FORMS)
def test_every_published_form_loads(name: str, state: State, network, tmp_path) -> None:
    load_weights(network, save(FORMS[name](state), tmp_path / name))
    for key, tensor in network.state_dict().items():
        if "num_batches_tracked" in key:
            continue
        expected = state[key].half().float() if name == "half.pth" else state[key]
        assert torch.equal(tensor, expected), key


def test_the_format_of_before_torch_1_6_loads(state, network, tmp_path) -> None:
    path = save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    load_weights(network, path)
    assert torch.equal(network.classifier.weight, state["classifier.weight"])


def test_safetensors_load(state, network, small, images, tmp_path) -> None:
    save_file(state, tmp_path / "w.safetensors")
    load_weights(network, tmp_path / "w.safetensors")
    with torch.no_grad():
        assert torch.equal(network(images[:1]), small(images[:1]))


def refusal(network, path: Path) -> str:
    """The one line that says why, without the path; the network is untouched."""
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(InputFileError) as caught:
        load_weights(network, path)
    assert all(torch.equal(before[n], t) for n, t in network.state_dict().items())
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


def test_the_first_missing_tensor_is_named(state, network, tmp_path) -> None:
    del state["blocks.3.0.se.conv_reduce.bias"], state["classifier.weight"]
    message = refusal(network, save(state, tmp_path / "w.pth"))
    assert message.startswith(": tensor 'blocks.3.0.se.conv_reduce.bias' is missing; 762 of")


def test_the_first_unexpected_tensor_is_named(state, network, tmp_path) -> None:
    state |= {"extra.weight": torch.zeros(1), "more.weight": torch.zeros(1)}
    message = refusal(network, save(state, tmp_path / "w.pth"))
    assert message.startswith(": tensor 'extra.weight' is unexpected; 764 of the model's 764")


def test_the_first_tensor_of_another_shape_is_named(state, network, tmp_path) -> None:
    state["classifier.weight"] = state["classifier.weight"][:10]
    state["classifier.bias"] = state["classifier.bias"][:10]
    message = refusal(network, save(state, tmp_path / "w.pth"))
    assert "'classifier.weight' has shape [10, 1280], the model wants [1000, 1280]" in message
    assert "--num-classes" in message


def test_another_architecture(state, tmp_path) -> None:
    v1 = build(make_spec("ghostnetv1", width=0.1))
    message = refusal(v1, save(state, tmp_path / "w.pth"))
    assert "'blocks.2.0.ghost1.short_conv.0.weight' is unexpected" in message
    message = refusal(build(make_spec(width=0.1)), save(v1.state_dict(), tmp_path / "v1.pth"))
    assert "'blocks.2.0.ghost1.short_conv.0.weight' is missing" in message


def test_another_width(network, tmp_path) -> None:
    wide = build(make_spec(width=0.2)).state_dict()
    assert "--width" in refusal(network, save(wide, tmp_path / "w.pth"))


class Attack:
    """What a hostile pickle does: calls a function as it is loaded."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self):
        return os.mkdir, (str(self.victim),)


@pytest.mark.parametrize("how", ["zip", "legacy", "pickle", "wrapped", "next to tensors"])
def test_code_in_a_checkpoint_is_not_run(how: str, state, network, tmp_path) -> None:
    attack, path = Attack(tmp_path / "ran"), tmp_path / "w.pth"
    if how == "pickle":
        path.write_bytes(pickle.dumps(attack, protocol=2))
    elif how == "legacy":
        save(attack, path, _use_new_zipfile_serialization=False)
    else:
        save(
            {"zip": attack, "wrapped": {"state_dict": attack}}.get(how, state | {"x": attack}), path
        )
    assert "code in checkpoints is not run" in refusal(network, path)
    assert not (tmp_path / "ran").exists()
    with path.open("rb") as file:  # the attack is a real one
        if how == "pickle":
            pickle.load(file)
            assert (tmp_path / "ran").exists()


def test_a_whole_module_is_refused(network, tmp_path) -> None:
    path = save(torch.nn.Linear(2, 2), tmp_path / "w.pth")
    assert "code in checkpoints is not run" in refusal(network, path)


CONTENTS = {
    "empty": b"",
    "text": b"The weights are at the usual place.\n",
    "web page": b"<!DOCTYPE html><html><body>Not found</body></html>",
    "random": random.Random(0).randbytes(5000),
    "zeros": bytes(5000),
}


@pytest.mark.parametrize("suffix", [".pth", ".pth.tar", ".safetensors", ""])
@pytest.mark.parametrize("content", CONTENTS)
def test_what_is_no_checkpoint(content: str, suffix: str, network, tmp_path, recwarn) -> None:
    path = tmp_path / f"w{suffix}"
    path.write_bytes(CONTENTS[content])
    message = refusal(network, path)
    assert message.startswith(" is not a readable checkpoint: ")
    assert len(message) > 45
    assert "more than tensors" not in message
    assert not recwarn.list


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("share", [0.001, 0.01, 0.5, 0.99, 0.9999])
def test_a_file_cut_short(suffix: str, share: float, state, network, tmp_path) -> None:
    path = tmp_path / f"w{suffix}"
    save_file(state, path) if suffix == ".safetensors" else save(state, path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert refusal(network, path).startswith(" is not a readable checkpoint: ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"epoch": 3}, ": 'epoch' is a int"),
        ({"state_dict": {"conv_stem.weight": [1.0]}}, ": 'conv_stem.weight' is a list"),
        ([torch.zeros(1)], " holds a list, not a dictionary of tensors"),
        (torch.zeros(3), " holds a Tensor, not a dictionary of tensors"),
        ({"state_dict": torch.zeros(1)}, ": tensor 'conv_stem.weight' is missing"),
        ({}, ": tensor 'conv_stem.weight' is missing; 0 of the model's 764"),
        ({3: torch.zeros(1)}, ": tensor 'conv_stem.weight' is missing"),
    ],
)
def test_a_checkpoint_of_something_else(content, said: str, network, tmp_path) -> None:
    assert refusal(network, save(content, tmp_path / "w.pth")).startswith(said)


def test_places_that_hold_no_file(network, tmp_path) -> None:
    assert refusal(network, tmp_path / "no.pth") == " does not exist"
    assert refusal(network, tmp_path).startswith(" is a folder")
    (tmp_path / "file").write_bytes(b"")
    assert refusal(network, tmp_path / "file" / "w.pth") == " does not exist"
    assert refusal(network, tmp_path / ("x" * 300)) == ": File name too long"


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file that refuses to be read")
def test_an_unreadable_file(network) -> None:
    assert refusal(network, Path("/proc/self/mem")) == ": Input/output error"
