"""What int8 costs networks that were really trained: the default, naive, and each switch alone.

Prints a Markdown table of top-1 on the test split of small_data, all files on the same images.
Run: python benchmarks/int8_accuracy.py [quick|switches]. ``quick`` is fp32, the default and naive
int8 of every trained network; ``switches`` turns one thing at a time on GhostNetV2.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from small_data import write

from ghostdeploy import labelled, zoo
from ghostdeploy.commands.eval import evaluate, subject
from ghostdeploy.commands.export import ExportRequest, export
from ghostdeploy.quantize import QuantizeOptions
from ghostdeploy.quiet import captured
from ghostdeploy.types import Artifact

MODELS = Path(__file__).parent.parent / "models"
NETWORKS = (("ghostnetv2", "shapes"), ("ghostnetv1", "shapes"), ("ghostnetv2", "digits"))
TEST_IMAGES = 2000


def options(folder: Path) -> dict[str, QuantizeOptions]:
    real = folder / "calibration"
    return {
        "int8, the default": QuantizeOptions(real),
        "without equalization": QuantizeOptions(real, equalize=False),
        "ranges by percentile": QuantizeOptions(real, ranges="percentile"),
        "ranges by least squares": QuantizeOptions(real, ranges="mse"),
        "per tensor": QuantizeOptions(real, per_channel=False),
        "synthetic images": QuantizeOptions(),
        "naive: per tensor, min-max, synthetic": QuantizeOptions(per_channel=False, equalize=False),
    }


QUICK = ("int8, the default", "naive: per tensor, min-max, synthetic")


def main(which: str) -> None:
    print("| network | form | SNR (dB) | top-1 (%) | against fp32 (points) | McNemar's p |")
    print("|---|---|---|---|---|---|")
    for arch, data in NETWORKS if which == "quick" else NETWORKS[:1]:
        with tempfile.TemporaryDirectory() as name:
            table(arch, data, Path(name), which)


def table(arch: str, data: str, folder: Path, which: str) -> None:
    write(data, folder, TEST_IMAGES)
    spec = zoo.make_spec(arch, width=0.2, resolution=(96, 96), num_classes=10)
    weights = MODELS / f"{arch}_0.2_96_{data}.safetensors"
    wanted = {k: v for k, v in options(folder).items() if which != "quick" or k in QUICK}
    base = ExportRequest(spec, ("tflite",), weights=weights, out=folder / "fp32")
    made: dict[str, Artifact] = {"fp32": export(base)[0].artifact}
    for number, (form, quantize) in enumerate(wanted.items()):
        request = ExportRequest(
            spec,
            ("tflite",),
            precision="int8",
            weights=weights,
            out=folder / str(number),
            quantize=quantize,
        )
        made[form] = export(request)[0].artifact
    found = labelled.read(folder / "test")
    subjects = [subject(Path(a.path), 0.875) for a in made.values()]
    subjects = [type(s)(**{**vars(s), "name": n}) for s, n in zip(subjects, made, strict=True)]
    with captured():
        judged = evaluate(subjects, found, folder / "records", base="fp32")
    pairs = {pair.name: pair for pair in judged.paired}
    for accuracy, artifact in zip(judged.accuracies, made.values(), strict=True):
        error = artifact.quantization.error if artifact.quantization else None
        pair = pairs.get(accuracy.name)
        print(
            f"| {arch} {data} | {accuracy.name} | {f'{error.snr_db:.1f}' if error else '—'}"
            f" | {100 * accuracy.top1.value:.2f}"
            f" | {f'{100 * pair.difference.value:+.2f}' if pair else '—'}"
            f" | {f'{pair.p_value:.1g}' if pair else '—'} |",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "quick")
