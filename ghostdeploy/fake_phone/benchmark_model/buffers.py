"""The bytes that go into the model and come out of it."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

from ghostdeploy.fake_phone.benchmark_model.console import BenchmarkFailed


def parse_input_files(text: str) -> dict[str, str]:
    r"""Return the paths in ``name:path,name:path`` by name; ``\:`` is a colon within a name."""
    pairs = filter(None, text.split(","))
    found = (re.fullmatch(r"((?:[^:\\]|\\.)*):(.*)", pair) for pair in pairs)
    return {match[1].replace("\\:", ":"): match[2] for match in found if match}


def fill_inputs(interpreter: Any, files: dict[str, str]) -> None:
    """Set every input from its file in ``files``, or to random numbers where it has none."""
    import numpy as np

    generator = np.random.default_rng(random.randrange(2**32))
    for detail in interpreter.get_input_details():
        if detail["name"] in files:
            data = _read_input(files[detail["name"]], detail)
        else:
            scale = 1 if np.issubdtype(detail["dtype"], np.floating) else 100
            data = (generator.uniform(0, 1, detail["shape"]) * scale).astype(detail["dtype"])
        interpreter.set_tensor(detail["index"], data)


def _read_input(path: str, detail: dict[str, Any]) -> Any:
    import numpy as np

    wanted = int(np.prod(detail["shape"])) * np.dtype(detail["dtype"]).itemsize
    try:
        data = Path(path).read_bytes()
    except OSError:
        raise BenchmarkFailed(
            f"Failed to read the input file {path}", "Benchmarking failed."
        ) from None
    if len(data) != wanted:
        raise BenchmarkFailed(
            f"{path} holds {len(data)} bytes, not {wanted}", "Benchmarking failed."
        )
    return np.frombuffer(data, detail["dtype"]).reshape(detail["shape"])


def write_outputs(interpreter: Any, path: str) -> None:
    """Write the bytes of all outputs one after another, as ``--output_filepath`` asks."""
    details = interpreter.get_output_details()
    data = b"".join(interpreter.get_tensor(detail["index"]).tobytes() for detail in details)
    try:
        Path(path).write_bytes(data)
    except OSError:
        print(f"WARN: Failed to write {path}", flush=True)
