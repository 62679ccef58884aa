"""What a network takes, as its user, its file or its publisher says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ghostdeploy.errors import UsageError
from ghostdeploy.schema import InputSpec
from ghostdeploy.sources.reference import NetworkReference

DEFAULT_SIDES = (224, 224)


def declared_inputs(reference: NetworkReference, example: object = None) -> tuple[InputSpec, ...]:
    """Return the inputs that --input says, else those of an example, else one RGB image."""
    if reference.own.inputs:
        _refuse_resolution(reference, "--input says how large it is")
        return reference.own.inputs
    if example is not None:
        found = tuple(_read_examples(example))
        if not (reference.resolution and len(found) == 1 and found[0].is_image):
            return found
        return (replace(found[0], shape=(1, 3, *reference.resolution)),)
    return (InputSpec((1, 3, *(reference.resolution or DEFAULT_SIDES))),)


def _refuse_resolution(reference: NetworkReference, why: str) -> None:
    if reference.resolution:
        raise UsageError(f"leave out --resolution: {why}")


def _read_examples(example: object) -> list[InputSpec]:
    """Read example inputs: tensors, or shapes, by themselves, in a tuple or by name."""
    if isinstance(example, Mapping):
        return [replace(_read_one(v), name=str(k)) for k, v in example.items()]
    if isinstance(example, (tuple, list)) and not all(isinstance(side, int) for side in example):
        return [_read_one(value) for value in example]
    return [_read_one(example)]


def _read_one(value: Any) -> InputSpec:
    if isinstance(value, InputSpec):
        return value
    if isinstance(value, str):
        return InputSpec.parse(value)
    if isinstance(value, (tuple, list)) and all(isinstance(side, int) for side in value):
        return InputSpec(tuple(value))
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        name = str(value.dtype).removeprefix("torch.")
        floating = name in ("float16", "bfloat16", "float64")
        return InputSpec(tuple(map(int, value.shape)), "float32" if floating else name)
    raise UsageError(f"example inputs are tensors or shapes, not a {type(value).__name__}")


def settle_inputs(
    given: Sequence[InputSpec], parameters: Mapping[str, bool], reference: NetworkReference
) -> tuple[InputSpec, ...]:
    """Return the inputs in the order of what forward takes, each by its name.

    ``parameters`` says of each name whether it must be given. Raises UsageError for an input that
    forward does not take, one that is lacking, and a batch of more than one.
    """
    names = list(parameters)
    named = {each.name: each for each in given if each.name in parameters}
    # One that goes by another name, as in --input …:image, takes the next free place.
    free = iter([name for name in names if name not in named])
    placed: dict[str, InputSpec] = dict(named)
    for each in given:
        if each.name not in named:
            place = next(free, None)
            if place is None:
                taken = f"{reference.text} takes {', '.join(names) or 'nothing'}"
                raise UsageError(f"{taken}: {len(given)} inputs are too many")
            placed[place] = each if each.name else replace(each, name=place)
    for name, needed in parameters.items():
        if needed and name not in placed:
            raise UsageError(
                f"{reference.text} takes {', '.join(names)}: say what {name} is with"
                f" --input SHAPE:TYPE:{name}"
            )
    ordered = tuple(placed[name] for name in names if name in placed)
    for each in ordered:
        check_batch(each.name, each.shape, reference.text)
    return ordered


@dataclass(frozen=True)
class OpenInput:
    """An input as a file has it: a side that it leaves open is None."""

    name: str
    sides: tuple[int | None, ...]
    dtype: str

    @property
    def text(self) -> str:
        """Its sides as they are typed, ``1x3x?x?``."""
        return "x".join("?" if side is None else str(side) for side in self.sides)

    def fits(self, shape: Sequence[int]) -> bool:
        """Tell whether it can be of that shape."""
        return len(shape) == len(self.sides) and all(
            want in (None, have) for have, want in zip(shape, self.sides, strict=True)
        )


def bind_inputs(
    found: Sequence[OpenInput], reference: NetworkReference, source: str
) -> tuple[InputSpec, ...]:
    """Return a file's inputs with every side known: its own, and --input's where it leaves it open.

    ``source`` is what messages call the file. Raises UsageError for a side that nobody says, a
    shape or a name that no input takes, and a batch of more than one.
    """
    asked = reference.own.inputs
    given = {each.name: each for each in asked if each.name}
    if unknown := given.keys() - {each.name for each in found}:
        names = ", ".join(each.name[:80] for each in found)
        raise UsageError(f"{source} has no input {min(unknown)!r}; it takes {names}")
    free = [each for each in asked if not each.name]
    bound = []
    for each in found:
        want = given.get(each.name)
        if want is None and None in each.sides and free:
            want = free.pop(0)
        if want is None and reference.resolution and len(each.sides) == 4 and len(found) == 1:
            want = InputSpec((1, each.sides[1] or 3, *reference.resolution))
        bound.append(_bind(each, want, source))
    for extra in free:
        if all(extra.shape != each.shape for each in bound):
            takes = ", ".join(f"{each.name[:80]} {each.text}" for each in found)
            raise UsageError(f"{source}: no input is {extra.sides}; it takes {takes}")
    return tuple(bound)


def _bind(found: OpenInput, want: InputSpec | None, source: str) -> InputSpec:
    what = f"{source}: its input {found.name[:80]} is"
    if want is not None and not found.fits(want.shape):
        raise UsageError(f"{what} fixed to {found.text}")
    shape = tuple(side for side in (want.shape if want else found.sides) if side is not None)
    if len(shape) < len(found.sides):
        sides = (str(side or (224 if n else 1)) for n, side in enumerate(found.sides))
        raise UsageError(f"{what} {found.text}: say how large, e.g. --input {'x'.join(sides)}")
    check_batch(found.name[:80], shape, source)
    return InputSpec(shape, found.dtype, found.name)


def check_batch(name: str, shape: Sequence[int], source: str) -> None:
    """Raise UsageError for an input whose first of several sides, the batch, is not 1."""
    if len(shape) > 1 and shape[0] != 1:
        raise UsageError(f"{source}: {name} has a batch of {shape[0]}; a phone takes one")
