"""The line in front of a device, with real processes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ghostdeploy.errors import MeasurementError, UsageError
from ghostdeploy.runners.device_queue import FOLDER, hold_device
from tests.command_line import ROOT

HOLDER = """
import sys, time
from ghostdeploy.runners.device_queue import hold_device
with hold_device("adb:S1", 0):
    print("mine", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path / FOLDER


@pytest.fixture
def holder():
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "mine\n"
    yield process
    process.kill()
    process.communicate()


def test_a_device_in_use_is_named_with_its_holder(holder):
    says = f"adb:S1 is in use by process {holder.pid}, for"
    with pytest.raises(MeasurementError, match=says), hold_device("adb:S1", 0):
        pass
    with hold_device("adb:S2", 0):  # another device is free
        pass


def test_the_next_in_line_gets_it(holder):
    told = []

    def waiting(who):
        told.append(who)
        holder.stdin.write("\n")
        holder.stdin.flush()

    with hold_device("adb:S1", 60, waiting):
        assert told == [f"process {holder.pid}"]


def test_a_killed_holder_leaves_it_free(holder):
    holder.kill()
    holder.wait()
    with hold_device("adb:S1", 0):
        pass


def test_names_stay_in_the_folder(own_folder):
    with hold_device("../../etc/passwd", 0), hold_device("", 0):
        assert sorted(os.listdir(own_folder)) == ["device.lock", "etc-passwd.lock"]


def test_a_link_to_a_private_folder_is_refused_and_left_alone(own_folder, tmp_path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    own_folder.symlink_to(private)
    with pytest.raises(UsageError, match="symbolic link"), hold_device("adb:S1", 0):
        pass
    assert private.stat().st_mode & 0o7777 == 0o700
    assert list(private.iterdir()) == []


@pytest.mark.parametrize("kind", ["link", "hard link", "fifo", "folder"])
def test_a_lock_that_is_none_of_ours_is_refused_and_left_alone(own_folder, tmp_path, kind):
    own_folder.mkdir()
    lock, precious = own_folder / "adb-S1.lock", tmp_path / "precious"
    precious.write_text("all of it")
    if kind == "link":
        lock.symlink_to(precious)
    elif kind == "hard link":
        lock.hardlink_to(precious)
    elif kind == "fifo":
        os.mkfifo(lock)
    else:
        lock.mkdir()
    with pytest.raises(UsageError, match="cannot lock"), hold_device("adb:S1", 0):
        pass
    assert precious.read_text() == "all of it"


def test_no_temporary_folder_is_no_bug(monkeypatch):
    monkeypatch.setattr("tempfile._candidate_tempdir_list", lambda: ["/proc/nowhere"])
    with pytest.raises(MeasurementError, match="no usable temporary"), hold_device("adb:S1", 0):
        pass
