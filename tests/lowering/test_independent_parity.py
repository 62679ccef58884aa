"""Files in their runtimes against the torch network, with nothing of the export in between."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from tests.lowering.networks import (
    distance,
    litert,
    logits,
    nhwc,
    normalized,
    onnxruntime,
    seeded,
    tflite_runtime,
)

CLOSE = 1e-4
RUNS = {
    "onnxruntime": lambda found, x, folder: onnxruntime(found.data("onnx"), x)[0],
    "LiteRT": lambda found, x, folder: litert(found.data("tflite"), nhwc(x))[0],
    "LiteRT, builtin kernels": lambda found, x, folder: litert(
        found.data("tflite"), nhwc(x), builtin=True
    )[0],
    "tflite-runtime": lambda found, x, folder: tflite_runtime(
        found.path("tflite"), nhwc(x), folder
    ),
}


@pytest.fixture(scope="module")
def network(whole):
    return seeded(whole.spec)


@pytest.mark.parametrize("runtime", RUNS)
def test_logits_are_torchs(whole, network, image, tmp_path, runtime):
    first, second = (normalized(image(whole.spec)) for _ in range(2))
    expected = logits(network, first)
    # A network that gives the same for all images would prove nothing.
    assert distance(expected, logits(network, second)) > 0.05
    got = RUNS[runtime](whole, first, tmp_path)
    assert distance(expected, got) < CLOSE
    assert np.argmax(expected) == np.argmax(got)


@pytest.mark.parametrize("runtime", RUNS)
def test_embedded_preprocessing_and_softmax(optioned, image, tmp_path, runtime):
    pixels = np.round(255 * image(optioned.spec)).astype(np.uint8).astype(np.float32)
    outside = logits(seeded(optioned.spec), normalized(pixels / 255))
    expected = torch.from_numpy(outside).softmax(1).numpy()
    assert 0.1 < expected.max() < 0.999
    got = RUNS[runtime](optioned, pixels, tmp_path)
    assert distance(expected, got) < CLOSE
    assert got.sum() == pytest.approx(1, abs=1e-5)


def test_black_borders_too(optioned):
    """The stem pads with the mean colour, which black is not."""
    black = np.zeros((1, 3, 97, 97), np.float32)
    expected = torch.from_numpy(logits(seeded(optioned.spec), normalized(black))).softmax(1).numpy()
    assert distance(expected, litert(optioned.data("tflite"), nhwc(black))[0]) < CLOSE


def test_options_show_in_names_and_json(optioned):
    files = json.loads(optioned.done.stdout)
    assert [f["format"] for f in files] == ["onnx", "tflite"]
    for found in files:
        assert found["path"].endswith(f"0.5_97_c10_fp32_softmax_rgb255.{found['format']}")
        assert found["export"]["embed_preprocessing"]
        assert len(found["export"]["labels"]) == 10
        assert found["reused"] is False
    assert [o.name for o in optioned.model("onnx").graph.output] == ["probabilities"]


@pytest.mark.parametrize("format", ["onnx", "tflite"])
def test_fp16_is_half_the_size_and_near(half, optioned, image, format):
    assert 0.48 < len(half.data(format)) / len(optioned.data(format)) < 0.56
    x = normalized(image(half.spec))
    data = half.data(format)
    got = onnxruntime(data, x)[0] if format == "onnx" else litert(data, nhwc(x))[0]
    error = distance(logits(seeded(half.spec), x), got)
    assert 1e-6 < error < 1e-2  # it would be less were it not half precision


def strides(network, x) -> list[np.ndarray]:
    """The maps before each halving of the size, found by running block after block."""
    with torch.no_grad():
        x = network.act1(network.bn1(network.conv_stem(torch.from_numpy(x))))
        maps = []
        for block in (b for stage in network.blocks[:-1] for b in stage):
            y = block(x)
            if y.shape[-1] != x.shape[-1]:
                maps.append(x.numpy())
            x = y
    return [*maps[1:], x.numpy()]  # without stride 2


@pytest.mark.parametrize("export", ["features_v2", "features_v1"])
def test_feature_maps(request, image, export):
    found = request.getfixturevalue(export)
    x = normalized(image(found.spec))
    expected = strides(seeded(found.spec), x)
    height, width = found.spec.resolution
    for stride, feature in zip((4, 8, 16, 32), expected, strict=True):
        assert feature.shape[2:] == (-(-height // stride), -(-width // stride))
    data = found.data("tflite")
    for builtin in (False, True):
        for a, b in zip(expected, litert(data, nhwc(x), builtin=builtin), strict=True):
            assert distance(nhwc(a), b) < CLOSE
    names = [t.name for t in found.model("tflite").signatureDefs[0].outputs]
    assert names == [b"stride4", b"stride8", b"stride16", b"stride32"]


def test_feature_maps_in_onnx_are_nchw(features_v2, image):
    x = normalized(image(features_v2.spec))
    got = onnxruntime(features_v2.data("onnx"), x)
    for a, b in zip(strides(seeded(features_v2.spec), x), got, strict=True):
        assert distance(a, b) < CLOSE


def test_ablation(ablation, image):
    options = ablation.spec.options
    assert (options.scale, options.scale_where, options.kernel) == (
        "hard_sigmoid",
        "after",
        (7,) * 3,
    )
    x = normalized(image(ablation.spec))
    expected = logits(seeded(ablation.spec), x)
    for builtin in (False, True):
        assert (
            distance(expected, litert(ablation.data("tflite"), nhwc(x), builtin=builtin)[0]) < CLOSE
        )


def test_two_exports_into_two_folders_are_the_same_bytes(optioned, optioned_again):
    names = sorted(p.name for p in optioned.folder.iterdir())
    assert names == sorted(p.name for p in optioned_again.folder.iterdir())
    assert len(names) == 4
    for name in names:
        one, two = ((x.folder / name).read_bytes() for x in (optioned, optioned_again))
        assert one == two, name
