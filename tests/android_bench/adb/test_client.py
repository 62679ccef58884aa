"""Finding adb, running it, and what is made of its words."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from android_bench import errors
from android_bench.adb.client import AdbClient, ClientResult, find_adb
from android_bench.adb.devices import list_devices
from android_bench.adb.failures import find_command_error, find_transfer_error
from android_bench.adb.phone import Adb
from tests.fake_phone.fixtures import attach, free_port


@pytest.fixture
def no_adb(monkeypatch):
    """A machine without adb, to which a test adds one."""
    for name in ("GHOSTDEPLOY_ADB", "ANDROID_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    return monkeypatch


def make_program(folder: Path, text: str = "exit 0") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "adb"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return str(program)


class TestFinding:
    def test_the_order(self, no_adb, tmp_path):
        named, variable, home, path = (
            make_program(tmp_path / place)
            for place in ("named", "variable", "home/platform-tools", "path")
        )
        no_adb.setenv("PATH", str(tmp_path / "path"))
        assert find_adb() == path
        no_adb.setenv("ANDROID_HOME", str(tmp_path / "home"))
        assert find_adb() == home
        no_adb.setenv("GHOSTDEPLOY_ADB", variable)
        assert find_adb() == variable
        assert find_adb(named) == named

    def test_the_bundled_one_comes_last_and_without_importing_adbutils(self, monkeypatch):
        monkeypatch.delenv("GHOSTDEPLOY_ADB", raising=False)
        monkeypatch.delenv("ANDROID_HOME", raising=False)
        monkeypatch.setenv("PATH", "/nonexistent")
        assert os.path.join("adbutils", "binaries", "adb") in find_adb()
        assert "adbutils" not in sys.modules

    def test_none_at_all(self, no_adb):
        with pytest.raises(
            errors.AdbProgramError, match=r"no adb program; install .*platform-tools"
        ):
            find_adb()

    @pytest.mark.parametrize("variable", [True, False])
    def test_one_that_was_named_is_not_replaced_by_another(self, no_adb, tmp_path, variable):
        make_program(tmp_path / "path")
        no_adb.setenv("PATH", str(tmp_path / "path"))
        wrong = str(tmp_path / "nothing")
        if variable:
            no_adb.setenv("GHOSTDEPLOY_ADB", wrong)
        with pytest.raises(errors.AdbProgramError, match="which is no program"):
            find_adb(None if variable else wrong)

    def test_a_file_that_is_no_program(self, tmp_path):
        (tmp_path / "adb").write_bytes(b"\x7fELF garbage")
        (tmp_path / "adb").chmod(0o755)
        with pytest.raises(errors.AdbProgramError, match="cannot be run") as caught:
            AdbClient(str(tmp_path / "adb")).run(["devices"], 5)
        assert caught.value.command


class TestRunning:
    def test_a_hanging_adb_is_killed(self, tmp_path):
        program = make_program(tmp_path, "echo before; exec sleep 600")
        with pytest.raises(errors.AdbTimeoutError, match="did not end within 1 s") as caught:
            AdbClient(program).run(["devices"], 1)
        assert caught.value.stdout == b"before\n"
        assert caught.value.command == (program, "devices")

    def test_stdin_is_empty(self, tmp_path):
        assert AdbClient(make_program(tmp_path, "cat; echo end")).run([], 30).stdout == b"end\n"

    def test_the_serial_becomes_a_flag(self):
        assert AdbClient("adb").command(["get-state"], "X") == ("adb", "-s", "X", "get-state")

    def test_starting_the_server_is_not_part_of_a_commands_stderr(self, adb_server, phone):
        adb = attach(phone)
        adb_server.kill()
        assert adb.shell("echo error >&2").stderr == b"error\n"


class TestBounds:
    @pytest.mark.parametrize("stream", ["", ">&2"])
    def test_what_prints_without_end_is_cut_while_it_is_read(self, tmp_path, monkeypatch, stream):
        monkeypatch.setattr("android_bench.adb.client.MOST_BYTES", 100_000)
        program = make_program(tmp_path, f"exec yes {stream}")
        with pytest.raises(errors.OutputLimitError, match="printed over 100000 bytes") as caught:
            AdbClient(program).run(["shell", "yes"], 60)
        assert "\n" not in str(caught.value)
        assert 100_000 < len(caught.value.stdout + caught.value.stderr) < 300_000

    def test_what_adb_printed_comes_with_its_timeout(self, tmp_path):
        program = make_program(tmp_path, "echo begun; exec sleep 60")
        with pytest.raises(errors.AdbTimeoutError) as caught:
            AdbClient(program).run([], 1)
        assert caught.value.stdout == b"begun\n"


class TestNames:
    def test_what_to_type_is_the_path_where_adb_is_not_on_path(self, tmp_path, monkeypatch):
        program = make_program(tmp_path, "true")
        assert AdbClient(program).name == program
        assert str(Adb("X", AdbClient(program)).explain_state("offline")).endswith(
            f"or run: {program} reconnect offline"
        )
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        assert AdbClient(program).name == "adb"


class TestServers:
    def test_a_remote_server(self, adb_server, phone, monkeypatch):
        attach(phone)
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(free_port()))
        monkeypatch.setenv("ADB_SERVER_SOCKET", f"tcp:127.0.0.1:{adb_server.port}")
        assert [entry.serial for entry in list_devices()] == [phone.serial]
        assert Adb(phone.serial).check(["echo", "hello"]) == "hello\n"

    def test_a_remote_server_that_is_not_there(self, adb_server, monkeypatch):
        monkeypatch.setenv("ADB_SERVER_SOCKET", f"tcp:127.0.0.1:{free_port()}")
        with pytest.raises(
            errors.AdbServerError, match=r"cannot be reached .*ANDROID_ADB_SERVER_PORT"
        ) as caught:
            list_devices()
        assert "\n" not in str(caught.value)

    def test_killing_another_versions_server_is_told(self, adb_server, monkeypatch):
        with OldServer() as old:
            monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(old.port))
            with pytest.warns(errors.AdbServerReplacedWarning, match="ends everybody's sessions"):
                AdbClient().run(["devices"], 60)
            AdbClient().run(["kill-server"], 60)


class OldServer:
    """An adb server of version 40, as far as it takes to be killed."""

    def __enter__(self) -> OldServer:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._thread.join(30)

    def _serve(self) -> None:
        while True:
            client, _ = self._listener.accept()
            with client:
                request = client.recv(int(client.recv(4), 16))
                client.sendall(b"OKAY" + (b"00040028" if b"version" in request else b""))
                if b"kill" in request:
                    self._listener.close()
                    return


# adb's exit code, stdout, stderr (of versions 29 and 36) → what the user gets
WORDS = [
    (1, "", "adb: no devices/emulators found", errors.NoDeviceError, "plug one in"),
    (1, "", "error: no devices/emulators found", errors.NoDeviceError, "plug one in"),
    (1, "", "adb: more than one device/emulator", errors.SeveralDevicesError, "name one"),
    (1, "", "error: more than one device/emulator", errors.SeveralDevicesError, "name one"),
    (1, "", "adb: device 'X' not found", errors.UnknownSerialError, "see: ghostdeploy devices"),
    (1, "", "error: device offline", errors.OfflineError, "adb reconnect offline"),
    (1, "", "adb: device still connecting", errors.OfflineError, "wake it"),
    (
        1,
        "",
        "error: device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set\n"
        "Try 'adb kill-server' if that seems wrong.",
        errors.UnauthorizedError,
        "accept the prompt on the phone",
    ),
    (1, "", "adb: device still authorizing", errors.UnauthorizedError, "accept the prompt"),
    (
        1,
        "",
        "error: insufficient permissions for device: user in plugdev group; are your udev rules"
        " wrong?",
        errors.UsbPermissionError,
        "udev rules",
    ),
    (
        1,
        "",
        "adb: failed to check server version: cannot connect to daemon at tcp:1.2.3.4:1: failed to"
        " connect to '1.2.3.4:1': Connection refused",
        errors.AdbServerError,
        "Connection refused",
    ),
    (1, "", "error: closed", errors.ServiceRefusedError, "refused the service"),
    (0, "truncated", "", errors.ConnectionLostError, "check the cable"),
    (255, "truncated", "", errors.ConnectionLostError, "check the cable"),
]
TRANSFER_WORDS = [
    (
        "adb: error: failed to copy 'a' to '/x': remote write failed: No space left on device",
        errors.NoSpaceError,
        "free some space",
    ),
    (
        "adb: error: failed to copy 'a' to 'x': remote couldn't create file: Read-only file system",
        errors.ReadOnlyError,
        "/data/local/tmp",
    ),
    (
        "adb: error: failed to copy 'a' to '/x': remote couldn't create file: Permission denied",
        errors.PermissionDeniedError,
        "/data/local/tmp",
    ),
    (
        "adb: error: failed to stat remote object '/x': No such file or directory",
        errors.RemoteFileError,
        "no such file",
    ),
    ("adb: error: remote object '/x' does not exist", errors.RemoteFileError, "no such file"),
    ("adb: error: failed to read copy response: EOF", errors.ConnectionLostError, "the cable"),
    (
        "adb: error: failed to read copy response: Connection reset by peer",
        errors.ConnectionLostError,
        "the cable",
    ),
    ("", errors.ConnectionLostError, "the cable"),
    (
        "adb: error: cannot write 'a': No space left on device",
        errors.TransferError,
        "this machine's side",
    ),
    ("adb: error: connect failed: closed", errors.ServiceRefusedError, "refused the service"),
    ("adb: device offline", errors.OfflineError, "wake it"),
    (
        "adb: error: failed to get feature set: device 'X' not found",
        errors.UnknownSerialError,
        "ghostdeploy devices",
    ),
    ("adb: error: something new", errors.TransferError, "something new"),
]


@pytest.mark.parametrize(("returncode", "stdout", "stderr", "error", "advice"), WORDS)
def test_a_command_that_never_ended(returncode, stdout, stderr, error, advice):
    result = ClientResult(("adb", "shell"), stdout.encode(), stderr.encode(), returncode)
    found = find_command_error(result, "X")
    assert type(found) is error
    assert advice in str(found)
    assert "\n" not in str(found)
    assert found.serial == "X"
    assert (found.command, found.returncode) == (("adb", "shell"), returncode)
    assert (found.stdout, found.stderr) == (stdout.encode(), stderr.encode())


@pytest.mark.parametrize("on_stdout", [True, False], ids=["adb 29", "adb 36"])
@pytest.mark.parametrize(("words", "error", "advice"), TRANSFER_WORDS)
def test_a_failed_transfer(words, error, advice, on_stdout):
    noise = b"a: 1 file pushed, 0 skipped. 1052.6 MB/s (5242880 bytes in 0.005s)\n"
    said = noise + words.encode() + b"\n"
    streams = (said, b"") if on_stdout else (b"", said)
    found = find_transfer_error(ClientResult(("adb", "push"), *streams, 1), "X")
    assert type(found) is error
    assert advice in str(found)
    assert "\n" not in str(found)


def test_output_that_looks_like_adbs_words_is_not_mistaken_for_them(adb):
    text = "error: device offline\nadb: no devices/emulators found\nerror: closed\n"
    assert adb.shell(["printf", "%s", text]).text == text
    assert adb.shell(f"cat >&2 <<'E'\n{text}E").stderr.decode() == text


def test_no_client_outlives_its_timeout(adb, phone):
    started = time.monotonic()
    with pytest.raises(errors.AdbTimeoutError):
        adb.shell(["sleep", "600"], 1)
    assert time.monotonic() - started < 300
