"""Calibration data: which images, why not others, and what identifies them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.images.preprocessing import Preprocessing
from ghostdeploy.quantization import calibration

HOW = Preprocessing((8, 8), crop=1.0)


@pytest.fixture
def folder(tmp_path):
    for number in range(40):
        Image.new("RGB", (8, 8), (number, 2 * number, 3 * number)).save(tmp_path / f"{number}.png")
    return tmp_path


def numbers(inputs):
    """Which of the folder's images each is: its red."""
    red = inputs[:, 0, 0, 0] * 0.229 + 0.485
    return [int(n) for n in (255 * red).round()]


def test_the_choice_is_seeded_and_the_held_out_are_others(folder):
    first = calibration.load(folder, HOW, 16, 1)
    again = calibration.load(folder, HOW, 16, 1)
    other = calibration.load(folder, HOW, 16, 2)
    assert first.identity == again.identity
    assert first.identity.sha256 != other.identity.sha256
    assert len(first.inputs) == first.identity.size == 16
    assert not set(numbers(first.inputs)) & set(numbers(first.held_out))
    assert len(first.held_out) >= 8


def test_unusable_images_are_counted(folder):
    (folder / "zero.png").write_bytes(b"")
    (folder / "text.jpg").write_text("no image")
    Image.new("CMYK", (8, 8)).save(folder / "ink.jpg")
    found = calibration.load(folder, HOW, 100, 0)
    assert found.identity.skipped == ("1 damaged", "1 empty")
    assert len(found.inputs) + len(found.held_out) == 41


def test_too_few_images_are_an_error_that_counts_them(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "one.png")
    (tmp_path / "zero.png").write_bytes(b"")
    with pytest.raises(InputFileError, match=r"1 usable image, 1 image skipped \(1 empty\)"):
        calibration.load(tmp_path, HOW, 16, 0)


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_an_array_is_normalized_as_a_folder_is(folder, tmp_path, suffix):
    pixels = np.stack([np.array(Image.open(folder / f"{n}.png")) for n in range(40)])
    path = tmp_path / f"images.{suffix}"
    np.save(path, pixels) if suffix == "npy" else np.savez(path, images=pixels)
    found = calibration.load(path, HOW, 16, 0)
    n = numbers(found.inputs)[0]
    np.testing.assert_allclose(found.inputs[0], HOW.finish(pixels[n]))


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (np.zeros((20, 9, 8, 3), np.uint8), r"has the shape \[20, 9, 8, 3\].*\[N, 8, 8, 3\]"),
        (np.zeros((20, 3, 8, 8), np.uint8), "has the shape"),
        (np.zeros((20, 8, 8, 3), np.float32), "holds float32; give RGB of 0 to 255"),
        (np.zeros((1, 8, 8, 3), np.uint8), "1 usable image; at least 8"),
        (np.array([{}]), "is not a NumPy array of numbers"),
    ],
)
def test_an_array_that_does_not_fit_says_so(tmp_path, array, complaint):
    path = tmp_path / "images.npy"
    np.save(path, array, allow_pickle=True)
    with pytest.raises(InputFileError, match=complaint):
        calibration.load(path, HOW, 8, 0)


READ = """
import sys
from pathlib import Path
from ghostdeploy.images.preprocessing import Preprocessing
from ghostdeploy.quantization import calibration
found = calibration.load(Path(sys.argv[1]), Preprocessing((64, 64), crop=1.0), 8, 0)
assert found.inputs.shape == (8, 3, 64, 64)
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


@pytest.mark.parametrize("compressed", [True, False])
def test_only_the_chosen_images_of_an_archive_are_in_memory(tmp_path, compressed):
    path = tmp_path / "images.npz"
    save = np.savez_compressed if compressed else np.savez
    save(path, images=np.zeros((20_000, 64, 64, 3), np.uint8))  # 246 MB
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 150_000  # kB


def test_an_archive_cut_short_says_so(tmp_path):
    path = tmp_path / "images.npz"
    np.savez_compressed(path, images=np.random.default_rng(0).bytes(1), other=np.zeros(3))
    with pytest.raises(InputFileError, match="has the shape"):
        calibration.load(path, HOW, 8, 0)
    np.savez(path, a=np.zeros(3), b=np.zeros(3))
    with pytest.raises(InputFileError, match="holds a, b; name one images"):
        calibration.load(path, HOW, 8, 0)
    np.savez_compressed(path, images=np.random.default_rng(0).bytes(192 * 40))
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(InputFileError, match="is not a NumPy array"):
        calibration.load(path, HOW, 8, 0)


@pytest.mark.parametrize("shape", ["(40, 8, 8, 3)", "(19000000, 8, 8, 3)", "(-9, 8, 8, 3)"])
def test_a_header_that_promises_too_much_is_cut_short(tmp_path, shape):
    path = tmp_path / "images.npy"
    np.save(path, np.zeros((39, 8, 8, 3), np.uint8))
    data = path.read_bytes().replace(
        b"(39, 8, 8, 3), }".ljust(30), f"{shape}, }}".ljust(30).encode()
    )
    path.write_bytes(data)
    with pytest.raises(InputFileError, match=r"is cut short|tells of -9 images"):
        calibration.load(path, HOW, 30, 0)


def test_synthetic_images_are_marked(folder):
    made = calibration.make_synthetic(HOW, 16, 0)
    assert made.identity.synthetic
    assert not calibration.load(folder, HOW, 16, 0).identity.synthetic


def test_a_size_below_eight_is_refused(folder):
    with pytest.raises(UsageError, match="at least 8, not 7"):
        calibration.load(folder, HOW, 7, 0)
