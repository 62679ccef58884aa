"""Pictures as a network's input, against torch, and every kind that cannot be used."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from ghostdeploy.images.decoding import UnusableImage, decode_image, fit_image
from ghostdeploy.images.preprocessing import Preprocessing

HOW = Preprocessing((56, 56))


def picture(width: int, height: int, mode: str = "RGB") -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 120 * np.sin(x / 9 + k) * np.cos(y / 7) for k in range(3)]
    return Image.fromarray(np.stack(waves, -1).astype(np.uint8)).convert(mode)


@pytest.mark.parametrize(("width", "height"), [(200, 150), (90, 160), (64, 64), (30, 40)])
def test_resized_and_cropped_as_torch_does(width, height):
    image = picture(width, height)
    scale = 64 / min(width, height)  # 56 / 0.875
    size = round(height * scale), round(width * scale)
    x = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float()
    x = F.interpolate(x, size, mode="bicubic", antialias=True, align_corners=False)
    top, left = (size[0] - 56) // 2, (size[1] - 56) // 2
    expected = x[0, :, top : top + 56, left : left + 56].permute(1, 2, 0).clamp(0, 255).numpy()
    got = fit_image(image, HOW)
    assert got.shape == (56, 56, 3)
    assert np.abs(got - expected).max() <= 1.5  # both round, at other places


@pytest.mark.parametrize(("width", "height"), [(640, 32), (32, 640), (4000, 128)])
def test_a_strip_is_cut_before_it_is_resized_and_gives_the_same(width, height):
    image = picture(width, height)
    scale = 64 / min(width, height)
    whole = image.resize((round(width * scale), round(height * scale)), Image.Resampling.BICUBIC)
    left, top = (whole.width - 56) // 2, (whole.height - 56) // 2
    expected = np.array(whole.crop((left, top, left + 56, top + 56))).astype(int)
    assert np.abs(fit_image(image, HOW) - expected).max() <= 1


LIMITED = """
import sys
from pathlib import Path
from ghostdeploy.images.decoding import decode_image
from ghostdeploy.images.preprocessing import Preprocessing
for path in map(Path, sys.argv[1:]):
    assert decode_image(path, Preprocessing((224, 224))).shape == (224, 224, 3)
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


def test_the_memory_for_a_strip_is_bounded(tmp_path):
    files = [tmp_path / "wide.png", tmp_path / "high.png"]
    Image.new("RGB", (60_000, 1), (9, 99, 199)).save(files[0])
    Image.new("L", (3, 60_000), 77).save(files[1])
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *map(str, files)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) < 200_000  # kB; resized whole, the first alone takes 3 GB
    assert (decode_image(files[0], HOW) == (9, 99, 199)).all()


def test_an_image_of_the_very_size_is_untouched_without_a_crop():
    image = picture(60, 40)
    got = fit_image(image, Preprocessing((40, 60), crop=1.0))
    np.testing.assert_array_equal(got, np.array(image))


@pytest.mark.parametrize(("mode", "suffix"), [("L", "png"), ("CMYK", "jpg"), ("P", "png")])
def test_grey_cmyk_and_palettes_become_rgb(tmp_path, mode, suffix):
    path = tmp_path / f"image.{suffix}"
    picture(80, 80, mode).save(path)
    assert decode_image(path, HOW).shape == (56, 56, 3)


def damaged() -> bytes:
    data = io.BytesIO()
    picture(80, 80).save(data, "png")
    return data.getvalue()[:-600]


def animated() -> bytes:
    data = io.BytesIO()
    frames = [picture(20, 20), picture(20, 20).rotate(90)]
    frames[0].save(data, "gif", save_all=True, append_images=frames[1:])
    return data.getvalue()


def bomb() -> bytes:
    data = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(data, "png")
    return data.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (lambda: b"", "empty"),
        (lambda: b"this is no image", "damaged"),
        (damaged, "damaged"),
        (animated, "animated"),
        (bomb, "too large"),
    ],
)
def test_what_cannot_be_used_says_why(tmp_path, content, why):
    path = tmp_path / "image.png"
    path.write_bytes(content())
    with pytest.raises(UnusableImage, match=why):
        decode_image(path, HOW)
