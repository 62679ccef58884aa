"""What the usual conversion gets wrong, and what it costs. Prints a Markdown table.

The same torch network (seeded weights) through the same onnx2tf, once as it comes out and once
with ghostdeploy's rewrites; both are compared with torch, tensor by tensor, and timed in one
interleaved session with TFLite's builtin kernels and with XNNPACK.
Run: python benchmarks/plain_conversion.py [width] [launches] (some minutes); 0 launches, no times.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from ghostdeploy import flatbuffer, zoo
from ghostdeploy.commands.export.network import build_network
from ghostdeploy.images.normalization import IMAGENET
from ghostdeploy.linting import lint_graph
from ghostdeploy.linting.delegates.partitions import measure_partitions
from ghostdeploy.linting.readers.tflite_graph import build_tflite_graph
from ghostdeploy.lowering import inference, parity
from ghostdeploy.lowering.deploy import DeployNetwork, reference_outputs
from ghostdeploy.lowering.metadata import Description
from ghostdeploy.lowering.rewrites import DEFAULT
from ghostdeploy.lowering.tflite import finish_tflite, start_converter
from ghostdeploy.lowering.to_onnx import to_onnx
from ghostdeploy.quiet import capture_output
from ghostdeploy.schema import ExportOptions


def main(width: float, launches: int) -> None:
    """Print what distinguishes the two files, and the ratio of their latencies."""
    with tempfile.TemporaryDirectory() as name, capture_output():
        folder = Path(name)
        rows = build(width, folder)
        kinds = (False, True) if launches else ()
        times = {xnnpack: ratio(folder, xnnpack, launches) for xnnpack in kinds}
    print(f"GhostNetV2 {width}×, 224×224, fp32, seeded weights\n")
    print("| | plain onnx2tf | ghostdeploy |\n|---|---|---|")
    for label, values in rows.items():
        print(f"| {label} | {values[0]} | {values[1]} |")
    for xnnpack, (value, lower, upper) in times.items():
        kernels = "XNNPACK" if xnnpack else "builtin kernels"
        print(f"| latency ratio, {kernels} | 1 | {value:.3f} [{lower:.3f}, {upper:.3f}] |")


def build(width: float, folder: Path) -> dict[str, list[str]]:
    """Write both files into ``folder``; return what distinguishes them, a row a property."""
    spec, export = zoo.make_spec("ghostnetv2", width=width), ExportOptions()
    network = build_network(spec, None, 0)
    images = parity.example_inputs(spec, export)
    with start_converter() as converter:
        exported = to_onnx(DeployNetwork(network, export), spec.resolution)
        converter.start(exported.model.SerializeToString(), "fp32")
        expected = [reference_outputs(network, export, image) for image in images]
        inner = exported.torch_values(images[1])
        raw = converter.finish()
    rows: dict[str, list[str]] = {}
    for label, rewrites in (("plain", ()), ("mended", DEFAULT)):
        description = Description(spec.name, "", "", ("image",), ("logits",), IMAGENET)
        data = finish_tflite(
            raw,
            values=[v for node in exported.model.graph.node for v in node.output],
            inputs=("image",),
            outputs=("logits",),
            description=description,
            facts={},
            rewrites=rewrites,
        ).data
        (folder / f"{label}.tflite").write_bytes(data)
        run = inference.load_tflite(data)
        pairs = [(e, [run(i)["logits"]]) for e, i in zip(expected, images, strict=True)]
        layers = parity.layer_errors(inner, inference.load_tflite_layers(data)(images[1]))
        judged = parity.compare("tflite", "LiteRT", "fp32", pairs, layers)
        wrong = [
            name for name, error in layers.items() if name.endswith("/resize") and error > 0.01
        ]
        report = lint_graph(build_tflite_graph(flatbuffer.load(data, label), label), spec)
        for key, value in (
            ("relative L2 of the logits", f"{judged.rel_l2:.1e}"),
            ("worst inner tensor", f"{judged.worst_layer} {judged.worst_layer_rel_l2:.1e}"),
            ("up-samplings that read other pixels", f"{len(wrong)} of 14"),
            (
                "depthwise convolutions written as CONV_2D",
                f"{sum(f.rule == 'grouped-conv' for f in report.findings)}",
            ),
            ("XNNPACK partitions", str(partitions(folder / f"{label}.tflite"))),
            ("passes the proof", "yes" if judged.passed else "no"),
        ):
            rows.setdefault(key, []).append(value)
    return rows


def partitions(path: Path) -> int:
    """Return the XNNPACK partitions of a file."""
    measured = measure_partitions(path)
    assert measured is not None
    return measured.kernels


def ratio(folder: Path, xnnpack: bool, launches: int) -> tuple[float, float, float]:
    """Return the mended file's latency as a multiple of the plain one's, with limits."""
    argv = [sys.executable, "-m", "ghostdeploy", "bench", "plain.tflite", "mended.tflite", "--json"]
    argv += ["--launches", str(launches), "--xnnpack", "on" if xnnpack else "off"]
    done = subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    found = json.loads(done.stdout)["models"][1]["ratio"]
    return found["value"], found["lower"], found["upper"]


if __name__ == "__main__":
    main(
        float(sys.argv[1]) if len(sys.argv) > 1 else 1.0,
        int(sys.argv[2]) if len(sys.argv) > 2 else 10,
    )
