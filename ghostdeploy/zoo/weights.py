"""Weights for a network: a published checkpoint, or seeded ones that are worth testing with."""

from __future__ import annotations

import errno
import math
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ghostdeploy.errors import InputFileError, error_line
from ghostdeploy.files import check_input
from ghostdeploy.images.examples import example_images
from ghostdeploy.images.preprocessing import normalize
from ghostdeploy.zoo.network import ConvNet

WRAPPERS = ("state_dict", "model")
PREFIX = "module."  # left by torch.nn.DataParallel


def load_weights(network: nn.Module, path: Path) -> None:
    """Fill ``network`` from a checkpoint in its public layout; its module says whose that is.

    Takes .safetensors, and .pth / .pth.tar without running code from them. Raises
    InputFileError naming the first tensor that is missing, unexpected or of another shape.
    """
    state = _clean(_read(path), path)
    if isinstance(network, ConvNet):
        state = {network.own_name(name): tensor for name, tensor in state.items()}
    wanted = network.state_dict()
    for name, tensor in wanted.items():
        if name not in state and not name.endswith("num_batches_tracked"):
            raise InputFileError(f"{path}: tensor {name!r} is missing; {_hint(wanted, state)}")
        if name in state and state[name].shape != tensor.shape:
            have, want = list(state[name].shape), list(tensor.shape)
            raise InputFileError(
                f"{path}: tensor {name!r} has shape {have}, the model wants {want};"
                " check --width, --num-classes and the model's options"
            )
    for name in state:
        if name not in wanted:
            raise InputFileError(f"{path}: tensor {name!r} is unexpected; {_hint(wanted, state)}")
    network.load_state_dict(state, strict=False)


def _hint(wanted: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> str:
    shared = sum(name in state for name in wanted)
    return f"{shared} of the model's {len(wanted)} tensors are there (another architecture?)"


def _read(path: Path) -> object:
    try:
        if path.is_dir():
            raise InputFileError(f"{path} is a folder; --weights takes one checkpoint file")
        if not path.exists():
            raise InputFileError(f"{path} does not exist")
        check_input(path)
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        with warnings.catch_warnings():  # our own line says what is wrong
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except InputFileError:
        raise
    except OSError as error:
        # torch seeks to where a file that was cut short should go on.
        if error.errno == errno.EINVAL:
            raise InputFileError(f"{path} is not a readable checkpoint: it is cut short") from error
        raise InputFileError(f"{path}: {error.strerror or error}") from error
    # torch and safetensors raise many kinds on damaged input; each means the same to a user.
    except Exception as error:
        raise InputFileError(f"{path} is not a readable checkpoint: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    text = str(error).strip()
    if any(word in text for word in ("GLOBAL", "Unsupported class", "TorchScript")):
        return "it holds more than tensors, and code in checkpoints is not run"
    if isinstance(error, pickle.UnpicklingError) or " " not in text:  # torch's advice, or nothing
        return "it is empty, damaged or of another kind"
    return error_line(text)


def _clean(loaded: object, path: Path) -> dict[str, Tensor]:
    for wrapper in WRAPPERS:
        if isinstance(loaded, dict) and isinstance(loaded.get(wrapper), dict):
            loaded = loaded[wrapper]
    if not isinstance(loaded, dict):
        raise InputFileError(f"{path} holds a {type(loaded).__name__}, not a dictionary of tensors")
    state: dict[str, Tensor] = {}
    for key, value in loaded.items():
        # A FLOP counter left its totals in the published files.
        if "total" in str(key):
            continue
        if not isinstance(value, Tensor):
            raise InputFileError(f"{path}: {str(key)[:80]!r} is a {type(value).__name__}")
        state[str(key).removeprefix(PREFIX)] = value
    return state


def seed_weights(network: nn.Module, seed: int) -> None:
    """Fill ``network`` with random weights, the same on every machine, and healthy BN statistics.

    NumPy's frozen MT19937 stream gives uniform numbers whose bits do not depend on the
    processor (torch's normal ones do). BN statistics come from a float64 pass over seeded
    images, rounded so coarsely that another machine's rounding errors cannot show; every
    layer then sees values around one and the attention gates vary, which a network with
    default statistics does not give: its outputs are nearly constant and prove nothing.
    """
    random = np.random.RandomState(seed)
    for module in network.modules():
        draw_parameters(module, random)
    _settle_batch_norms(network, random)


def draw_parameters(module: nn.Module, random: np.random.RandomState) -> None:
    """Fill the parameters of one layer, not of those in it, uniformly at random."""
    for name, parameter in module.named_parameters(recurse=False):
        low, high = _range(module, name)
        values = random.uniform(low, high, tuple(parameter.shape))
        parameter.data = torch.from_numpy(values.astype(np.float32))


def _range(module: nn.Module, name: str) -> tuple[float, float]:
    scale = getattr(module, "seeded_scale", 1.0)  # see ``layers.quieten``
    if isinstance(module, (nn.modules.batchnorm._BatchNorm, nn.LayerNorm)):
        return (0.5 * scale, 1.5 * scale) if name == "weight" else (-0.5 * scale, 0.5 * scale)
    if name == "bias":
        return (-0.5, 0.5)
    weight = module.weight
    assert isinstance(weight, Tensor)
    bound = scale * math.sqrt(6.0 / weight[0].numel())  # He's uniform bound, for inputs behind ReLU
    return (-bound, bound)


def _settle_batch_norms(network: nn.Module, random: np.random.RandomState) -> None:
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    handles = [norm.register_forward_pre_hook(_take_statistics) for norm in norms]
    images = normalize(example_images(random, 4, 224, 224))
    with torch.no_grad():
        network.double()(torch.from_numpy(images))
    network.float()
    for handle in handles:
        handle.remove()


def _take_statistics(norm: nn.Module, inputs: tuple[Any, ...]) -> None:
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    x = inputs[0]
    mean, std = x.mean((0, 2, 3)), x.std((0, 2, 3))
    # A channel that these images leave dead must not be blown up on others that wake it.
    std = std.clamp_min(0.25 * float(std.mean()))
    # Whole numbers before any further rounding: a logarithm's last bit must decide nothing.
    quarter_octaves = (torch.log2(std) * 4).round()
    step = torch.ldexp(torch.ones_like(std), (quarter_octaves / 4).floor().int() - 4)
    norm.running_mean.copy_((mean / step).round() * step)
    norm.running_var.copy_(torch.exp2(quarter_octaves / 2).float().double())
