"""The log that the plugin ``native/count.c`` writes, parsed: pure functions, text to numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ghostdeploy.errors import MeasurementError

MARKS = ("begin", "end", "op-begin", "op-end", "clock", "exit")


@dataclass(frozen=True)
class InstructionsByClass:
    """Numbers of executed instructions, by class."""

    multiply_accumulate: int
    load: int
    store: int
    other: int

    def __sub__(self, earlier: InstructionsByClass) -> InstructionsByClass:
        return InstructionsByClass(
            self.multiply_accumulate - earlier.multiply_accumulate,
            self.load - earlier.load,
            self.store - earlier.store,
            self.other - earlier.other,
        )

    def __floordiv__(self, number: int) -> InstructionsByClass:
        return InstructionsByClass(
            self.multiply_accumulate // number,
            self.load // number,
            self.store // number,
            self.other // number,
        )

    @property
    def total(self) -> int:
        """The instructions of all classes together."""
        return self.multiply_accumulate + self.load + self.store + self.other


@dataclass(frozen=True)
class Mark:
    """A point of the run, one of MARKS, and what was ``executed`` from the start to it."""

    name: str
    executed: InstructionsByClass


@dataclass(frozen=True)
class CounterLog:
    """The plugin's log of one process.

    ``inferences`` holds each one's marks, its ``begin`` and ``end`` included.

    ``whole`` is what the process executed from its start to its end.
    """

    inferences: tuple[tuple[Mark, ...], ...]
    whole: InstructionsByClass
    peak_mem_bytes: int

    def instructions(self) -> tuple[InstructionsByClass, ...]:
        """Return the instructions of each inference."""
        return tuple(marks[-1].executed - marks[0].executed for marks in self.inferences)


def parse_counter_log(text: str) -> CounterLog:
    """Parse the plugin's file. Raises MeasurementError for anything but a whole one."""
    *lines, leaving, last = text.splitlines() if text.count("\n") > 1 else ("", "")
    if not (last.startswith("memory ") and leaving.startswith("exit ")):
        raise MeasurementError("the emulator's counts are cut short; is the disk full?")
    inferences: list[tuple[Mark, ...]] = []
    current: list[Mark] = []
    for mark in map(_mark, lines):
        if mark.name == "begin":
            current = [mark]
        elif current:
            current.append(mark)
            if mark.name == "end":
                inferences.append(tuple(current))
                current = []
    return CounterLog(tuple(inferences), _mark(leaving).executed, _numbers(last, 1)[0])


def _mark(line: str) -> Mark:
    name = line.partition(" ")[0]
    if name not in MARKS:
        raise MeasurementError(f"the emulator's counts hold an unknown line: {line[:80]!r}")
    return Mark(name, InstructionsByClass(*_numbers(line, 4)))


def _numbers(line: str, number: int) -> Sequence[int]:
    words = line.split(" ")[1:]
    if len(words) != number or not all(w.isascii() and w.isdigit() for w in words):
        raise MeasurementError(f"the emulator's counts hold a damaged line: {line[:80]!r}")
    return [int(word) for word in words]
