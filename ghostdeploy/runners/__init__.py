"""Where a model runs: one file per device scheme, and one row of the table below.

A runner measures one launch, which is one fresh process, and judges it; how many launches of
which models in what order is the caller's business.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from ghostdeploy.errors import UsageError
from ghostdeploy.types import BenchParams, DeviceIdentity, DeviceState, Launch

RUNNERS: dict[str, str] = {
    "local": "ghostdeploy.runners.local:LocalRunner",
    "qemu": "ghostdeploy.runners.qemu:QemuRunner",
}


@dataclass(frozen=True)
class RuntimeEvidence:
    """What runs the models: ``sha256`` is of the shared library or program itself."""

    name: str
    version: str
    sha256: str


class Runner(Protocol):
    """One device. Made as ``Class(target, params)`` of ``scheme:target``.

    Making one raises UsageError for a target or parameters that cannot be, MissingExtraError for
    a runtime that is not installed, and MeasurementError for a device that does not answer.
    """

    def identity(self) -> DeviceIdentity: ...

    def state(self) -> DeviceState: ...

    def runtime(self, params: BenchParams) -> RuntimeEvidence: ...

    def launch(self, model_path: Path, params: BenchParams) -> Launch:
        """One fresh process; ``round`` and ``position`` are left 0.

        A launch that was not what it should be (killed, timed out, disturbed) comes back with
        ``valid=False``. Raises InputFileError for a file that the runtime cannot run, UsageError
        for one of another runtime, and MeasurementError where the next launch would fail too.
        """
        ...

    def close(self) -> None:
        """Leave nothing running and nothing behind; may be called twice."""
        ...


def open_runner(device: str, params: BenchParams) -> Runner:
    """The runner of ``local``, ``adb:SERIAL`` …, checked against ``params``; close() it.

    Raises UsageError for an unknown scheme, with the nearest names, and what the runner raises.
    """
    scheme, _, target = device.partition(":")
    if scheme not in RUNNERS:
        near = difflib.get_close_matches(scheme.lower(), RUNNERS, n=2, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there is {', '.join(RUNNERS)}"
        raise UsageError(f"no device is called {device!r}; {hint}")
    module, _, name = RUNNERS[scheme].partition(":")
    make = getattr(import_module(module), name)
    return cast(Runner, make(target, params))
