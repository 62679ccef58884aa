"""Writing: the family of files, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ghostdeploy.errors import MissingExtraError, UsageError
from ghostdeploy.report.latency.formats import FORMATS, write_report
from ghostdeploy.report.latency.report import Report


def test_a_report_is_a_family_of_files(table_1: Report, tmp_path: Path) -> None:
    paths = write_report(table_1, tmp_path / "new", "table1")
    assert sorted(path.name for path in paths) == [
        "table1.accuracy.png",
        "table1.html",
        "table1.json",
        "table1.latency.png",
        "table1.launches.png",
        "table1.md",
    ]
    assert sorted((tmp_path / "new").iterdir()) == sorted(paths)
    assert all(path.stat().st_size for path in paths)


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_names_its_files_after_the_stem(table_1: Report, name: str) -> None:
    files = FORMATS[name](table_1, "stem")
    assert files
    assert all(file.startswith("stem.") and file.endswith(f".{name}") for file in files)


@pytest.mark.parametrize("stem", ["", ".hidden", "../up", "a/b", "a\\b", "c:d", "x" * 200])
def test_a_stem_is_a_plain_name(table_1: Report, tmp_path: Path, stem: str) -> None:
    with pytest.raises(UsageError, match="plain file name"):
        write_report(table_1, tmp_path, stem)


def test_an_unknown_format_lists_the_known(table_1: Report, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'pdf'; there are: json, md"):
        write_report(table_1, tmp_path, "r", formats=("pdf",))


def test_an_empty_report_is_refused() -> None:
    with pytest.raises(UsageError, match="at least one"):
        Report("nothing", ())


@pytest.mark.parametrize(("package", "name"), [("matplotlib", "png"), ("jinja2", "html")])
def test_a_missing_extra_names_its_command(
    table_1: Report, monkeypatch: pytest.MonkeyPatch, package: str, name: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'ghostdeploy\[report\]'"):
        FORMATS[name](table_1, "r")


def test_light_formats_survive_a_missing_extra(
    table_1: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError):
        write_report(table_1, tmp_path, "r")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.json", "r.md"]
