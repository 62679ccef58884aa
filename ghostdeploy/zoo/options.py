"""What may differ between models of one architecture. Light: no torch."""

from __future__ import annotations

from dataclasses import dataclass

from ghostdeploy.errors import UsageError
from ghostdeploy.schema.checks import check_choice, check_range

BLOCKS = 16


class DfcForm:
    """What a DFC branch is made of, wherever it stands; the fields are those of its subclasses."""

    kernel: tuple[int, int, int]
    down: str
    up: str
    scale: str
    scale_where: str
    ratio: float

    def check_form(self) -> None:
        """Raise UsageError for a field that is out of range."""
        for field, allowed in CHOICES.items():
            check_choice(field, getattr(self, field), allowed)
        _whole_numbers("kernel", self.kernel)
        if len(self.kernel) != 3 or any(k < 1 or k % 2 == 0 for k in self.kernel):
            raise UsageError(f"kernel must be three odd numbers, not {self.kernel}")
        if type(self.ratio) not in (int, float) or not 0.1 <= self.ratio <= 1.0:
            raise UsageError(f"ratio must be between 0.1 and 1, not {self.ratio}")
        object.__setattr__(self, "ratio", float(self.ratio))  # 1 and 1.0 have one name

    def kernel_at(self, stride: int) -> int:
        """Return K for a feature map at ``stride`` of the input (2 … 32)."""
        return self.kernel[0 if stride <= 8 else 1 if stride == 16 else 2]


@dataclass(frozen=True)
class DfcOptions(DfcForm):
    """DFC attention's place and form in GhostNet; the defaults are the published checkpoints'.

    ``dfc_blocks``: blocks whose Ghost modules are gated; None means 2–15 for a block's first
        module and 1–15 for its second, as in Table 8.
    ``kernel``: K of the 1×K and K×1 convolutions at strides up to 8, at 16 and at 32.
    ``down`` / ``up``: average, max or bilinear / nearest, bilinear or bicubic (Table 10).
    ``scale``, ``scale_where``: sigmoid, hard_sigmoid or clip, before or after ``up`` (Table 9).
    ``ratio``: the attention map's side as a share of the feature's (Table A2).
    ``where``: the gated Ghost modules of a block: first, second or both (Table 8).

    Raises UsageError for a value that is not one of these.
    """

    dfc_blocks: tuple[int, ...] | None = None
    kernel: tuple[int, int, int] = (5, 5, 5)
    down: str = "average"
    up: str = "nearest"
    scale: str = "sigmoid"
    scale_where: str = "before"
    ratio: float = 0.5
    where: str = "first"

    def __post_init__(self) -> None:
        self.check_form()
        check_choice("where", self.where, ("first", "second", "both"))
        if self.dfc_blocks is not None:
            _block_numbers("dfc_blocks", self.dfc_blocks)

    def gates(self, block: int, module: str) -> bool:
        """Return whether DFC gates the ``first`` or ``second`` Ghost module of ``block``."""
        if self.where not in (module, "both"):
            return False
        if self.dfc_blocks is not None:
            return block in self.dfc_blocks
        return block >= (2 if module == "first" else 1)


@dataclass(frozen=True)
class BlockDfcOptions(DfcForm):
    """DFC attention in every block of another network: MobileNetV2's in Table 4.

    The fields are those of ``DfcOptions``, and so are the defaults.
    """

    kernel: tuple[int, int, int] = (5, 5, 5)
    down: str = "average"
    up: str = "nearest"
    scale: str = "sigmoid"
    scale_where: str = "before"
    ratio: float = 0.5

    def __post_init__(self) -> None:
        self.check_form()


@dataclass(frozen=True)
class HiddenAttentionOptions:
    """Attention to a block's hidden channels, behind its depthwise convolution (Table 4).

    ``kind``: se (squeeze-and-excitation), cbam or ca (coordinate attention).
    ``reduction``: the bottleneck has 1/``reduction`` of the hidden channels.

    Raises UsageError for a value that is not one of these.
    """

    kind: str = "se"
    reduction: int = 24

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, ("se", "cbam", "ca"))
        if type(self.reduction) is not int or not 1 <= self.reduction <= 1024:
            raise UsageError(f"reduction must be a whole number 1 to 1024, not {self.reduction!r}")


def _whole_numbers(field: str, value: object) -> None:
    if not (isinstance(value, tuple) and all(type(number) is int for number in value)):
        raise UsageError(f"{field} must be whole numbers, as in 1,2,3; not {value!r}")


def _block_numbers(field: str, value: tuple[int, ...]) -> None:
    _whole_numbers(field, value)
    if any(not 0 <= b < BLOCKS for b in value) or tuple(sorted(set(value))) != value:
        raise UsageError(f"{field} must be ascending block numbers 0 to {BLOCKS - 1}")


CHOICES: dict[str, tuple[str, ...]] = {
    "down": ("average", "max", "bilinear"),
    "up": ("nearest", "bilinear", "bicubic"),
    "scale": ("sigmoid", "hard_sigmoid", "clip"),
    "scale_where": ("before", "after"),
}


@dataclass(frozen=True)
class SelfAttentionOptions:
    """MobileViT attention after some blocks of GhostNet (Table 1's "+ Self Attention").

    The paper names the module and its 172 M only; these defaults were found by searching
    for configurations that meet the figure (5.351 M parameters, 173.17 M MACs).
    """

    after_blocks: tuple[int, ...] = (4, 10, 15)
    dims: tuple[int, ...] = (16, 32, 64)
    depths: tuple[int, ...] = (2, 4, 3)
    heads: int = 4

    def __post_init__(self) -> None:
        _block_numbers("after_blocks", self.after_blocks)
        _whole_numbers("dims", self.dims)
        _whole_numbers("depths", self.depths)
        if not len(self.after_blocks) == len(self.dims) == len(self.depths):
            raise UsageError("after_blocks, dims and depths must have the same length")
        for depth in self.depths:
            check_range("depths", depth, 1, shown=self.depths)
        if type(self.heads) is not int or self.heads < 1:
            raise UsageError(f"heads must be at least 1, not {self.heads}")
        if any(d < 1 or d % self.heads for d in self.dims):
            raise UsageError(f"dims must be multiples of the {self.heads} heads")


Options = DfcOptions | SelfAttentionOptions | BlockDfcOptions | HiddenAttentionOptions | None
