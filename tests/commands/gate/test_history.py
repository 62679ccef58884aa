"""The log of gates: appended whole, read past a torn line, drawn by ``report --history``."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ghostdeploy.commands.gate import history
from ghostdeploy.errors import InputFileError
from tests.command_line import complaint, ghostdeploy
from tests.report.gate.test_formats import GREEN, RUN


def test_what_is_appended_is_read_back(tmp_path):
    path = tmp_path / "new" / "log.jsonl"
    for run in (RUN, GREEN, RUN):
        history.append_run(path, run)
    assert history.read_history(path) == ([RUN, GREEN, RUN], 0)
    assert history.find_last_run([RUN, GREEN], "fp32", "adb:S1") is GREEN
    assert history.find_last_run([RUN], "fp32", "local") is None


def test_a_torn_line_costs_itself_only(tmp_path):
    path = tmp_path / "log.jsonl"
    history.append_run(path, RUN)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    history.append_run(path, GREEN)
    assert history.read_history(path) == ([RUN, GREEN], 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no gate yet"),
        ("{}\n", "name: is missing"),
        ("hello\n", "not JSON lines"),
        ('{"verdict": NaN}\n', "is missing"),
    ],
)
def test_a_file_that_is_no_log(tmp_path, text, says):
    path = tmp_path / "log.jsonl"
    path.write_text(text)
    with pytest.raises(InputFileError, match=says):
        history.read_history(path)
    history.append_run(path, replace(RUN, verdict="pass"))
    assert len(history.read_history(path)[0]) == 1


def test_the_report(tmp_path):
    for run in (RUN, GREEN):
        history.append_run(tmp_path / "log.jsonl", run)
    done = ghostdeploy("report", "--history", "log.jsonl", "--out", "r", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "wrote r/gate-history.html\n")
    assert "adb:S1" in (tmp_path / "r/gate-history.html").read_text()
    for words in (("report",), ("report", "x.json", "--history", "log.jsonl")):
        done = ghostdeploy(*words, cwd=tmp_path)
        assert done.returncode == 2
        assert complaint(done) == "report takes RECORDS, or --history FILE"
