"""A test phone as a device, ``fake:kirin980``: a dry run of all that happens on a phone.

The real adb program, server and protocol, a file system, properties and faults; benchmark_model
is a stand-in that runs the model on this machine. Its numbers say nothing about any phone.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from android_bench.adb.client import find_adb
from ghostdeploy.errors import MeasurementError, UsageError
from ghostdeploy.fake_phone import PHONES, Phone, write_standin
from ghostdeploy.fake_phone.guard import Guard
from ghostdeploy.fake_phone.sandbox import SandboxError
from ghostdeploy.runners import Access, RuntimeEvidence, Tensor
from ghostdeploy.runners.adb import AdbRunner
from ghostdeploy.runners.android import translate_errors
from ghostdeploy.schema import BenchParams, DeviceIdentity, DeviceState, Launch

NOT_A_PHONE = "a simulated phone: its latencies are this machine's, not a phone's"
REPLACED = ("ADB_SERVER_SOCKET", "HOME", "TMPDIR")


class FakeRunner:
    """An AdbRunner on a test phone of its own, with an adb server of its own."""

    def __init__(self, target: str, params: BenchParams, access: Access) -> None:
        name = target or "kirin980"
        if name not in PHONES:
            raise UsageError(f"no test phone is called {name!r}; there is {', '.join(PHONES)}")
        access.tell(NOT_A_PHONE)
        self._stack = ExitStack()
        try:
            folder = self._use_own_server(access)
            phone = _switch_on(name)
            self._stack.callback(phone.stop)
            program = params.benchmark_model or str(write_standin(folder / "benchmark_model"))
            params = replace(params, benchmark_model=program)
            self._name = name
            self._inner = AdbRunner(phone.serial, params, access)
            self._stack.callback(self._inner.close)
        except BaseException:
            self._stack.close()
            raise

    def _use_own_server(self, access: Access) -> Path:
        """Have adb start a private server: the user's own, and its phones, are left alone.

        Returns the folder of its keys and log. Server and folder are gone soon after this process,
        also if that is killed.
        """
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
        }
        before = {key: os.environ.get(key) for key in (*private, *REPLACED)}
        self._stack.callback(_restore, before)
        os.environ.pop("ADB_SERVER_SOCKET", None)
        os.environ.update(private)
        guard = Guard("adb-", (program, "kill-server"))
        self._stack.callback(guard.close)
        os.environ.update({"HOME": str(guard.folder), "TMPDIR": str(guard.folder)})
        return guard.folder

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


def _switch_on(name: str) -> Phone:
    """Start a test phone. Raises MeasurementError where this machine has no place for one."""
    try:
        return Phone(PHONES[name]).start()
    except (OSError, SandboxError) as error:
        raise MeasurementError(f"the test phone {name} does not start: {error}") from error


def _restore(before: Mapping[str, str | None]) -> None:
    for key, value in before.items():
        if value is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = value
