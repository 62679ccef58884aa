"""A measurement of one model on one device, with everything behind its numbers."""

from __future__ import annotations

from dataclasses import dataclass

from ghostdeploy.schema.artifact import Artifact
from ghostdeploy.schema.device import DeviceIdentity
from ghostdeploy.schema.launch import Instructions, Launch
from ghostdeploy.schema.params import BenchParams


@dataclass(frozen=True)
class OutputCheck:
    """The device's outputs against the host's, for one input; ``why_not``: not compared.

    ``rel_l2`` is ‖device−host‖₂/‖host‖₂, the worst output's.
    """

    reference: str = ""
    rel_l2: float | None = None
    tolerance_rel_l2: float | None = None
    why_not: str = ""


@dataclass(frozen=True)
class Evidence:
    """What stands behind a record's numbers."""

    model_sha256: str
    runtime: str
    runtime_version: str
    runtime_sha256: str  # of the shared library or program that ran the model
    ghostdeploy_version: str
    session: str  # one id for all models that were interleaved
    order: tuple[str, ...]  # the names in the order of one there-and-back, A B C C B A
    started_at: str
    runtime_origin: str = ""  # where the program on a phone came from
    output: OutputCheck | None = None
    warnings: tuple[str, ...] = ()  # what the device said that proves nothing
    command: str = ""  # what the user typed, quoted for a shell; "" in older records


SCHEMA = "ghostdeploy.bench/1"


@dataclass(frozen=True)
class BenchRecord:
    """One model on one device: everything needed to derive its number again.

    ``profiled`` is a launch with operator profiling, after those that count.
    """

    artifact: Artifact
    device: DeviceIdentity
    params: BenchParams
    evidence: Evidence
    launches: tuple[Launch, ...] = ()
    profiled: Launch | None = None
    schema: str = SCHEMA

    @property
    def valid_launches(self) -> tuple[Launch, ...]:
        """Return the launches that count and have times."""
        return tuple(x for x in self.launches if x.valid and x.summary is not None)

    @property
    def shown_launches(self) -> tuple[Launch, ...]:
        """Return the launches that count; where none does, all that ran to their end."""
        return self.valid_launches or tuple(x for x in self.launches if x.summary is not None)

    @property
    def instructions(self) -> Instructions | None:
        """Return what an emulated core counted in the last valid launch; None for other devices."""
        found = [x.instructions for x in self.launches if x.valid and x.instructions]
        return found[-1] if found else None
