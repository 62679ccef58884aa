"""Damaged files give a graph or one InputFileError: no other exception, no hang."""

from __future__ import annotations

import random
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest

from ghostdeploy.errors import InputFileError
from ghostdeploy.lint import lint_graph, read_graph
from ghostdeploy.zoo import make_spec
from tests import small_models
from tests.lint.models import GRAPHS

HANG_S = 60


@contextmanager
def no_hang():
    def stop(*_: object) -> None:
        raise TimeoutError(f"no answer in {HANG_S} s")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(HANG_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def judged(path: Path, data: bytes) -> bool:
    """Whether ``data`` still is a graph; the rules must cope with it then."""
    path.write_bytes(data)
    try:
        graph = read_graph(path)
    except InputFileError as error:
        message = str(error)
    else:
        message = ""
    if message:
        assert str(path) in message
        assert "\n" not in message
        return False
    for spec in (None, make_spec(), make_spec("ghostnetv1_sa")):
        lint_graph(graph, spec)
    return True


def bit_flips(data: bytes, seed: int) -> bytes:
    """One to eight bits flipped, more often in the first part, where the structure is."""
    source, damaged = random.Random(seed), bytearray(data)
    for _ in range(source.randint(1, 8)):
        place = int(len(data) * source.random() ** 2)
        damaged[place] ^= 1 << source.randrange(8)
    return bytes(damaged)


def overwritten(data: bytes, seed: int) -> bytes:
    """A few neighbouring bytes set to extremes: offsets and lengths gone wild."""
    source, damaged = random.Random(seed), bytearray(data)
    place = source.randrange(len(data) - 4)
    value = source.choice([0, 1, 2**31 - 1, 2**32 - 1, source.getrandbits(32)])
    damaged[place : place + 4] = value.to_bytes(4, "little")
    return bytes(damaged)


@pytest.mark.parametrize("format", GRAPHS)
@pytest.mark.parametrize("damage", [bit_flips, overwritten])
def test_mutants(format: str, damage, small_files, tmp_path) -> None:
    data, path = small_files[format], tmp_path / f"m.{format}"
    assert judged(path, data)
    with no_hang():
        alive = [judged(path, damage(data, seed)) for seed in range(300)]
    assert 0 < sum(alive) < 300  # the damage is neither nothing nor everything


def test_mutants_of_a_converters_file(tmp_path) -> None:
    """With metadata, signature and buffers as TensorFlow's converter writes them."""
    data = small_models.tflite()
    with no_hang():
        alive = [judged(tmp_path / "m.tflite", bit_flips(data, seed)) for seed in range(300)]
    assert 0 < sum(alive) < 300


@pytest.mark.parametrize("format", GRAPHS)
def test_files_cut_short(format: str, small_files, tmp_path) -> None:
    data, path = small_files[format], tmp_path / f"m.{format}"
    lengths = sorted({*range(0, 64), *range(64, len(data), max(1, len(data) // 150))})
    with no_hang():
        alive = [n for n in lengths if judged(path, data[:n])]
    assert format == "onnx" or not alive or min(alive) > len(data) // 2
    assert 0 not in alive


@pytest.mark.parametrize("format", GRAPHS)
def test_what_is_no_model_at_all(format: str, tmp_path) -> None:
    source, path = random.Random(5), tmp_path / f"m.{format}"
    with no_hang():
        for content in (
            b"",
            b"\0" * 1000,
            b"TFL3",
            b"\x1c\0\0\0TFL3",
            b"\x1c\0\0\0TFL3" + source.randbytes(500),
            b"<!DOCTYPE html><html><body>Not found</body></html>",
            *(source.randbytes(source.randint(1, 3000)) for _ in range(60)),
        ):
            assert not judged(path, content), content[:20]


@pytest.mark.parametrize("format", GRAPHS)
def test_one_format_under_the_others_name(format: str, small_files, tmp_path) -> None:
    other = "onnx" if format == "tflite" else "tflite"
    assert not judged(tmp_path / f"m.{other}", small_files[format])


@pytest.mark.parametrize("format", GRAPHS)
def test_a_graph_in_a_circle(format: str, tmp_path) -> None:
    """Each operator waits for the other: no runtime takes it, and the linter must not spin."""
    graph = GRAPHS[format]()
    gate = graph.step("sigmoid", graph.step("dw 5×1", graph.step("dw 1×5", graph.input)))
    out = graph.mul(graph.step("relu", graph.input), gate)
    path = tmp_path / f"m.{format}"
    if format == "tflite":
        graph.operators[0].inputs[0] = graph.operators[2].outputs[0]
        path.write_bytes(graph.model(out))
    else:
        import onnx

        model = onnx.load_from_string(graph.model(out))
        model.graph.node[0].input[0] = model.graph.node[2].output[0]
        path.write_bytes(model.SerializeToString())
    with no_hang():
        judged(path, path.read_bytes())


def test_an_operator_with_no_outputs_used_is_coped_with(tmp_path) -> None:
    """Split gives two values of which nobody reads the second."""
    graph = GRAPHS["onnx"]()
    x = graph.node("Split", graph.input, outputs=2, axis=1, num_outputs=2)
    for kind in ("dw 1×5", "dw 5×1", "sigmoid"):
        x = graph.step(kind, x)
    assert judged(tmp_path / "m.onnx", graph.model(graph.mul(graph.step("relu", graph.input), x)))
