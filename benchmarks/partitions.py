"""XNNPACK partitions of the zoo, as converted and as rewritten. Prints a Markdown table.

fp32 and full int8 (calibrated on a few seeded images: only the graph counts in this table),
measured by loading each file into LiteRT. Run: python benchmarks/partitions.py [quick]
(a minute or two a row: 48 rows, 21 with quick)
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1", TF_USE_LEGACY_KERAS="1")

import numpy as np

from ghostdeploy import flatbuffer, zoo
from ghostdeploy.commands.export.network import build_network
from ghostdeploy.images.examples import example_images
from ghostdeploy.images.preprocessing import normalize
from ghostdeploy.linting.delegates.partitions import measure_partitions
from ghostdeploy.lowering import onnx2tf_worker as worker
from ghostdeploy.lowering.deploy import DeployNetwork
from ghostdeploy.lowering.rewrites import apply_rewrites
from ghostdeploy.lowering.to_onnx import to_onnx
from ghostdeploy.quiet import capture_output
from ghostdeploy.schema import ExportOptions, ModelSpec

MODELS = (("ghostnetv1", "official"), ("ghostnetv2", "official"), ("ghostnetv2", "paper"))
WIDTHS, SIDES = (0.5, 1.0, 1.3, 1.6), (224, 256, 320, 225)


def main(quick: bool) -> None:
    """Print a row a network and size."""
    print("| model | width | input | fp32 | fp32 rewritten | int8 | int8 rewritten |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        np.save(worker.PLACEHOLDER, np.zeros((20, 128, 128, 3), np.float32))
        for arch, variant in MODELS:
            for width, side in grid(quick):
                spec = zoo.make_spec(arch, variant=variant, width=width, resolution=(side, side))
                with capture_output():
                    counts = [kernels(data, Path(folder)) for data in forms(spec)]
                name = f"{arch} {variant}"
                print(f"| {name} | {width} | {side} | {' | '.join(map(str, counts))} |", flush=True)


def grid(quick: bool) -> Iterator[tuple[float, int]]:
    """Yield every width at 224 and every size at width 1; all of both unless ``quick``."""
    for width in WIDTHS:
        for side in SIDES:
            if not quick or 1.0 in (width, side / 224):
                yield width, side


def forms(spec: ModelSpec) -> Iterator[bytes]:
    """Yield fp32, fp32 rewritten, int8, int8 rewritten."""
    form = DeployNetwork(build_network(spec, None, 0), ExportOptions())
    Path("model.onnx").write_bytes(to_onnx(form, spec.resolution).model.SerializeToString())
    network = worker.keras_model("model.onnx")
    fp32 = worker.tflite_bytes(network, "fp32", [None], [network.inputs[0].name])
    for data in (fp32, int8_bytes(network, spec)):
        model = flatbuffer.load(data, spec.name)
        apply_rewrites(model)
        yield data
        yield flatbuffer.dump(model)


def int8_bytes(network: Any, spec: ModelSpec) -> bytes:
    """Return TensorFlow's own full int8 of the network."""
    import tensorflow as tf

    images = normalize(example_images(np.random.RandomState(0), 2, *spec.resolution))
    nhwc = images.transpose(0, 2, 3, 1).astype(np.float32)
    function = tf.function(lambda *inputs: worker.turned(network(inputs), [None]))
    concrete = function.get_concrete_function(tf.TensorSpec(network.inputs[0].shape, tf.float32))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in nhwc)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def kernels(data: bytes, folder: Path) -> int:
    """Return the XNNPACK partitions of a file's bytes."""
    path = folder / "model.tflite"
    path.write_bytes(data)
    found = measure_partitions(path)
    assert found is not None
    return found.kernels


if __name__ == "__main__":
    main("quick" in sys.argv[1:])
