"""Images in a .npy or .npz file: only those that are asked for are read into memory."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ghostdeploy.errors import GhostdeployError, InputFileError
from ghostdeploy.files import open_input

ARRAY_NAME = "images"
MOST_IMAGES = 20_000_000  # beyond it a header is a mistake
READ_BYTES = 1 << 20


@dataclass(frozen=True)
class StoredImages:
    """``count`` images (H, W, 3) of bytes, one behind another in ``stream`` from here on."""

    path: Path
    count: int
    shape: tuple[int, int, int]
    stream: IO[bytes]

    def read(self, numbers: Sequence[int] | NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the images of those numbers, in their order. Raises InputFileError at an end."""
        found = np.empty((len(numbers), *self.shape), np.uint8)
        size, at = int(np.prod(self.shape)), 0
        for place in np.argsort(numbers, kind="stable"):
            self._skip((int(numbers[place]) - at) * size)
            found[place] = np.frombuffer(self._take(size), np.uint8).reshape(self.shape)
            at = int(numbers[place]) + 1
        return found

    def _skip(self, size: int) -> None:
        if self.stream.seekable() and not isinstance(self.stream, zipfile.ZipExtFile):
            self.stream.seek(size, 1)
            return
        while size > 0:  # a compressed stream is read through, a piece at a time
            size -= len(self._take(min(size, READ_BYTES)))

    def _take(self, size: int) -> bytes:
        data = self.stream.read(size)
        if len(data) < size:
            raise InputFileError(f"{self.path} is cut short")
        return data


@contextmanager
def open_images(path: Path, resolution: tuple[int, int]) -> Iterator[StoredImages]:
    """Open an array (N, H, W, 3) of bytes: RGB at ``resolution`` (height, width).

    In a .npz it is called ``images``, or is alone. Raises InputFileError for another shape or type,
    and for what is no such file.
    """
    try:
        with open_input(path) as file:
            if path.suffix != ".npz":
                yield _images(path, file, resolution)
                return
            with zipfile.ZipFile(file) as archive, archive.open(_member(path, archive)) as member:
                yield _images(path, member, resolution)
    except GhostdeployError:
        raise
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror or 'not a NumPy array'}") from error
    except Exception as error:  # damaged archives surface as many kinds
        raise InputFileError(f"{path} is not a NumPy array of numbers") from error


def _member(path: Path, archive: zipfile.ZipFile) -> str:
    names = [name.removesuffix(".npy") for name in archive.namelist()]
    if ARRAY_NAME not in names and len(names) != 1:
        raise InputFileError(f"{path} holds {', '.join(names)[:80]}; name one {ARRAY_NAME}")
    return archive.namelist()[names.index(ARRAY_NAME) if ARRAY_NAME in names else 0]


def _images(path: Path, stream: IO[bytes], resolution: tuple[int, int]) -> StoredImages:
    shape, fortran_order, dtype = _read_header(stream)
    if dtype.hasobject:
        raise ValueError("objects, not numbers")
    height, width = resolution
    if len(shape) != 4 or shape[1:] != (height, width, 3):
        raise InputFileError(
            f"{path} has the shape {list(shape)}; the model takes images of"
            f" [N, {height}, {width}, 3] (a folder of image files is resized)"
        )
    if dtype != np.uint8:
        raise InputFileError(
            f"{path} holds {dtype}; give RGB of 0 to 255 as uint8, which is then"
            " normalized as the model expects"
        )
    if fortran_order:
        raise InputFileError(f"{path} is in Fortran's order; save numpy.ascontiguousarray of it")
    if not 0 <= shape[0] <= MOST_IMAGES:
        raise InputFileError(f"{path} tells of {shape[0]} images")
    return StoredImages(path, shape[0], (height, width, 3), stream)


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    untyped: Any = npy
    version = untyped.read_magic(stream)
    read = untyped.read_array_header_1_0 if version == (1, 0) else untyped.read_array_header_2_0
    shape, fortran_order, dtype = read(stream)
    return tuple(shape), bool(fortran_order), dtype
