"""What layers that stay in float cost: the mixed file beside all-int8 and fp32, measured."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from ghostdeploy.commands.bench.comparison import compare_records, require_valid
from ghostdeploy.commands.bench.session import bench
from ghostdeploy.commands.quantize.judge import count_partitions
from ghostdeploy.errors import GhostdeployError
from ghostdeploy.progress import Progress
from ghostdeploy.runners import Access, open_runner
from ghostdeploy.schema import Artifact, BenchParams, BenchRecord, FloatCost

PARAMS = BenchParams(launches=8, runs=20, warmup=5)
RUNTIMES = {"tflite": "litert", "onnx": "onnxruntime"}


def measure_float_cost(
    mixed: bytes, int8: bytes, fp32: bytes, format: str, progress: Progress
) -> FloatCost:
    """Measure partitions, and ratios of latencies in one interleaved session on this machine.

    ``int8`` is the same model with nothing kept in float. What cannot be measured is not an error:
    the result says why.
    """
    whole = count_partitions(int8) if format == "tflite" else None
    try:
        records = _measure({"int8": int8, "mixed": mixed, "fp32": fp32}, format, progress)
    except GhostdeployError as error:
        return FloatCost(int8_kernels=whole, why_not=str(error).rpartition("/")[2])
    to_int8, to_fp32 = (
        compare_records([records[base], records["mixed"]], [base, "mixed"])[1]
        for base in ("int8", "fp32")
    )
    return FloatCost(
        int8_kernels=whole,
        to_int8=to_int8.ratio,
        to_fp32=to_fp32.ratio,
        launches=len(records["mixed"].valid_launches),
        noise=to_int8.noise,
    )


def _measure(files: Mapping[str, bytes], format: str, progress: Progress) -> dict[str, BenchRecord]:
    params = replace(PARAMS, runtime=RUNTIMES[format])
    with TemporaryDirectory(prefix="ghostdeploy-") as name:
        artifacts = []
        for title, data in files.items():
            path = Path(name) / f"{title}.{format}"
            path.write_bytes(data)
            digest = hashlib.sha256(data).hexdigest()
            artifacts.append(Artifact(str(path), digest, len(data), format, title))
        with closing(open_runner("local", params, Access())) as runner:
            found = bench(artifacts, runner, params, Path(name) / "records", progress)
    require_valid(found)
    return dict(zip(files, found, strict=True))
