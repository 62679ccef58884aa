"""The image files of a folder, or why there are none."""

from __future__ import annotations

import pytest

from ghostdeploy.errors import InputFileError
from ghostdeploy.images.folders import find_images


def test_a_folder_without_images_is_an_error(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(InputFileError, match="has no images"):
        find_images(tmp_path)
    with pytest.raises(InputFileError, match="does not exist"):
        find_images(tmp_path / "nowhere")
