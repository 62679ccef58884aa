"""The logs of real benchmark_model builds, one LogCase each."""

from __future__ import annotations

import csv
import functools
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from ghostdeploy.fake_phone import write_standin

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class LogCase:
    folder: str
    name: str
    returncode: int
    command: str
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        return (self.stdout + self.stderr).decode("utf-8", "replace")


@functools.cache
def load_cases() -> dict[str, LogCase]:
    with tarfile.open(DATA / "benchmark_model_logs.tar.xz") as archive:
        files = {
            member.name: file.read()
            for member in archive.getmembers()
            if (file := archive.extractfile(member))
        }
    rows = csv.DictReader(io.StringIO(files["cases.csv"].decode()))
    cases = {}
    for row in rows:
        key = f"{row['folder']}/{row['case']}"
        streams = (files.get(f"{key}.{stream}", b"") for stream in ("stdout", "stderr"))
        rc = int(row["returncode"])
        cases[key] = LogCase(row["folder"], row["case"], rc, row["command"], *streams)
    return cases


def pytest_generate_tests(metafunc):
    if "log_case" in metafunc.fixturenames:
        cases = load_cases()
        metafunc.parametrize("log_case", cases.values(), ids=cases)


@pytest.fixture(scope="session")
def log_cases() -> dict[str, LogCase]:
    return load_cases()


@pytest.fixture(scope="session")
def tiny_model() -> Path:
    return DATA / "tiny.tflite"


@pytest.fixture(scope="session")
def standin(tmp_path_factory) -> Path:
    return write_standin(tmp_path_factory.mktemp("standin") / "benchmark_model")
