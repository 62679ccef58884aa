"""How a model is measured."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ghostdeploy.errors import UsageError
from ghostdeploy.schema.checks import check_input_range, check_range

AUTO = "auto"
MAX_ELEMENTS = 2**31  # of one input: no runtime here takes more


@dataclass(frozen=True)
class InputShape:
    """The shape that an input is measured with where its model leaves it open.

    ``name`` is the input's, "" for whichever input the shape fits.
    """

    shape: tuple[int, ...]
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> InputShape:
        """Parse ``[NAME=]1x3x224x224``. Raises UsageError for anything else."""
        name, equals, sides = text.rpartition("=")
        parts = sides.lower().split("x")
        known = all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts)
        shape = tuple(map(int, parts)) if known else ()
        if not shape or 0 in shape or math.prod(shape) > MAX_ELEMENTS or (equals and not name):
            raise UsageError(
                f"--input-shape takes [NAME=]SIDExSIDE…, e.g. 1x3x224x224, not {text[:80]!r}"
            )
        return cls(shape, name)

    def __str__(self) -> str:
        sides = "x".join(map(str, self.shape))
        return f"{self.name}={sides}" if self.name else sides


@dataclass(frozen=True)
class PhoneParams:
    """In what state a phone is measured; other devices have no such states.

    A launch waits up to ``cool_down_s`` until Android's thermal status is at most ``max_thermal``
    (0 none … 6 shutdown), the hottest sensor at most ``max_temp_c`` °C and the battery at least at
    ``min_battery`` %. ``screen_on`` and ``fixed_performance`` are put back afterwards.
    """

    max_thermal: int = 0
    max_temp_c: float | None = None
    min_battery: int = 25
    cool_down_s: float = 600.0
    screen_on: bool = False
    fixed_performance: bool = False

    def __post_init__(self) -> None:
        check_range("--max-thermal", self.max_thermal, 0, 6)
        check_range("--min-battery", self.min_battery, 0, 100)
        check_range("--cool-down", self.cool_down_s, 0, unit="seconds")


@dataclass(frozen=True)
class BenchParams:
    """How to measure; see each runner for what it makes of it.

    ``xnnpack`` False runs the runtime's builtin kernels; ``fp16`` has XNNPACK compute in half
    precision. ``cpus`` "" lets the runner choose; else it is what the runner takes: core numbers
    such as 2,3 on the host, a cluster's role or a hex mask on a phone. ``benchmark_model`` is the
    program's path; on a phone "" takes one that is there or was fetched. ``delegate`` and
    ``plus_flags`` are for that program only.
    ``runtime`` "auto" takes, on this machine, the one of the model file's ending; a record holds
    the one that was taken. ``input_shapes`` are for models that leave theirs open; a record holds
    those of its model's inputs, by name.
    ``max_disturbance`` is the share of the pinned cores' time that others may take in a launch
    that counts. A launch's value is the median of its runs, which interruptions hardly move while
    they hit fewer than half of them; a quarter is the safe half of that. ``profile`` asks for the
    time of each operator as well; it slows every run, so such launches are for that alone.
    ``input_range`` are the smallest and the largest value that the model's inputs take; () lets
    the runner draw as TFLite's own program does, from 0 to 99 for integers that are not quantized.
    """

    threads: int = 1
    runs: int = 50
    warmup: int = 10
    launches: int = 10
    runtime: str = AUTO  # or litert, tflite-runtime, onnxruntime, benchmark_model
    xnnpack: bool = True
    cpus: str = ""
    benchmark_model: str = ""
    timeout_s: float = 300.0
    max_disturbance: float = 0.25
    profile: bool = False
    fp16: bool = False
    delegate: str = ""
    plus_flags: tuple[str, ...] = ()
    input_range: tuple[float, ...] = ()
    phone: PhoneParams = PhoneParams()
    input_shapes: tuple[InputShape, ...] = ()

    def __post_init__(self) -> None:
        for name in ("threads", "runs", "launches"):
            check_range(name, getattr(self, name), 1)
        if self.warmup < 0:
            raise UsageError(f"warmup must not be negative, not {self.warmup}")
        if not (self.timeout_s > 0 and math.isfinite(self.timeout_s)):
            raise UsageError(f"timeout must be positive, not {self.timeout_s}")
        check_range("max-disturbance", self.max_disturbance, 0, 1)
        check_input_range(self.input_range)
        if self.fp16 and not self.xnnpack:
            raise UsageError("fp16 arithmetic is XNNPACK's: it cannot be off")
