"""What is known of a network that is not the zoo's."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ghostdeploy.errors import UsageError
from ghostdeploy.schema.normalization import Normalization

DTYPES = ("float32", "float64", "int64", "int32", "int8", "uint8", "bool")
MAX_DIMENSIONS, MAX_ELEMENTS = 8, 2**28
RGB = 3
SLUG_LENGTH = 60
KEY_DIGITS = 8


@dataclass(frozen=True)
class InputSpec:
    """One input of a network: its ``shape`` as torch and ONNX have it, an image being NCHW.

    ``dtype`` is a row of DTYPES. ``name`` is "" where the network's own holds. Raises UsageError
    for another type, and for sides that are no tensor's.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    name: str = ""

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise UsageError(f"an input's type is one of {', '.join(DTYPES)}, not {self.dtype!r}")
        count = 1
        for side in self.shape:
            count *= max(side, 0)
        if len(self.shape) > MAX_DIMENSIONS or not 0 < count <= MAX_ELEMENTS:
            raise UsageError(f"{self.sides or 'a shape without sides'} is not an input's shape")

    @property
    def sides(self) -> str:
        """The shape as it is typed, ``1x3x224x224``."""
        return "x".join(map(str, self.shape))

    @property
    def is_image(self) -> bool:
        """Whether it takes one RGB image."""
        return self.dtype == "float32" and len(self.shape) == 4 and self.shape[:2] == (1, RGB)

    @classmethod
    def parse(cls, text: str) -> InputSpec:
        """Parse ``1x3x224x224[:TYPE][:NAME]``. Raises UsageError for anything else."""
        sides, *more = text.split(":", 2)
        if not re.fullmatch(r"[0-9]{1,9}(x[0-9]{1,9})*", sides):
            raise UsageError(f"write an input as 1x3x224x224[:TYPE][:NAME], not {text[:80]!r}")
        dtype = more.pop(0) if more and (len(more) == 2 or more[0] in DTYPES) else "float32"
        shape = tuple(map(int, sides.split("x")))
        return cls(shape, dtype or "float32", more[0] if more else "")


@dataclass(frozen=True)
class ForeignSpec:
    """A network that is not the zoo's, as it was named and as it was found.

    ``source`` is what the user named, without folders: ``net.py:build``, ``timm:NAME``,
    ``program.pt2``, ``model.onnx``. ``outputs`` are the outputs' names, ``output_shapes`` theirs as
    torch and ONNX have them. ``identity`` is the SHA-256 of its graph and weights. What it expects
    of a picture is ``normalization``, None where nothing says so: it is never guessed. ``notes``
    are what was done to it and what is worth knowing, a sentence each.
    """

    source: str
    inputs: tuple[InputSpec, ...]
    outputs: tuple[str, ...]
    output_shapes: tuple[tuple[int, ...], ...]
    identity: str
    normalization: Normalization | None = None
    license: str = ""
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What tables call it: a function's or a file's name, without where it comes from."""
        kind, _, rest = self.source.partition(":")
        stem = kind.rpartition(".")[0] or kind
        return rest if kind == "timm" or rest not in ("", "build") else stem

    @property
    def stem(self) -> str:
        """Its title and size, safe in file names: it stays the same while the network is edited."""
        safe = re.sub(r"[^A-Za-z0-9_.-]+", "-", self.title)[:SLUG_LENGTH].strip("-.") or "network"
        return f"{safe}_{self._sides}" if self._sides else safe

    @property
    def name(self) -> str:
        """Return an identity that is safe in file names: another network has another one."""
        return f"{self.stem}_{self.identity[:KEY_DIGITS]}"

    @property
    def _sides(self) -> str:
        if not self.takes_image:
            return ""
        height, width = self.inputs[0].shape[2:]
        return str(height) if height == width else f"{height}x{width}"

    @property
    def takes_image(self) -> bool:
        """Whether its one input is one RGB image."""
        return len(self.inputs) == 1 and self.inputs[0].is_image

    @property
    def resolution(self) -> tuple[int, int]:
        """The image's (height, width) in pixels. Raises UsageError where it takes none."""
        if not self.takes_image:
            taken = ", ".join(f"{each.name} {each.sides}" for each in self.inputs)
            raise UsageError(f"{self.source} takes {taken}, not one RGB image")
        height, width = self.inputs[0].shape[2:]
        return height, width

    @property
    def num_classes(self) -> int | None:
        """The number of classes of a network with one output (1, classes), None of others."""
        if len(self.output_shapes) != 1 or len(self.output_shapes[0]) != 2:
            return None
        return self.output_shapes[0][1]

    def required_normalization(self, purpose: str) -> Normalization:
        """Return what the network expects of a picture.

        ``purpose`` is what it is needed for, in words. Raises UsageError where nothing says so.
        """
        if self.normalization is None:
            raise UsageError(
                f"{self.source} does not say which values of pixels it takes, which {purpose}"
                " needs; tell it with --mean and --std, or with --range"
            )
        return self.normalization

    def with_notes(self, *notes: str) -> ForeignSpec:
        """Return the same with more notes."""
        return replace(self, notes=(*self.notes, *notes))
