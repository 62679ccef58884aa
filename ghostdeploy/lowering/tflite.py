"""ONNX → TFLite: onnx2tf in a process of its own, then our rewrites and names."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ghostdeploy import flatbuffer
from ghostdeploy.errors import ConversionError
from ghostdeploy.lowering import metadata, tidy
from ghostdeploy.lowering.converters import WORKER
from ghostdeploy.lowering.rewrites import apply_rewrites

TIMEOUT_S = 1800.0


class Converter:
    """A worker that already imports what it needs while torch exports; see ``start_converter``."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, log: Path) -> None:
        self._process, self.folder, self._log = process, folder, log

    def start(self, onnx: bytes, precision: str) -> None:
        """Hand over the ONNX model; ``finish`` waits for the TFLite one."""
        try:
            (self.folder / "model.onnx").write_bytes(onnx)
        except OSError as error:
            why = error.strerror or error
            raise ConversionError(f"no room for onnx2tf in {self.folder}: {why}") from error
        job = {
            "onnx": str(self.folder / "model.onnx"),
            "outputs": {precision: str(self.folder / "model.tflite")},
        }
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it died; ``finish`` says why
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.close()

    def finish(self) -> bytes:
        """Wait for the TFLite model. Raises ConversionError with onnx2tf's last words."""
        try:
            code = self._process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise ConversionError(f"onnx2tf did not finish in {TIMEOUT_S:.0f} s") from error
        if code != 0:
            raise ConversionError(f"onnx2tf failed (exit {code}): {self._last_words()}")
        return (self.folder / "model.tflite").read_bytes()

    def _last_words(self) -> str:
        sys.stderr.write(self._log.read_text(errors="replace"))  # into the captured log
        lines = [line.strip() for line in self._log.read_text(errors="replace").splitlines()]
        telling = [line for line in lines if "Error" in line or "ERROR" in line]
        return ((telling or [line for line in lines if line] or ["no output"])[-1])[:300]


@contextmanager
def start_converter() -> Iterator[Converter]:
    """Start a worker in an empty folder; on the way out both are gone, whatever happened."""
    with tempfile.TemporaryDirectory(prefix="ghostdeploy-") as name:
        folder, log = Path(name) / "work", Path(name) / "onnx2tf.log"
        folder.mkdir()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", WORKER.module, str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                # Ctrl-C is for us; the group lets us end whatever it started, too.
                start_new_session=True,
            )
        try:
            yield Converter(process, folder, log)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdin is not None:
                with suppress(BrokenPipeError):
                    process.stdin.close()


@dataclass(frozen=True)
class ConvertedModel:
    """A TFLite model ready to be proven. ``rewrites`` counts what each one changed."""

    data: bytes
    rewrites: dict[str, int]


def finish_tflite(
    converted: bytes,
    *,
    values: Sequence[str],
    inputs: Sequence[str],
    outputs: Sequence[str],
    description: metadata.Description,
    facts: dict[str, str],
    lines: Mapping[str, str] | None = None,
    rewrites: tuple[str, ...] | None = None,
) -> ConvertedModel:
    """Rewrite, name and describe a converted model.

    ``values`` are the ONNX values in graph order, ``inputs`` and ``outputs`` the ONNX graph's,
    ``facts`` key/value strings that the file carries in its metadata (as the ONNX file does).
    ``lines`` are the author's lines that values come from. ``rewrites`` limits which are applied.
    """
    model = flatbuffer.load(converted, "the converted model")
    tidy.name_tensors(model, values, outputs)
    changed = apply_rewrites(model) if rewrites is None else apply_rewrites(model, rewrites)
    tidy.set_signature(model, inputs, outputs)
    model.description = f"{description.name}, exported by ghostdeploy".encode()
    metadata.add_metadata(model, description)
    metadata.add_facts(model, facts | metadata.lines_fact(lines or {}, model))
    tidy.drop_unused(model)
    data = metadata.attach_files(flatbuffer.dump(model), metadata.label_files(description.labels))
    return ConvertedModel(data, changed)
