"""A test phone as a device, ``fake:kirin980``: a dry run of all that happens on a phone.

The real adb program, server and protocol, a file system, properties and faults; benchmark_model
is a stand-in that runs the model on this machine. Its numbers say nothing about any phone.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from android_bench.adb.client import find_adb
from ghostdeploy.errors import UsageError
from ghostdeploy.fake_phone import PHONES, Phone, write_standin
from ghostdeploy.runners import Access, RuntimeEvidence, Tensor
from ghostdeploy.runners.adb import AdbRunner
from ghostdeploy.runners.android import translate_errors
from ghostdeploy.schema import BenchParams, DeviceIdentity, DeviceState, Launch

NOT_A_PHONE = "a simulated phone: its latencies are this machine's, not a phone's"
STOP_S = 20.0


class FakeRunner:
    """An AdbRunner on a test phone of its own, with an adb server of its own."""

    def __init__(self, target: str, params: BenchParams, access: Access) -> None:
        name = target or "kirin980"
        if name not in PHONES:
            raise UsageError(f"no test phone is called {name!r}; there is {', '.join(PHONES)}")
        access.tell(NOT_A_PHONE)
        self._stack = ExitStack()
        try:
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
            self._start_server(folder, access)
            phone = self._stack.enter_context(Phone(PHONES[name]))
            program = params.benchmark_model or str(write_standin(folder / "benchmark_model"))
            params = replace(params, benchmark_model=program)
            self._name = name
            self._inner = AdbRunner(phone.serial, params, access)
            self._stack.callback(self._inner.close)
        except BaseException:
            self._stack.close()
            raise

    def _start_server(self, folder: Path, access: Access) -> None:
        """Start a private adb server: the user's own, and the phones it knows, are left alone."""
        with translate_errors():
            program = find_adb(access.adb or None)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        private = {
            "ANDROID_ADB_SERVER_PORT": str(port),
            "ADB_USB": "0",
            "ADB_MDNS": "0",
            "ADB_EMU": "0",
            "HOME": str(folder),
            "TMPDIR": str(folder),
        }
        before = {key: os.environ.get(key) for key in (*private, "ADB_SERVER_SOCKET")}
        self._stack.callback(_restore, before)
        os.environ.pop("ADB_SERVER_SOCKET", None)
        os.environ.update(private)
        self._stack.callback(_stop_server, program)

    def identity(self) -> DeviceIdentity:
        """Return what the phone says it is, marked as simulated."""
        seen = self._inner.identity()
        return replace(
            seen, scheme="fake", serial=self._name, model=f"{seen.model} (simulated, no phone)"
        )

    @property
    def writes_outputs(self) -> bool:
        """Return whether the program can write the model's outputs."""
        return self._inner.writes_outputs

    def state(self) -> DeviceState:
        """Return the state that the phone tells now."""
        return self._inner.state()

    def runtime(self, params: BenchParams) -> RuntimeEvidence:
        """Return what runs the models: the stand-in, or the program that ``params`` name."""
        return self._inner.runtime(params)

    def launch(self, model_path: Path, params: BenchParams, name: str = "") -> Launch:
        """Measure one launch; its times are this machine's."""
        return self._inner.launch(model_path, params, name)

    def output(self, model_path: Path, params: BenchParams, inputs: Mapping[str, Tensor]) -> bytes:
        """Return the bytes of the model's outputs for ``inputs``."""
        return self._inner.output(model_path, params, inputs)

    def warnings(self) -> tuple[str, ...]:
        """Return what the reader of the numbers must know: first that this is no phone."""
        return (NOT_A_PHONE, *self._inner.warnings())

    def close(self) -> None:
        """Switch the phone and its adb server off."""
        self._stack.close()


def _restore(before: Mapping[str, str | None]) -> None:
    for key, value in before.items():
        if value is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = value


def _stop_server(program: str) -> None:
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run([program, "kill-server"], capture_output=True, timeout=STOP_S, check=False)
