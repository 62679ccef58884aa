"""Where a model runs: one file per device scheme, and one row of the table below.

A runner measures one launch, which is one fresh process, and judges it; how many launches of
which models in what order is the caller's business.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from ghostdeploy.errors import UsageError
from ghostdeploy.schema import BenchParams, DeviceIdentity, DeviceState, Launch

RUNNERS: dict[str, str] = {
    "local": "ghostdeploy.runners.local:LocalRunner",
    "adb": "ghostdeploy.runners.adb:AdbRunner",
    "fake": "ghostdeploy.runners.fake:FakeRunner",
    "qemu": "ghostdeploy.runners.qemu:QemuRunner",
}


@dataclass(frozen=True)
class RuntimeEvidence:
    """What runs the models: ``sha256`` is of the shared library or program itself.

    ``origin`` says where a phone's program came from.
    """

    name: str
    version: str
    sha256: str
    origin: str = ""


def _quiet(text: str) -> None:
    pass


@dataclass(frozen=True)
class Access:
    """How to get at a device; no number depends on it.

    ``tell`` hears what is waited for, is called with "" from time to time, and may raise to end
    the measurement. ``resume`` goes on with what an interrupted process left on the device.
    ``wait_s`` is how long to wait for a device that another process measures on. ``adb`` is the
    adb program, "" for the usual places.
    """

    tell: Callable[[str], None] = _quiet
    resume: bool = False
    wait_s: float = 0.0
    adb: str = ""


Tensor = tuple[tuple[int, ...], bytes]  # a shape, and the raw values in C order


class Runner(Protocol):
    """One device. Made as ``Class(target, params, access)`` of ``scheme:target``.

    Making one raises UsageError for a target or parameters that cannot be, MissingExtraError for
    a runtime that is not installed, and MeasurementError for a device that does not answer.
    ``writes_outputs``: whether ``output`` can tell what the model computes there.
    """

    writes_outputs: bool

    def identity(self) -> DeviceIdentity: ...

    def state(self) -> DeviceState: ...

    def runtime(self, params: BenchParams) -> RuntimeEvidence: ...

    def launch(self, model_path: Path, params: BenchParams, name: str = "") -> Launch:
        """One fresh process; ``round`` and ``position`` are left 0.

        ``name`` tells this launch from every other: where an interrupted process left one of that
        name running on the device, it is taken over.
        A launch that was not what it should be (killed, timed out, disturbed) comes back with
        ``valid=False``. Raises InputFileError for a file that the runtime cannot run, UsageError
        for one of another runtime, and MeasurementError where the next launch would fail too.
        """
        ...

    def output(self, model_path: Path, params: BenchParams, inputs: Mapping[str, Tensor]) -> bytes:
        """What the model makes of ``inputs``, by tensor name: raw outputs, one after the other.

        Raises as ``launch`` does.
        """
        ...

    def warnings(self) -> tuple[str, ...]:
        """What a reader of the numbers should know of the device, though it proves nothing."""
        ...

    def close(self) -> None:
        """Leave nothing running and nothing behind; may be called twice."""
        ...


def open_runner(device: str, params: BenchParams, access: Access = Access()) -> Runner:
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
    return cast(Runner, make(target, params, access))
