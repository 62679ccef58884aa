"""Inputs that a network is judged on: noise, pictures where it takes one, integers in a range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ghostdeploy.images.examples import example_images
from ghostdeploy.images.preprocessing import normalize
from ghostdeploy.random_inputs import INTEGER_RANGES, draw_values
from ghostdeploy.schema import InputSpec, Normalization
from ghostdeploy.sources.loaded import Array, Feed
from ghostdeploy.sources.reference import NetworkReference

COUNT = 8
SEED = 20220


def draw_feeds(
    inputs: Sequence[InputSpec],
    normalization: Normalization | None,
    reference: NetworkReference,
    example: object = None,
) -> tuple[Feed, ...]:
    """Draw COUNT feeds, the same ones each time.

    Images are noise and pictures by turns, normalized where it is known how, of mean 0 and
    deviation 1 where it is not. Integers are those of ``example`` where it has some, else uniform
    in the reference's range, else 0 and 1, which every table of words or classes has.
    """
    generator = np.random.default_rng(SEED)
    images = _draw_images(inputs, normalization)
    own = _integers_of(example, inputs)
    return tuple(
        {
            each.name: images[each.name][number]
            if each.name in images
            else own.get(each.name, _draw(generator, each, reference))
            for each in inputs
        }
        for number in range(COUNT)
    )


def _draw_images(
    inputs: Sequence[InputSpec], normalization: Normalization | None
) -> dict[str, list[Array]]:
    found = {}
    for number, each in enumerate(inputs):
        if not each.is_image:
            continue
        random = np.random.RandomState(SEED + number)
        images = example_images(random, COUNT, *each.shape[2:])
        finished = normalize(images, normalization) if normalization else _standardize(images)
        found[each.name] = [image[None].astype(np.float32) for image in finished]
    return found


def _standardize(images: Array) -> Array:
    over = (1, 2, 3)
    return np.asarray((images - images.mean(over, keepdims=True)) / images.std(over, keepdims=True))


def _draw(generator: np.random.Generator, each: InputSpec, reference: NetworkReference) -> Array:
    if each.dtype.startswith("float"):
        return np.asarray(generator.standard_normal(each.shape), dtype=each.dtype)
    drawn = draw_values(
        generator,
        each.dtype,
        each.shape,
        given=reference.own.value_range,
        integers=INTEGER_RANGES[1],
    )
    return np.asarray(drawn)


def _integers_of(example: Any, inputs: Sequence[InputSpec]) -> dict[str, Array]:
    """Return the integer tensors among a user's example inputs, by input."""
    if isinstance(example, Mapping):
        values: list[Any] = [example.get(each.name) for each in inputs]
    elif isinstance(example, (tuple, list)):
        values = list(example)
    else:
        values = [example]
    found = {}
    for each, value in zip(inputs, values, strict=False):
        if not each.dtype.startswith("float") and hasattr(value, "numpy"):
            array = value.detach().cpu().numpy()
            if array.shape == each.shape:
                found[each.name] = array.astype(each.dtype)
    return found
