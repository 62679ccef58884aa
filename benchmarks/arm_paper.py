"""Instructions on an emulated Cortex-A76 beside every latency that the paper prints for our zoo.

Each network as converted, with only what mends the conversion, so that it is what the paper may
have run; by TFLite's builtin kernels and by XNNPACK. Prints a Markdown table of the ratios to
GhostNet 1.0×, and the correlation of their logarithms.
Run: python benchmarks/arm_paper.py (after ghostdeploy doctor --setup-qemu; about half an hour)
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from math import log
from pathlib import Path
from statistics import correlation

from ghostdeploy import paper_data, zoo
from ghostdeploy.commands.export import ExportRequest, export
from ghostdeploy.export.rewrites import OPTIONAL
from ghostdeploy.runners import open_runner
from ghostdeploy.schema import BenchParams, ExportOptions, ModelSpec

KEPT = ("depthwise",)  # without it the builtin kernels run five convolutions the slow way


@dataclass(frozen=True)
class Row:
    """A network of ours, and where the paper prints its latency (on its P30, in ms)."""

    title: str
    spec: ModelSpec
    latency_ms: float


def rows() -> list[Row]:
    """Return the networks; the first is the ratios' base."""
    found = [
        Row("GhostNet 1.0×", zoo.make_spec("ghostnetv1"), table("1", "GhostNet", "1.0x")),
        Row("+ self-attention", zoo.make_spec("ghostnetv1_sa"),
            table("1", "GhostNet", "+ Self Attention [23] (MobileViT)")),
    ]  # fmt: skip
    for point in paper_data.figure_points("2"):
        arch = {"GhostNetV1": "ghostnetv1", "GhostNetV2": "ghostnetv2"}.get(point.series)
        if arch:
            spec = zoo.make_spec(arch, width=float(point.likely_variant.rstrip("x")))
            found.append(Row(f"{point.series} {point.likely_variant}", spec, point.x))
    for where, short in (("before", "BF"), ("after", "AF")):
        for scale, name in (
            ("sigmoid", "Sigmoid"),
            ("hard_sigmoid", "Hard sigmoid"),
            ("clip", "Clip"),
        ):
            latency = table("9", "GhostNetV2", f"1.0x {name} ({short})")
            found.append(variant(f"{name} {where}", latency, scale=scale, scale_where=where))
    for down, up, name in (
        ("average", "bilinear", "Average Pooling (D)"),
        ("max", "bilinear", "Max Pooling (D)"),
        ("bilinear", "bilinear", "Bilinear (D)"),
    ):
        found.append(variant(name, table("10", "GhostNetV2", f"1.0x {name}"), down=down, up=up))
    return found


def table(name: str, model: str, variant: str) -> float:
    """Return the latency in ms that a row of the paper's table prints."""
    latency = paper_data.find_row(name, model, variant).latency_ms
    assert latency is not None
    return latency


def variant(title: str, latency: float, **changes: object) -> Row:
    """Return a variant of GhostNetV2 as the paper's text describes it."""
    spec = zoo.make_spec("ghostnetv2", variant="paper", changes=changes)
    return Row(f"V2, {title}", spec, latency)


def counts(row: Row, folder: Path) -> tuple[int, int]:
    """Return the instructions of one inference: the builtin kernels', XNNPACK's."""
    without = tuple(name for name in OPTIONAL if name not in KEPT)
    options = ExportOptions(without=without)
    request = ExportRequest(row.spec, ("tflite",), export=options, out=folder)
    path = Path(export(request)[0].artifact.path)
    found = []
    for xnnpack in (False, True):
        params = BenchParams(xnnpack=xnnpack)
        counted = open_runner("qemu:cortex-a76", params).launch(path, params).instructions
        assert counted is not None
        found.append(counted.total)
    return found[0], found[1]


def main() -> None:
    """Print a row a network as it is counted, then the correlations."""
    print("| network | paper (ms) | ratio | builtin (M) | ratio | XNNPACK (M) | ratio |")
    print("|---|---|---|---|---|---|---|")
    ratios: dict[str, tuple[float, float, float]] = {}
    base: tuple[float, ...] = ()
    with tempfile.TemporaryDirectory() as name:
        for row in rows():
            print(row.title, file=sys.stderr)
            values = (row.latency_ms, *(float(c) for c in counts(row, Path(name))))
            base = base or values
            time, builtin, xnnpack = (v / b for v, b in zip(values, base, strict=True))
            ratios[row.title] = (time, builtin, xnnpack)
            print(
                f"| {row.title} | {values[0]:g} | {time:.2f} | {values[1] / 1e6:.1f}"
                f" | {builtin:.2f} | {values[2] / 1e6:.1f} | {xnnpack:.2f} |",
                flush=True,
            )
    everything = list(ratios.values())
    print(f"\nCorrelation of the logarithms, {len(everything)} rows: {correlations(everything)}")
    others = [values for title, values in ratios.items() if "Clip" not in title]
    print(f"Without the clips, {len(others)} rows: {correlations(others)}")


def correlations(ratios: list[tuple[float, float, float]]) -> str:
    """Return how the logarithms of the ratios go with the paper's."""
    time, builtin, xnnpack = ([log(x) for x in column] for column in zip(*ratios, strict=True))
    return f"builtin {correlation(time, builtin):.3f}, XNNPACK {correlation(time, xnnpack):.3f}"


if __name__ == "__main__":
    main()
