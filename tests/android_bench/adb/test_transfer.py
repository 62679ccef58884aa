"""Push and pull: verified, skipped if there, complete or not at all, nothing left behind."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from android_bench import errors
from android_bench.adb.text import DEVICE_ROOT
from android_bench.adb.transfer import _free_bytes
from ghostdeploy.fake_phone import ALWAYS, Phone, Trigger, can_isolate
from tests.android_bench.adb.test_command import SHORT_S, one_line
from tests.fake_phone.fixtures import PATIENCE_S, attach, leftovers

TARGET = f"{DEVICE_ROOT}/models/net.tflite"
MEGABYTE = 1 << 20


@pytest.fixture
def source(tmp_path) -> Path:
    path = tmp_path / "net.tflite"
    path.write_bytes(os.urandom(MEGABYTE))
    return path


def on_phone(phone: Phone, remote: str = TARGET) -> bytes:
    return phone.host_path(remote).read_bytes()


class TestPush:
    def test_arrives(self, any_phone, source):
        adb = attach(any_phone)
        assert adb.push(source, TARGET, 0o755)
        assert on_phone(any_phone) == source.read_bytes()
        # adbd alone would have made it 666
        assert stat.S_IMODE(any_phone.host_path(TARGET).stat().st_mode) == 0o755
        assert leftovers(any_phone) == []

    def test_is_skipped_if_the_content_is_there(self, any_phone, source):
        adb = attach(any_phone)
        assert adb.push(source, TARGET)
        before = any_phone.host_path(TARGET).stat()
        assert not adb.push(source, TARGET, 0o700)
        after = any_phone.host_path(TARGET).stat()
        assert (after.st_ino, stat.S_IMODE(after.st_mode)) == (before.st_ino, 0o700)

    def test_same_size_and_time_but_other_content_is_pushed(self, adb, phone, source):
        adb.push(source, TARGET)
        times = source.stat()
        source.write_bytes(os.urandom(MEGABYTE))
        os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
        assert adb.push(source, TARGET)
        assert on_phone(phone) == source.read_bytes()

    def test_an_empty_file(self, adb, phone, tmp_path):
        (tmp_path / "empty").touch()
        assert adb.push(tmp_path / "empty", TARGET)
        assert on_phone(phone) == b""

    @pytest.mark.parametrize(
        "name",
        ["a b'ä€😀", '"q"$(id)`id`', "a\nb\\c", "-dash*~", "x.tmp"],
    )
    def test_hard_names(self, adb, phone, tmp_path, name):
        local, remote = tmp_path / name, f"{DEVICE_ROOT}/hard {name}/{name}"
        local.write_bytes(b"content of " + name.encode())
        assert adb.push(local, remote)
        assert on_phone(phone, remote) == local.read_bytes()
        assert not adb.push(local, remote)
        back = tmp_path / "back" / name
        back.parent.mkdir()
        adb.pull(remote, back)
        assert back.read_bytes() == local.read_bytes()

    @pytest.mark.parametrize("remote", ["net", "/data/", "", "/data/../x", "/a//b", "/a\0"])
    def test_no_full_path(self, adb, source, remote):
        with pytest.raises(errors.OptionError):
            adb.push(source, remote)

    def test_no_local_file(self, adb, tmp_path):
        with pytest.raises(FileNotFoundError):
            adb.push(tmp_path / "nothing", TARGET)

    def test_onto_a_folder(self, adb, source):
        with pytest.raises(errors.RemoteFileError) as caught:
            adb.push(source, "/data/local/tmp")
        assert "is a folder" in one_line(caught)

    @pytest.mark.parametrize("service", ["sync", "shell"])
    def test_a_refused_service(self, adb, phone, source, service):
        phone.faults.refuse = Trigger(service, ALWAYS)
        with pytest.raises(errors.ServiceRefusedError):
            adb.push(source, TARGET)
        phone.faults.refuse = None


class TestInterruptedPush:
    @pytest.fixture
    def source(self, source) -> Path:
        source.write_bytes(os.urandom(5 * MEGABYTE))
        return source

    def test_is_done_again(self, any_phone, source):
        adb = attach(any_phone)
        any_phone.faults.drop_after_push = Trigger("net.tflite", after_bytes=3 * MEGABYTE)
        assert adb.push(source, TARGET)
        assert on_phone(any_phone) == source.read_bytes()
        assert leftovers(any_phone) == []

    def test_the_old_content_stays_meanwhile(self, adb, phone, source):
        adb.push(source, TARGET)
        old = source.read_bytes()
        source.write_bytes(os.urandom(5 * MEGABYTE))
        phone.faults.drop_after_push = Trigger("net.tflite", ALWAYS, after_bytes=MEGABYTE)
        with pytest.raises(errors.ConnectionLostError) as caught:
            adb.push(source, TARGET)
        assert "check the cable" in one_line(caught)
        assert on_phone(phone) == old
        assert leftovers(phone) == []

    def test_unplugged_for_good_then_the_next_push_cleans_up(self, phone, source):
        adb = attach(phone, patience_s=SHORT_S)
        phone.on_push("net.tflite", MEGABYTE, phone.unplug)
        with pytest.raises(errors.ConnectionLostError) as caught:
            adb.push(source, TARGET)
        assert "check the cable" in one_line(caught)
        assert not phone.host_path(TARGET).exists()
        assert leftovers(phone) != []
        phone.plug()
        adb.wait_online(PATIENCE_S)
        adb.push(source, TARGET)
        assert leftovers(phone) == []

    def test_the_adb_server_killed(self, adb, phone, source, adb_server):
        phone.on_push("net.tflite", MEGABYTE, adb_server.kill)
        assert adb.push(source, TARGET)
        assert on_phone(phone) == source.read_bytes()
        assert leftovers(phone) == []

    def test_hanging(self, adb, phone, source):
        phone.faults.hang_push = Trigger("net.tflite", after_bytes=MEGABYTE)
        with pytest.raises(errors.AdbTimeoutError) as caught:
            adb.push(source, TARGET, timeout_s=1)
        assert "did not end within 1 s" in one_line(caught)
        assert not phone.host_path(TARGET).exists()
        assert leftovers(phone) == []

    def test_damaged_once(self, adb, phone, source):
        phone.faults.corrupt_push = Trigger("net.tflite")
        assert adb.push(source, TARGET)
        assert on_phone(phone) == source.read_bytes()

    def test_damaged_always(self, adb, phone, source):
        phone.faults.corrupt_push = Trigger("net.tflite", ALWAYS)
        with pytest.raises(errors.DamagedTransferError) as caught:
            adb.push(source, TARGET)
        assert "try another cable" in one_line(caught)
        assert not phone.host_path(TARGET).exists()
        assert leftovers(phone) == []


class TestNoRoom:
    def test_is_known_beforehand(self, any_phone, source):
        adb = attach(any_phone)
        any_phone.free_bytes = MEGABYTE
        with pytest.raises(errors.NoSpaceError) as caught:
            adb.push(source, TARGET)
        assert one_line(caught) == (
            f"net.tflite needs 1.0 MB, but {any_phone.serial} has 1.0 MB free in"
            f" {DEVICE_ROOT}/models; free some space on the phone"
        )
        assert leftovers(any_phone) == []

    def test_or_found_out_on_the_way(self, adb, phone, source):
        phone.when("df -k", lambda: setattr(phone, "free_bytes", None), ALWAYS)
        phone.on_push("net.tflite", 0, lambda: setattr(phone, "free_bytes", 1000))
        with pytest.raises(errors.NoSpaceError) as caught:
            adb.push(source, TARGET)
        assert "is full; free some space" in one_line(caught)
        assert not phone.host_path(TARGET).exists()
        assert leftovers(phone) == []

    @pytest.mark.skipif(not can_isolate(), reason="needs namespaces to make /data read-only")
    def test_a_read_only_file_system(self, adb, phone, source):
        phone.set_read_only()
        with pytest.raises(errors.ReadOnlyError) as caught:
            adb.push(source, TARGET)
        assert "is read-only there" in one_line(caught)
        phone.set_read_only(False)

    def test_a_read_only_file_system_found_by_adbd(self, adb, phone, source):
        phone.faults.read_only = True
        with pytest.raises(errors.ReadOnlyError) as caught:
            adb.push(source, TARGET)
        assert "restart the phone" in one_line(caught)

    def test_a_folder_that_denies(self, adb, phone, source):
        adb.check("mkdir /data/local/tmp/denied; chmod 555 /data/local/tmp/denied")
        with pytest.raises(errors.PermissionDeniedError) as caught:
            adb.push(source, "/data/local/tmp/denied/x/net")
        assert "/data/local/tmp" in one_line(caught)

    def test_nothing_to_verify_with(self, adb, phone, source):
        for name in ("sha256sum", "sha1sum", "md5sum"):
            program = phone.host_path(f"/system/bin/{name}")
            program.unlink(missing_ok=True)
            program.write_text("#!/bin/sh\nexit 127\n")
            program.chmod(0o755)
        with pytest.raises(errors.TransferError, match="Android 6 or newer"):
            adb.push(source, TARGET)
        assert leftovers(phone) == []

    @pytest.mark.parametrize(
        ("df", "free"),
        [
            ("F 1K-blocks Used Available Use% M\n/dev/x 100 60 40 60% /data\n", 40 * 1024),
            ("F 1K-blocks Used Available Use% M\n/dev/a/long/name\n 100 60 40 60% /d\n", 40 * 1024),
            ("Filesystem  Size  Used  Free  Blksize\n/data  5.4G  1.2G  4.2G  4096\n", None),
            ("", None),
        ],
    )
    def test_formats_of_df(self, df, free):
        assert _free_bytes(df) == free


class TestPull:
    def test_comes_back(self, any_phone, source, tmp_path):
        adb = attach(any_phone)
        adb.push(source, TARGET)
        adb.pull(TARGET, tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == source.read_bytes()

    def test_interrupted(self, adb, phone, source, tmp_path):
        adb.push(source, TARGET)
        phone.faults.drop_after_output = Trigger("pull ")
        adb.pull(TARGET, tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == source.read_bytes()
        assert sorted(os.listdir(tmp_path)) == ["back", "net.tflite"]

    def test_no_room_here(self, adb, source, tmp_path):
        adb.push(source, TARGET)
        with pytest.raises(errors.TransferError) as caught:
            adb.pull(TARGET, tmp_path / "nothing" / "back")
        assert "this machine's side of the copy failed: cannot create" in one_line(caught)

    def test_interrupted_always(self, adb, phone, source, tmp_path):
        adb.push(source, TARGET)
        (tmp_path / "back").write_text("old")
        phone.faults.drop_after_output = Trigger("pull ", ALWAYS)
        with pytest.raises(errors.ConnectionLostError):
            adb.pull(TARGET, tmp_path / "back")
        assert (tmp_path / "back").read_text() == "old"
        assert sorted(os.listdir(tmp_path)) == ["back", "net.tflite"]

    @pytest.mark.parametrize(
        ("remote", "error", "words"),
        [
            ("/data/nothing", errors.RemoteFileError, "does not exist"),
            ("/data/local", errors.RemoteFileError, "is a folder"),
            ("/proc/meminfo", errors.PermissionDeniedError, "may not read /proc/meminfo"),
        ],
    )
    def test_what_cannot_be_pulled(self, make_phone, tmp_path, remote, error, words):
        adb = attach(make_phone("bare"))
        with pytest.raises(error) as caught:
            adb.pull(remote, tmp_path / "back")
        assert words in one_line(caught)
        assert os.listdir(tmp_path) == []
