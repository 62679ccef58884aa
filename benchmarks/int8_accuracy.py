"""What int8 costs networks that were really trained: the default, naive, and each switch alone.

Prints a Markdown table. Run: python benchmarks/int8_accuracy.py quick|switches|random [WORD …]
(quick takes some ten minutes, the others longer). ``quick`` is fp32, the default and naive int8 of
every trained network: top-1 on the test split of small_data, all files on the same images, made by
``export``. ``switches`` turns one thing at a time, on the two networks that learned ``shapes``;
``random`` does on GhostNetV2 1.0 at 224 pixels with seeded weights, where there is no accuracy to
be had, calibrated on 64 synthetic images. With WORDs, only the rows that have one of them. SNR is
that of all test images' logits together (a few bad images decide it) and the median of each
image's own.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from small_data import write

from ghostdeploy import zoo
from ghostdeploy.commands.artifacts import sidecar_path
from ghostdeploy.commands.eval import EvalRequest, evaluate, open_classifier
from ghostdeploy.commands.export import ExportRequest, export
from ghostdeploy.commands.export.pipeline import FloatForm
from ghostdeploy.commands.export.run import make_float_form
from ghostdeploy.commands.quantize.plan import QuantizationPlan, QuantizedModel
from ghostdeploy.commands.quantize.tflite_model import quantize_tflite
from ghostdeploy.digest import file_sha256
from ghostdeploy.images.decoding import decode_image
from ghostdeploy.images.labelled import read_labelled
from ghostdeploy.lowering.inference import load_tflite
from ghostdeploy.quantization import QuantizeOptions, int8_rewrites
from ghostdeploy.quantization.error import snr_db
from ghostdeploy.quiet import capture_output
from ghostdeploy.schema import Artifact, ExportOptions
from ghostdeploy.typed_json import to_json

MODELS = Path(__file__).parent.parent / "models"
NETWORKS = (("ghostnetv2", "shapes"), ("ghostnetv1", "shapes"), ("ghostnetv2", "digits"))
TEST_IMAGES = 2000
DEFAULT = QuantizeOptions()
NAIVE = QuantizeOptions(
    ranges="minmax", per_channel=False, equalize=False, bias_correction=False, halves="joined"
)
CAMERA = ExportOptions(embed_preprocessing=True)


@dataclass(frozen=True)
class Row:
    """One way to make int8, ``real`` or synthetic images to calibrate on."""

    name: str
    options: QuantizeOptions
    real: bool = True
    export: ExportOptions = ExportOptions()


def switched(name: str, **changes: Any) -> Row:
    """Return the default with something changed."""
    return Row(name, replace(DEFAULT, **changes))


ROWS = (
    Row("int8, the default", DEFAULT),
    switched("without equalization", equalize=False),
    switched("ranges by percentile", ranges="percentile"),
    switched("ranges by least squares", ranges="mse"),
    switched("ranges within BN's", ranges="bn"),
    switched("bias correction", bias_correction=True),
    switched("bias correction, least squares", bias_correction=True, ranges="mse"),
    switched("halves apart", halves="apart"),
    switched("halves apart, not equalized", halves="apart", equalize=False),
    switched("per tensor", per_channel=False),
    switched("per tensor, bias correction", per_channel=False, bias_correction=True),
    Row("normalizes by itself", DEFAULT, export=CAMERA),
    Row("normalizes by itself, uint8", replace(DEFAULT, input_type="uint8"), export=CAMERA),
    Row("synthetic images", DEFAULT, real=False),
    Row("naive: per tensor, min-max, synthetic", NAIVE, real=False),
)
QUICK = (ROWS[0], ROWS[-1])


def main(which: str, words: list[str]) -> None:
    """Print the table of ``which``."""
    if which == "random":
        return random_weights(words)
    print(
        "| network | form | SNR (dB) | median image's | top-1 (%) | against fp32 (points)"
        " | McNemar's p |"
    )
    print("|---|---|---|---|---|---|---|")
    rows = QUICK if which == "quick" else chosen(words)
    for arch, data in NETWORKS if which == "quick" else NETWORKS[:2]:
        with tempfile.TemporaryDirectory() as name:
            trained(arch, data, Path(name), rows, forms=which != "quick")


def chosen(words: list[str]) -> tuple[Row, ...]:
    """Return the rows that have one of ``words`` in their name, or all."""
    return tuple(r for r in ROWS if not words or any(word in r.name for word in words))


def trained(arch: str, data: str, folder: Path, rows: tuple[Row, ...], *, forms: bool) -> None:
    """Print one network's rows; with ``forms`` its float form is converted once for several."""
    write(data, folder, TEST_IMAGES)
    spec = zoo.make_spec(arch, width=0.2, resolution=(96, 96), num_classes=10)
    weights = MODELS / f"{arch}_0.2_96_{data}.safetensors"
    base = ExportRequest(spec, ("tflite",), weights=weights, out=folder / "fp32")
    made: dict[str, Artifact] = {"fp32": export(base)[0].artifact}
    for number, row in enumerate(rows):
        options = replace(row.options, calibration=folder / "calibration" if row.real else None)
        request = replace(
            base,
            precision="int8",
            out=folder / str(number),
            quantize=options,
            export=row.export,
        )
        made[row.name] = quickly(request) if forms else export(request)[0].artifact
    found = read_labelled(folder / "test")
    files = [open_classifier(Path(a.path), 0.875) for a in made.values()]
    files = [replace(file, name=name) for file, name in zip(files, made, strict=True)]
    judged = evaluate(EvalRequest(tuple(files), found, folder / "records", base="fp32"))
    pairs = {pair.name: pair for pair in judged.paired}
    logits = {name: logits_of(artifact, folder / "test") for name, artifact in made.items()}
    for accuracy in judged.accuracies:
        pair = pairs.get(accuracy.name)
        same = f"| {arch} {data} | {accuracy.name}"
        top1 = f"{100 * accuracy.top1.value:.2f}"
        if pair is None:
            print(f"{same} | — | — | {top1} | — | — |", flush=True)
            continue
        snr = " | ".join(f"{value:.1f}" for value in snrs(logits["fp32"], logits[accuracy.name]))
        change = f"{100 * pair.difference.value:+.2f}"
        print(f"{same} | {snr} | {top1} | {change} | {pair.p_value:.1g} |", flush=True)


def snrs(before: NDArray[np.float32], after: NDArray[np.float32]) -> tuple[float, float]:
    """Return the SNR of all logits (N, classes) together, and the median row's, in dB."""
    return snr_db(before, after), float(np.median([*map(snr_db, before, after)]))


def logits_of(artifact: Artifact, test: Path) -> NDArray[np.float32]:
    """Return the logits (N, classes) of the test images in order of their paths."""
    run = load_tflite(Path(artifact.path).read_bytes())
    assert artifact.spec is not None
    how = ExportRequest(artifact.spec, export=artifact.export).preprocessing
    images = (how.finish(decode_image(path, how)) for path in sorted(test.rglob("*.png")))
    return np.concatenate([next(iter(run(image[None]).values())) for image in images])


@cache
def form_of(request: ExportRequest) -> FloatForm:
    """Return the float form, BN's bounds included; the switches that follow do not change it."""
    return make_float_form(request)


def quantized(request: ExportRequest) -> tuple[QuantizedModel, FloatForm]:
    """Return what ``export`` makes of ``request``, unproven."""
    options = request.quantize
    kept = QuantizeOptions(
        options.calibration, options.size, ranges="bn", equalize=options.equalize
    )
    form = form_of(replace(request, quantize=kept, out=Path()))
    bounds = form.bounds if options.ranges == "bn" else None
    plan = QuantizationPlan(
        "int8",
        options,
        form.data,
        request.preprocessing.limits,
        int8_rewrites("int8"),
        bounds,
    )
    with capture_output():
        return quantize_tflite(form.model, plan), form


def quickly(request: ExportRequest) -> Artifact:
    """Write a file of ``request`` with a sidecar."""
    made, _ = quantized(request)
    request.out.mkdir()
    path = request.out / "model.tflite"
    path.write_bytes(made.data)
    artifact = Artifact(
        path=str(path),
        sha256=file_sha256(path),
        size_bytes=len(made.data),
        format="tflite",
        precision="int8",
        spec=request.spec,
        export=request.export,
        quantization=made.quantization,
    )
    sidecar_path(path).write_text(to_json(artifact))
    return artifact


def random_weights(words: list[str]) -> None:
    """Print the table of GhostNetV2 1.0 with seeded weights."""
    print("| form | SNR (dB) | median image's | XNNPACK partitions | MB |")
    print("|---|---|---|---|---|")
    for row in chosen(words):
        if row.real or row.options == NAIVE:
            print(f"| {row.name} | {' | '.join(random_row(row))} |", flush=True)


def random_row(row: Row) -> Iterator[str]:
    """Yield the cells of one row."""
    spec, options = zoo.make_spec("ghostnetv2"), replace(row.options, size=64)
    made, form = quantized(
        ExportRequest(spec, ("tflite",), "int8", export=row.export, quantize=options)
    )
    before, after = (
        np.concatenate([next(iter(run(x[None]).values())) for x in form.data.held_out])
        for run in (load_tflite(form.model), load_tflite(made.data))
    )
    for value in snrs(before, after):
        yield f"{value:.1f}"
    yield str(made.quantization.kernels)
    yield f"{len(made.data) / 1e6:.2f}"


if __name__ == "__main__":
    arguments = sys.argv[1:] or ["quick"]
    main(arguments[0], arguments[1:])
