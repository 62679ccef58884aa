"""Train a narrow GhostNetV2 or V1 on small_data, in minutes on two cores.

Prints a line an epoch and the accuracy on the test split, and writes the weights in half precision
(the accuracy is that of the written weights). Run: python benchmarks/train_small.py ARCH
shapes|digits OUT (some ten minutes for shapes, two for digits)
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from small_data import NAMES, load
from torch import Tensor, nn

from ghostdeploy import zoo
from ghostdeploy.images.normalization import MEAN, STD
from ghostdeploy.zoo.weights import load_weights

WIDTH, SIDE, RESIZED, BATCH = 0.2, 96, 110, 64
IMAGES = {"shapes": (8000, 1000), "digits": (2000, 2000)}
EPOCHS = {"shapes": 22, "digits": 40}  # some 25 s and 3 s each on one core
PEAK_RATE, DECAY = 3e-3, 0.03


def main(arch: str, data: str, out: Path) -> None:
    """Train, write the weights, and print the accuracy of what was written."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    spec = zoo.make_spec(arch, width=WIDTH, resolution=(SIDE, SIDE), num_classes=len(NAMES[data]))
    network = zoo.build(spec)
    train(network, *tensors(data, "train", IMAGES[data][0]), EPOCHS[data], flips=data == "shapes")
    out.parent.mkdir(parents=True, exist_ok=True)
    state = {k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()}
    save_file(state, out)
    load_weights(network, out)
    images, labels = tensors(data, "test", IMAGES[data][1])
    print(f"{out}: top-1 {100 * accuracy(network.eval(), images, labels):.2f} % of {len(labels)}")


def tensors(data: str, split: str, count: int) -> tuple[Tensor, Tensor]:
    """Return (N, 3, 110, 110) bytes, cropped later, and the classes."""
    images, labels = load(data, split, count)
    return torch.from_numpy(np.stack([shrunk(i) for i in images])), torch.from_numpy(labels)


def shrunk(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image as (3, 110, 110) bytes."""
    small = Image.fromarray(image).resize((RESIZED, RESIZED), Image.Resampling.BICUBIC)
    return np.array(small).transpose(2, 0, 1)


def cropped(images: Tensor, top: int, left: int) -> Tensor:
    """Return the normalized window of 96×96 at (top, left)."""
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (images[..., top : top + SIDE, left : left + SIDE].float() / 255 - mean) / std


def train(network: nn.Module, images: Tensor, labels: Tensor, epochs: int, *, flips: bool) -> None:
    """Train ``network`` in place; prints a line an epoch."""
    steps = epochs * (len(images) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), PEAK_RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.05)
    started = time.monotonic()
    for epoch in range(epochs):
        network.train()
        correct, total = 0, 0.0
        order = torch.randperm(len(images))
        for start in range(0, len(images) - BATCH + 1, BATCH):
            batch = order[start : start + BATCH]
            x = augmented(images[batch], flips)
            logits = network(x)
            loss = loss_of(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            correct += int((logits.argmax(1) == labels[batch]).sum())
            total += loss.item()
        seconds = time.monotonic() - started
        print(
            f"epoch {epoch + 1}/{epochs} loss {total * BATCH / len(images):.3f}"
            f" top-1 {correct / len(images):.3f} {seconds:.0f} s",
            flush=True,
        )


def augmented(images: Tensor, flips: bool) -> Tensor:
    """Return a random window of each batch, with ``flips`` mirrored at random."""
    top, left = (int(v) for v in torch.randint(0, RESIZED - SIDE + 1, (2,)))
    x = cropped(images, top, left)
    for axis in (2, 3):
        if flips and torch.rand(()) < 0.5:
            x = x.flip(axis)
    return x


@torch.no_grad()
def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the share of images whose class is the largest logit."""
    margin = (RESIZED - SIDE) // 2
    logits = [network(cropped(part, margin, margin)) for part in images.split(BATCH)]
    return float((torch.cat(logits).argmax(1) == labels).float().mean())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
