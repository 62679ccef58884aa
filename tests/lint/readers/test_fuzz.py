"""Thousands of damaged files, each through the reader and every rule: a report or one line."""

from __future__ import annotations

import random
import signal
from collections import Counter
from pathlib import Path

import pytest

from ghostdeploy.errors import InputFileError
from ghostdeploy.lint import lint_graph, read_graph
from ghostdeploy.zoo import make_spec
from tests import small_models

SPEC = make_spec()
EXTREMES = (0, 1, 127, 2**31 - 1, 2**32 - 1)
HANG_S = 10


def flipped(source: random.Random, data: bytearray) -> None:
    for _ in range(source.randint(1, 16)):
        data[source.randrange(len(data))] ^= 1 << source.randrange(8)


def extreme(source: random.Random, data: bytearray) -> None:
    place = source.randrange(len(data) - 4)
    value = source.choice((*EXTREMES, source.getrandbits(32)))
    data[place : place + 4] = value.to_bytes(4, "little")


def cut(source: random.Random, data: bytearray) -> None:
    del data[source.randrange(len(data)) :]


def copied(source: random.Random, data: bytearray) -> None:
    """One part over another: offsets that point at the wrong kind of thing."""
    here, there, size = (source.randrange(n) for n in (len(data), len(data), 64))
    data[here : here + size] = data[there : there + size]


def shifted(source: random.Random, data: bytearray) -> None:
    place = source.randrange(len(data))
    data[place : place + source.randrange(8)] = source.randbytes(source.randrange(8))


DAMAGES = (flipped, extreme, cut, copied, shifted)


@pytest.fixture(autouse=True)
def bounded():
    """A file that keeps the linter busy for long is a failure, not the end of the test run."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"no answer in {HANG_S} s")

    previous = signal.signal(signal.SIGALRM, stop)
    yield
    signal.signal(signal.SIGALRM, previous)


def outcome(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    signal.alarm(HANG_S)
    try:
        graph = read_graph(path)
        lint_graph(graph, budget_mb=0.001)
        lint_graph(graph, SPEC)
        return "reported"
    except InputFileError as error:
        message = str(error)
    finally:
        signal.alarm(0)
    assert str(path) in message
    assert "\n" not in message
    return "refused"


@pytest.mark.parametrize(
    ("format", "mutants"), [("tflite", 2500), ("onnx", 600)], ids=["tflite", "onnx"]
)
def test_damaged_files(format: str, mutants: int, small_files, tmp_path: Path) -> None:
    """TFLite: as TensorFlow's converter writes it; ONNX: a gated Ghost module."""
    data = small_models.tflite() if format == "tflite" else small_files["onnx"]
    path = tmp_path / f"m.{format}"
    counts: Counter[str] = Counter()
    for seed in range(mutants):
        source, damaged = random.Random(seed), bytearray(data)
        DAMAGES[seed % len(DAMAGES)](source, damaged)
        counts[outcome(path, bytes(damaged))] += 1
    assert counts.total() == mutants
    assert min(counts["refused"], counts["reported"]) > mutants / 20


@pytest.mark.parametrize("stride", [0, -1])
def test_what_onnx_itself_dies_of(stride: int, tmp_path: Path) -> None:
    """Its shape inference divides by the stride."""
    from tests.lint.rules.hand_made import Onnx

    o = Onnx()
    model = o.model(o.conv(o.input, strides=[1, 1]))
    model.graph.node[0].attribute[0].ints[:] = [stride, stride]
    assert outcome(tmp_path / "m.onnx", model.SerializeToString()) in ("refused", "reported")
