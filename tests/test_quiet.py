"""What other libraries print goes to a log, from C as well, and stays only where it helps."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ghostdeploy.errors import CheckFailed, ConversionError, InputFileError, UsageError
from ghostdeploy.quiet import capture_output


@pytest.fixture(autouse=True)
def logs(tmp_path, monkeypatch):
    """The folder in which logs land."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def fail(error: BaseException) -> None:
    """Print something from below Python's streams, and fail."""
    os.write(1, b"from below\n")
    raise error


SPEAK = """
import os, subprocess, sys
from ghostdeploy.quiet import capture_output

print("before")
with capture_output() as log:
    print("from Python")
    print("errors from Python", file=sys.stderr)
    os.write(1, b"from below\\n")
    os.write(2, b"errors from below\\n")
    subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
    sys.stdout.flush()
    words = sorted(log.read_text().splitlines())
print("after", words, log.exists())
"""


def test_nothing_reaches_the_terminal_and_nothing_stays(logs):
    env = {**os.environ, "TMPDIR": str(logs)}
    done = subprocess.run(
        [sys.executable, "-c", SPEAK], env=env, capture_output=True, text=True, check=True
    )
    said = ["errors from Python", "errors from below", "from Python", "from a child", "from below"]
    assert (done.stdout, done.stderr) == (f"before\nafter {said} False\n", "")
    assert list(logs.iterdir()) == []


def test_a_failed_conversion_learns_the_logs_name(capfd, logs):
    with pytest.raises(ConversionError) as failed, capture_output():
        fail(ConversionError("no"))
    assert failed.value.log is not None
    assert failed.value.log.parent == logs
    assert "from below" in failed.value.log.read_text()
    assert capfd.readouterr() == ("", "")


def test_a_bug_learns_it_too(logs):
    with pytest.raises(ZeroDivisionError) as failed, capture_output():
        fail(ZeroDivisionError())
    (log,) = logs.iterdir()
    assert vars(failed.value)["log"] == log


@pytest.mark.parametrize(
    "error",
    [UsageError("x"), InputFileError("x"), CheckFailed("x"), KeyboardInterrupt(), SystemExit(143)],
)
def test_no_log_where_the_error_says_it_all(logs, error):
    with pytest.raises(type(error)) as failed, capture_output():
        fail(error)
    assert list(logs.iterdir()) == []
    assert getattr(failed.value, "log", None) is None


def test_no_empty_log(logs):
    with pytest.raises(ConversionError) as failed, capture_output():
        raise ConversionError("no")
    assert failed.value.log is None
    assert list(logs.iterdir()) == []


def test_an_error_keeps_the_log_that_it_has(logs):
    with pytest.raises(ConversionError) as failed, capture_output():
        fail(ConversionError("no", log=Path("its own")))
    assert failed.value.log == Path("its own")
    assert list(logs.iterdir()) == []


def test_a_log_that_someone_removed_is_no_matter():
    with capture_output() as log:
        log.unlink()


def test_the_terminal_is_back_after_a_failure(capfd):
    with pytest.raises(ConversionError), capture_output():
        raise ConversionError("no")
    os.write(1, b"here\n")
    os.write(2, b"again\n")
    assert capfd.readouterr() == ("here\n", "again\n")
