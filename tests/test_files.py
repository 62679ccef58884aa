"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.files import (
    check_input,
    ensure_writable,
    open_input,
    read_input,
    read_text,
    write_atomic,
    write_together,
)


def test_write_atomic_replaces_makes_folders_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a" / "b" / ("n" * 250 + ".json")
    write_atomic(path, "one")
    write_atomic(path, b"two\xff")
    assert path.read_bytes() == b"two\xff"
    assert list(path.parent.iterdir()) == [path]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


def test_what_cannot_be_written_is_said_in_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").touch()
    for path in (tmp_path / "file" / "r.json", tmp_path / "folder", tmp_path / ("n" * 300)):
        with pytest.raises(UsageError, match="cannot write") as caught:
            write_atomic(path, "x")
        assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="cannot write"):
        ensure_writable(tmp_path / "file")
    assert {p.name for p in tmp_path.rglob("*")} == {"file", "folder", "inside"}


FULL = """
import resource, sys
from pathlib import Path
from ghostdeploy.files import ensure_writable, write_atomic
from ghostdeploy.records import read_artifact, read_record
from ghostdeploy.typed_json import MAX_FILE_BYTES, to_json
from ghostdeploy.errors import OutputError
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomic(Path(sys.argv[1]), b"n" * 5000)
except OutputError as error:
    print(error)
"""


def test_a_full_disk_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "r.json"
    path.write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"cannot write {path}: ")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_half_of_a_surrogate_pair_is_written_as_its_escape(tmp_path):
    write_atomic(tmp_path / "r.txt", "a model called \udcff")
    assert (tmp_path / "r.txt").read_text("ascii") == "a model called \\udcff"


TOGETHER = """
import resource, sys
from pathlib import Path
from ghostdeploy.errors import GhostdeployError
from ghostdeploy.files import write_together
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
folder, sizes = Path(sys.argv[1]), map(int, sys.argv[2:])
try:
    write_together({folder / f"{n}": b"n" * size for n, size in enumerate(sizes)})
except GhostdeployError as error:
    print(error)
"""


@pytest.mark.parametrize("sizes", [("5000", "10"), ("10", "5000")])
def test_of_two_files_none_is_written_where_one_finds_no_room(tmp_path, sizes):
    for n in range(2):
        (tmp_path / f"{n}").write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", TOGETHER, str(tmp_path), *sizes],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("cannot write ")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"0": "old", "1": "old"}


def test_of_two_files_none_is_written_where_one_is_a_folder(tmp_path):
    (tmp_path / "first").write_text("old")
    (tmp_path / "second").mkdir()
    with pytest.raises(UsageError, match=r"cannot write .*second: Is a directory"):
        write_together({tmp_path / "first": "new", tmp_path / "second": "new"})
    assert (tmp_path / "first").read_text() == "old"
    assert {p.name for p in tmp_path.iterdir()} == {"first", "second"}
    write_together({tmp_path / "first": "new", tmp_path / "third": b"new"})
    assert [(tmp_path / n).read_text() for n in ("first", "third")] == ["new", "new"]


def test_ensure_writable_leaves_nothing(tmp_path):
    ensure_writable(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def special_files(folder: Path) -> list[Path]:
    os.mkfifo(folder / "pipe")
    (folder / "zero").symlink_to("/dev/zero")
    (folder / "folder").mkdir()
    return [folder / name for name in ("pipe", "zero", "folder")]


@pytest.mark.parametrize("open_it", [open_input, check_input, read_input, read_text])
def test_only_a_regular_file_is_read(open_it, tmp_path) -> None:
    for path in special_files(tmp_path):
        with pytest.raises(InputFileError, match=r": is (a folder|not a regular file)$"):
            open_it(path)
    with pytest.raises(InputFileError, match="there is no such file"):
        open_it(tmp_path / "none")
    with pytest.raises(InputFileError, match=r"null (byte|character)"):
        open_it(tmp_path / "a\0b")


def test_a_file_of_others_is_read_up_to_a_limit(tmp_path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"12345")
    assert read_input(path, 5) == b"12345"
    with pytest.raises(InputFileError, match="larger than"):
        read_input(path, 4)
    with path.open("wb") as file:
        file.truncate(10**12)  # a hole
    with pytest.raises(InputFileError, match="larger than 64 MB"):
        read_input(path)


def test_a_text_is_in_utf_8(tmp_path) -> None:
    path = tmp_path / "f"
    path.write_bytes("\ufeffmüsli\n".encode())
    assert read_text(path) == "müsli\n"
    path.write_bytes(b"caf\xe9")
    with pytest.raises(InputFileError, match="is not a text file in UTF-8"):
        read_text(path)


def test_room_is_made_for_what_a_file_holds_and_not_for_what_it_might(tmp_path):
    """Sixteen terabytes are more than any machine gives."""
    path = tmp_path / "small"
    path.write_bytes(b"small")
    assert read_input(path, 16 * 10**12) == b"small"
    assert read_input(path, 5) == b"small"
    with pytest.raises(InputFileError, match="larger than"):
        read_input(path, 4)


def test_a_file_that_says_to_be_empty_is_read_to_its_end():
    """As those of /proc do."""
    assert b"MemTotal" in read_input(Path("/proc/meminfo"))
    with pytest.raises(InputFileError, match="larger than"):
        read_input(Path("/proc/meminfo"), 10)
