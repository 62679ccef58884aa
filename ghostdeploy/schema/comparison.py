"""Rows of a comparison of several measurements."""

from __future__ import annotations

from dataclasses import dataclass

from ghostdeploy.schema.interval import Interval
from ghostdeploy.schema.launch import Instructions
from ghostdeploy.schema.record import BenchRecord


@dataclass(frozen=True)
class Comparison:
    """One row of a comparison: a record's latency, and its ratio to the first row's model.

    ``noise`` is the robust relative standard deviation of the launches (1.4826·MAD/median).
    ``advice`` says what is unstable and the command that helps; "" where nothing is. ``disturbed``:
    no launch counts, and the figures are those of the launches that ran to their end all the same.
    """

    title: str
    record: BenchRecord
    latency_ms: Interval
    ratio: Interval | None
    noise: float
    advice: str = ""
    paper_latency_ms: float | None = None
    paper_ratio: float | None = None
    paper_top1: float | None = None
    paper_source: str = ""
    disturbed: bool = False


@dataclass(frozen=True)
class InstructionComparison:
    """One row of a comparison of instructions: a record of an emulated core.

    ``ratio`` is to the first row's total, None where the cores, the kernels or the emulators
    differ. The paper's are times on its phone.
    """

    title: str
    record: BenchRecord
    instructions: Instructions
    ratio: float | None
    paper_latency_ms: float | None = None
    paper_ratio: float | None = None
    paper_source: str = ""
