"""Where a model runs: one file per device scheme, and one row of the table below.

A runner measures one launch, which is one fresh process, and judges it; how many launches of
which models in what order is the caller's business.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from ghostdeploy.errors import UsageError
from ghostdeploy.schema import AUTO, BenchParams, DeviceIdentity, DeviceState, Launch

RUNNERS: dict[str, str] = {
    "local": "ghostdeploy.runners.local:LocalRunner",
    "adb": "ghostdeploy.runners.adb:AdbRunner",
    "fake": "ghostdeploy.runners.fake:FakeRunner",
    "qemu": "ghostdeploy.runners.qemu:QemuRunner",
}  # dotted names: each brings its own packages, which a user of another scheme need not have
PHONE_SCHEMES = ("adb", "fake")  # TFLite's own program runs the models, on clusters of cores
INSTRUCTION_SCHEMES = ("qemu",)  # emulated cores, which have no times


@dataclass(frozen=True)
class Device:
    """What a model is measured on, as a user names it: ``scheme:target``, or ``scheme`` alone.

    Whether there is such a scheme or target, ``open_runner`` finds out.
    """

    scheme: str
    target: str = ""

    @classmethod
    def parse(cls, text: str) -> Device:
        """Return the device that ``local``, ``adb:SERIAL`` or ``qemu:cortex-a76`` names."""
        scheme, _, target = text.partition(":")
        return cls(scheme, target)

    def __str__(self) -> str:
        return f"{self.scheme}:{self.target}" if self.target else self.scheme

    @property
    def is_phone(self) -> bool:
        """Whether it has clusters of cores, and runs models by TFLite's own program."""
        return self.scheme in PHONE_SCHEMES

    @property
    def counts_instructions(self) -> bool:
        """Whether it tells the instructions of an inference instead of its time."""
        return self.scheme in INSTRUCTION_SCHEMES


def choose_runtime(device: Device, params: BenchParams) -> BenchParams:
    """Return ``params`` with TFLite's own program as the runtime where that runs the models.

    That is so on every phone, and on this machine where the program's path is given. An emulated
    core runs LiteRT unless another runtime is asked for.
    """
    if params.benchmark_model or device.is_phone:
        return replace(params, runtime="benchmark_model")
    if device.counts_instructions and params.runtime == AUTO:
        return replace(params, runtime="litert")
    return params


@dataclass(frozen=True)
class RuntimeEvidence:
    """What runs the models: ``sha256`` is the hash of the shared library or program itself.

    ``origin`` says where a phone's program came from.
    """

    name: str
    version: str
    sha256: str
    origin: str = ""


def _say_nothing(text: str) -> None:
    pass


@dataclass(frozen=True)
class Access:
    """The way to reach a device; no number depends on it.

    ``tell`` hears what is waited for, is called with "" from time to time, and may raise to end
    the measurement. ``resume`` goes on with what an interrupted process left on the device.
    ``wait_s`` is how long to wait for a device that another process measures on. ``adb`` is the
    adb program, "" for the usual places.
    """

    tell: Callable[[str], None] = _say_nothing
    resume: bool = False
    wait_s: float = 0.0
    adb: str = ""


Tensor = tuple[tuple[int, ...], bytes]  # a shape, and the raw values in C order


class Runner(Protocol):
    """A device that launches models, made as ``Class(target, params, access)``.

    Making one raises UsageError for a target or parameters that cannot be, MissingExtraError for
    a runtime that is not installed, and MeasurementError for a device that does not answer.
    ``writes_outputs``: whether ``output`` can tell what the model computes there.
    """

    writes_outputs: bool

    def identity(self) -> DeviceIdentity:
        """Return what tells this device from every other."""
        ...

    def state(self) -> DeviceState:
        """Return what the device tells of its temperature, clocks and load now."""
        ...

    def runtime(self, params: BenchParams) -> RuntimeEvidence:
        """Return what runs the models under ``params``."""
        ...

    def launch(self, model_path: Path, params: BenchParams, name: str = "") -> Launch:
        """Run one fresh process; ``round`` and ``position`` are left 0.

        ``name`` tells this launch from every other: where an interrupted process left one of that
        name running on the device, it is taken over.
        A launch that was not what it should be (killed, timed out, disturbed) comes back with
        ``valid=False``. Raises InputFileError for a file that the runtime cannot run, UsageError
        for one of another runtime, and MeasurementError where the next launch would fail too.
        """
        ...

    def output(self, model_path: Path, params: BenchParams, inputs: Mapping[str, Tensor]) -> bytes:
        """Return what the model makes of ``inputs`` (by tensor name): raw outputs, concatenated.

        Raises as ``launch`` does.
        """
        ...

    def warnings(self) -> tuple[str, ...]:
        """Return what a reader of the numbers should know of the device, though it is no proof."""
        ...

    def close(self) -> None:
        """Leave nothing running and nothing behind; may be called twice."""
        ...


def open_runner(device: Device | str, params: BenchParams, access: Access = Access()) -> Runner:
    """Return the runner of a device or of its name, checked against ``params``; close() it.

    Raises UsageError for an unknown scheme, with the nearest names, and what the runner raises.
    """
    asked = Device.parse(device) if isinstance(device, str) else device
    if asked.scheme not in RUNNERS:
        near = difflib.get_close_matches(asked.scheme.lower(), RUNNERS, n=2, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there is {', '.join(RUNNERS)}"
        raise UsageError(f"no device is called {str(device)!r}; {hint}")
    module, _, name = RUNNERS[asked.scheme].partition(":")
    make = getattr(import_module(module), name)
    return cast(Runner, make(asked.target, params, access))
