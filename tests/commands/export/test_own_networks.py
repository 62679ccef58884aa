"""A network of a user's through the same door: export, lint, verify, bench, by the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from ghostdeploy.commands.export import ExportRequest
from ghostdeploy.commands.export.run import open_network
from ghostdeploy.litert import open_interpreter
from ghostdeploy.sources import find_source
from ghostdeploy.sources.python_file import import_file
from tests.command_line import complaint, ghostdeploy
from tests.sources.networks import NET, TWO_ENDS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "two.py").write_text("print('hello')\n" + TWO_ENDS, encoding="utf-8")
    (folder / "net.py").write_text(NET, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def two_ends(folder):
    done = ghostdeploy("export", "two.py", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    onnx, tflite = json.loads(done.stdout)  # what the user's code prints is not in it
    return folder, onnx, tflite


def test_every_format_is_proven(two_ends):
    _, onnx, tflite = two_ends
    for made in (onnx, tflite):
        (proof,) = made["parity"]
        assert proof["passed"]
        assert proof["layers"] >= 4
        assert made["spec"]["source"] == "two.py:build"
        assert made["path"].startswith(f"models/two_{made['spec']['identity'][:8]}_fp32.")
        assert made["spec"]["normalization"] is None


def test_the_file_is_spoken_to_by_names_and_maps_are_nhwc(two_ends):
    folder, _, tflite = two_ends
    data = (folder / tflite["path"]).read_bytes()
    runner = open_interpreter(data, threads=1).get_signature_runner()
    assert {n: tuple(d["shape"]) for n, d in runner.get_input_details().items()} == {
        "x": (1, 32, 32, 3),
        "ids": (1, 4),
        "scale": (1, 5),
    }
    image = np.random.RandomState(0).rand(1, 32, 32, 3).astype(np.float32)
    words = np.array([[1, 2, 3, 9]], np.int64)
    found = [
        runner(x=image, ids=words, scale=np.full((1, 5), factor, np.float32)) for factor in (1, 3)
    ]
    assert found[0]["maps_0"].shape == (1, 16, 16, 8)
    assert found[0]["deep"].shape == (1, 8, 8, 8)
    np.testing.assert_allclose(3 * found[0]["logits"], found[1]["logits"], rtol=1e-5)
    np.testing.assert_array_equal(found[0]["deep"], found[1]["deep"])


def test_lint_names_the_authors_line(two_ends):
    folder, onnx, tflite = two_ends
    line = 1 + (folder / "two.py").read_text().splitlines().index(
        '        logits = self.head(deep.mean((2, 3)) + self.words(ids).mean(1))'
    )  # fmt: skip
    for made in (onnx, tflite):
        done = ghostdeploy("lint", made["path"], "--format", "json", cwd=folder)
        findings = json.loads(done.stdout)["files"][0]["findings"]
        assert f"two.py:{line}" in {finding["source"] for finding in findings}


def test_it_is_verified_against_the_network_that_it_was_made_from(two_ends):
    folder, _, tflite = two_ends
    done = ghostdeploy("verify", tflite["path"], "--model", "two.py", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "the torch network's function" in done.stdout
    alone = ghostdeploy("verify", tflite["path"], cwd=folder)
    assert alone.returncode == 2
    assert "made from two.py:build: say where that is" in complaint(alone)
    other = ghostdeploy("verify", tflite["path"], "--model", "two.py", "--seed", "1", cwd=folder)
    assert other.returncode == 2
    assert "its graph or weights differ" in complaint(other)


def test_the_same_network_is_there_already_and_bench_takes_it(two_ends):
    folder, _, _ = two_ends
    done = ghostdeploy(
        "bench", "two.py", "--launches", "1", "--runs", "2", "--warmup", "0", "--json",
        "--max-disturbance", "1", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (model,) = json.loads(done.stdout)["models"]
    assert model["title"] == "two"
    assert "building" not in done.stderr


def test_the_requests_weights_are_the_networks(folder):
    trained = torch.export.export(call(folder, "Net"), (torch.zeros(1, 3, 16, 16),)).state_dict
    torch.save(trained, folder / "w.pth")
    reference = find_source(str(folder / "net.py"))
    found = [
        open_network(ExportRequest(reference, weights=weights, seed=seed))[1].loaded
        for weights, seed in ((folder / "w.pth", 0), (None, 0), (None, 1))
    ]
    assert len({each.spec.identity for each in found}) == 3
    loaded = found[0].program.state_dict
    assert all(torch.equal(loaded[name], value) for name, value in trained.items())


def call(folder, name):
    return getattr(import_file(folder / "net.py"), name)().eval()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("net.py --precision int8", "does not say which values of pixels it takes"),
        ("net.py --embed-preprocessing", "tell it with --mean and --std"),
        ("two.py --softmax", "not one output of classes"),
        ("net.py --features", "--features is for networks of the zoo"),
        ("net.py --width 0.5", "--width is for models of the zoo"),
        ("net.py --weights hub", "weights of the hub are for timm:NAME"),
        ("ghostnetv2 --arg width=2", "which is the zoo's"),
        ("net.py:bild", "did you mean build?"),
        ("none.py", "there is no such file"),
        ("net.py --arg width", "write an argument as NAME=VALUE"),
        ("net.py --input 1x3", "running net.py:build failed"),
        ("model.tflite", "a network is wanted here, not the file model.tflite"),
    ],
)
def test_what_makes_no_sense_is_one_line(folder, words, said):
    done = ghostdeploy("export", *words.split(), cwd=folder)
    assert done.returncode == 2
    assert said in complaint(done)
    assert not list((folder / "models").glob("net_*"))
