"""What a user named to stand for a network that is not the zoo's. Light: no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ghostdeploy.errors import UsageError
from ghostdeploy.schema import InputSpec, Normalization
from ghostdeploy.schema.checks import check_seed

DEFAULT_FUNCTION = "build"
OWN, HUB = "own", "hub"


@dataclass(frozen=True)
class OwnNetwork:
    """What a user says of a network of theirs, whichever it is.

    ``inputs`` are what it takes, () where it says so itself, ``arguments`` those of the function
    that makes it, ``outputs`` names for what it gives. ``normalization`` is what it expects of a
    picture. ``keep`` says where its weights come from that no checkpoint gives: ``own``, the
    function's, or ``hub``, the publisher's. Integer inputs are drawn from ``value_range``.

    Raises UsageError for an unknown ``keep``, and for a name that is given twice.
    """

    inputs: tuple[InputSpec, ...] = ()
    arguments: tuple[tuple[str, object], ...] = ()
    outputs: tuple[str, ...] = ()
    normalization: Normalization | None = None
    keep: str = ""
    value_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.keep not in ("", OWN, HUB):
            raise UsageError(f"weights are a file, own or hub, not {self.keep!r}")
        names = [each.name for each in self.inputs if each.name]
        for words in (names, list(self.outputs)):
            if len({*words}) < len(words):
                raise UsageError(f"{max(words, key=words.count)!r} is named twice")

    @property
    def foreign(self) -> bool:
        """Whether anything in it is for a network that is not the zoo's only."""
        return bool(self.inputs or self.arguments or self.outputs or self.keep)


@dataclass(frozen=True)
class NetworkReference:
    """A network that is not the zoo's, by the string that names it.

    ``kind`` is a row of SOURCES, ``place`` a file, a module's dotted name or a model's name, and
    ``function`` what in it makes the network, "" where the place is the network itself. ``own`` is
    what was said of it. ``resolution`` (height, width) and ``num_classes`` are None where nobody
    asked for any. ``weights`` is a checkpoint; without one, and without ``own.keep``, they are of
    ``seed``, unless the network evidently brings trained ones.

    Raises UsageError for a seed that is none.
    """

    kind: str
    place: str
    function: str = ""
    own: OwnNetwork = OwnNetwork()
    resolution: tuple[int, int] | None = None
    num_classes: int | None = None
    weights: Path | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_seed("seed", self.seed)

    @property
    def needs_torch(self) -> bool:
        """Whether it is code or a program of torch's; an ONNX graph is neither."""
        return self.kind != "onnx"

    def with_weights(self, weights: Path | None, seed: int) -> NetworkReference:
        """Return the same network with the weights of a checkpoint, or of a seed."""
        return replace(self, weights=weights, seed=seed)

    @property
    def text(self) -> str:
        """What records call it: no folders, which are this machine's own."""
        if self.kind == "timm":
            return f"timm:{self.place}"
        place = self.place if self.kind == "module" else Path(self.place).name
        return f"{place}:{self.function}" if self.function else place
