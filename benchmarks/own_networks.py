"""Networks that nobody here wrote, through the same door: exported, proven, linted, measured.

    python benchmarks/own_networks.py [NAME…] [--out FOLDER]

NAME is anything that ``ghostdeploy export`` takes; by default fifteen models of timm, with seeded
weights. Each is one ``ghostdeploy export --format tflite``; the table tells the largest relative L2
of the outputs and of any inner tensor, XNNPACK's partitions of the plain conversion and of the
file, its size, and what did not pass. Needs the extra ``timm``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

TIMM = (
    "mobilenetv3_large_100", "mobilenetv4_conv_small", "efficientnet_b0", "mobilevit_xs",
    "fbnetc_100", "semnasnet_100", "ghostnetv3_100", "repvit_m0_9", "fastvit_t8", "mobileone_s0",
    "edgenext_xx_small", "efficientformerv2_s0", "mnasnet_100", "tf_efficientnet_lite0",
    "convnext_atto",
)  # fmt: skip
PROGRAM = (sys.executable, "-m", "ghostdeploy")


@dataclass(frozen=True)
class Outcome:
    """What became of one network; ``failure`` is the error's line, "" where it passed."""

    name: str
    outputs: float = 0.0
    inner: float = 0.0
    layers: int = 0
    plain: str = ""
    partitions: str = ""
    size_mb: float = 0.0
    failure: str = ""


def export(name: str, out: Path) -> Outcome:
    """Export one network twice, plain and with rewrites, and lint both files."""
    plain, failure = run_export(name, out / "plain", "--no-fix")
    made, failure = run_export(name, out)
    if made is None:
        return Outcome(name, failure=failure)
    proof = made["parity"][0]
    return Outcome(
        name=name,
        outputs=proof["rel_l2"],
        inner=proof["worst_layer_rel_l2"],
        layers=proof["layers"],
        plain=count_partitions(plain["path"]) if plain else "–",
        partitions=count_partitions(made["path"]),
        size_mb=made["size_bytes"] / 1e6,
    )


def run_export(name: str, out: Path, *more: str) -> tuple[dict | None, str]:
    """Return the sidecar of a network's TFLite file, or None and the error's line."""
    words = ("export", name, "--format", "tflite", "--json", "--out", str(out), *more)
    done = subprocess.run([*PROGRAM, *words], capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        return None, (lines or ["error: nothing was said"])[-1].removeprefix("error: ")
    return json.loads(done.stdout)[0], ""


def count_partitions(path: str) -> str:
    """Return how many XNNPACK partitions a file is cut into."""
    done = subprocess.run([*PROGRAM, "lint", path, "--format", "json"], capture_output=True)
    report = json.loads(done.stdout)["files"][0]
    found = report.get("partitions") or {}
    return str(found.get("kernels", "?"))


def show(rows: list[Outcome]) -> None:
    """Print the table."""
    print("network                    outputs    inner  tensors  partitions      MB")
    for row in rows:
        if row.failure:
            print(f"{row.name:25} {row.failure}")
            continue
        parts = f"{row.plain} → {row.partitions}"
        print(
            f"{row.name:25} {row.outputs:8.1e} {row.inner:8.1e} {row.layers:8d}"
            f" {parts:>11} {row.size_mb:7.2f}"
        )
    passed = sum(not row.failure for row in rows)
    print(f"{passed} of {len(rows)} pass the proof")


def main() -> int:
    """Export the networks that are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", default=[f"timm:{name}" for name in TIMM])
    parser.add_argument("--out", type=Path, help="folder for the files; a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for name in options.names:
            print(f"{name} …", file=sys.stderr)
            rows.append(export(name, options.out or Path(folder)))
            print(f"  {rows[-1]}", file=sys.stderr)
        show(rows)
    return int(any(row.failure for row in rows))


if __name__ == "__main__":
    sys.exit(main())
