"""What TAB offers, by click's classes for each shell, and by bash itself."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.shell_completion import FishComplete, ShellComplete, ZshComplete

from ghostdeploy.cli.app import cli
from ghostdeploy.cli.completion_script import _WholeWords
from tests.command_line import ROOT

SHELLS = {"bash": _WholeWords, "zsh": ZshComplete, "fish": FishComplete}


def completer(shell: str = "zsh") -> ShellComplete:
    return SHELLS[shell](cli, {}, "ghostdeploy", "_GHOSTDEPLOY_COMPLETE")


def offered(line: str) -> list[str]:
    """What is offered for the last word of ``line``; a blank at its end begins a new one."""
    *words, begun = line.split(" ")
    return [item.value for item in completer().get_completions(words, begun) if item.value]


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("ga", ["gate"]),
        ("bench ghostnetv2", ["ghostnetv2", "ghostnetv2:paper", "ghostnetv2-fast"]),
        ("bench --device f", ["fake:kirin980", "fake:prime"]),
        ("bench --device q", ["qemu:cortex-a76"]),
        ("bench --runtime ", ["litert", "onnxruntime"]),
        ("export --precision i", ["int8", "int8-float-io", "int16x8", "int8-qdq"]),
        ("export --variant ", ["official", "paper"]),
        ("export --format ", ["all", "onnx", "tflite"]),
        ("export --opt ", ["fast", "wide-tiles"]),
        ("export ", ["ghostnetv1", "ghostnetv1_sa"]),
        ("quantize --precision ", ["int8-qdq"]),
        ("quantize --ranges ", ["minmax", "bn"]),
        ("compare --models ghostnetv1,ghostnetv2-", ["ghostnetv1,ghostnetv2-fast"]),
        ("compare --precisions fp32,fp", ["fp32,fp32", "fp32,fp16"]),
        ("lint --format ", ["table", "sarif"]),
        ("gate --candidate gh", ["ghostnetv2"]),
        ("completion ", ["bash", "zsh", "fish"]),
        ("lint --color a", ["auto", "always"]),
    ],
)
def test_names_are_offered(line: str, some: list[str]) -> None:
    assert set(some) <= set(offered(line))
    assert all(value.startswith(line.split(" ")[-1]) for value in offered(line))


def test_models_and_records_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports").mkdir()
    for name in (
        "a.tflite",
        "b.onnx",
        "c.txt",
        "new\nline.onnx",
        "reports/r1.json",
        "reports/x.md",
    ):
        (tmp_path / name).write_bytes(b"")
    assert offered("lint ")[-2:] == ["a.tflite", "b.onnx"]
    assert offered("verify a") == ["a.tflite", "a"]  # the last lets the shell look for folders
    assert offered("report ") == ["reports/r1.json"]
    assert offered("report reports/r") == ["reports/r1.json", "reports/r"]
    assert offered("verify /nowhere/x") == ["/nowhere/x"]


@pytest.fixture
def adb_server(monkeypatch: pytest.MonkeyPatch):
    """A server that answers ``host:devices`` with what it is given; ``None`` is silence."""
    answers: list[bytes | None] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.delenv("ADB_SERVER_SOCKET", raising=False)
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(server.getsockname()[1]))

        def serve() -> None:
            client, _ = server.accept()
            with client:
                assert client.recv(64) == b"000chost:devices"
                if answers[0] is not None:
                    client.sendall(answers[0])
                else:
                    client.recv(1)  # until the other end gives up

        thread = threading.Thread(target=serve)
        yield answers, thread
        thread.join(10)


@pytest.mark.parametrize(
    ("listed", "serials"),
    [
        (
            b"S1\tdevice\nS2\toffline\n192.168.1.20:5555\tdevice\n",
            ["adb:S1", "adb:192.168.1.20:5555"],
        ),
        (b"", []),
        (b"\x1b[31m\tdevice\n", []),
        (b"\xff\xfe\tdevice\n", []),
    ],
)
def test_attached_phones_are_offered(adb_server, listed: bytes, serials: list[str]) -> None:
    answers, thread = adb_server
    answers.append(b"OKAY%04x%s" % (len(listed), listed))
    thread.start()
    assert [name for name in offered("bench --device adb:") if name != "adb:all"] == serials


@pytest.mark.parametrize(
    "answer", [b"FAIL0003xxx", b"OKAYzzzz", b"OK", b"OKAYffffS1\tdevice\n", None]
)
def test_a_server_that_does_not_answer_offers_nothing(adb_server, answer: bytes | None) -> None:
    answers, thread = adb_server
    answers.append(answer)
    thread.start()
    assert offered("bench --device adb:") == ["adb:all"]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_gets_its_form(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    line = "ghostdeploy bench --device fake:k"
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", "fake:k" if shell == "fish" else "3")
    text = completer(shell).complete()
    assert "kirin980" in text
    assert text.startswith("plain")
    assert "_ghostdeploy_completion" in completer(shell).source()


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
@pytest.mark.parametrize(
    ("line", "replies"),
    [
        ("ghostdeploy bench --device fake:", "kirin980 prime bare"),
        ("ghostdeploy bench ghostnetv2:", "paper"),
        ("ghostdeploy compare --precisions=fp32,int1", "fp32,int16x8"),
        ("ghostdeploy comp", "compare completion"),
    ],
)
def test_bash_puts_words_with_colons_together(tmp_path: Path, line: str, replies: str) -> None:
    program = tmp_path / "ghostdeploy"
    program.write_text(f"#!{sys.executable}\nfrom ghostdeploy.cli.app import main\nmain()\n")
    program.chmod(0o755)
    script = (
        'eval "$(ghostdeploy completion bash)"; compopt() { :; }\n'
        f'COMP_LINE="{line}"; COMP_POINT={len(line)}; _ghostdeploy_completion ghostdeploy\n'
        'echo "${COMPREPLY[*]}"'
    )
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == replies, done.stderr
