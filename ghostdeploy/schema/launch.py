"""One launch, which is one process on a device, and what it told."""

from __future__ import annotations

from dataclasses import dataclass

from ghostdeploy.schema.device import DeviceState


@dataclass(frozen=True)
class LatencySummary:
    """One launch's runs in milliseconds; percentiles are None where the program prints none."""

    count: int
    mean_ms: float
    min_ms: float
    max_ms: float
    median_ms: float | None = None
    p5_ms: float | None = None
    p95_ms: float | None = None
    std_ms: float | None = None

    @property
    def value_ms(self) -> float:
        """Return the launch's one value: its median, or the mean where a program has none."""
        return self.mean_ms if self.median_ms is None else self.median_ms


@dataclass(frozen=True)
class OpTime:
    """One row of an operator profile: ``ms`` an inference takes in it, all ``calls`` together.

    ``op`` is the kernel as the program names it, ``name`` the node or nodes that it ran.
    """

    op: str
    name: str
    ms: float
    calls: int = 1


@dataclass(frozen=True)
class OpInstructions:
    """What one operator of an inference executed, by class; see ``Instructions``.

    ``op`` is the kernel as the runtime names it, ``name`` the graph's node, "" where unknown.
    """

    op: str
    name: str
    multiply_accumulate: int
    load: int
    store: int
    other: int

    @property
    def total(self) -> int:
        """Return the instructions of all classes together."""
        return self.multiply_accumulate + self.load + self.store + self.other


@dataclass(frozen=True)
class Instructions:
    """The instructions of one inference on an emulated core, by class; exact, and no time.

    ``multiply_accumulate`` counts vector instructions, of several products each. ``max_abs`` and
    ``rel_l2`` tell how far the outputs are from this machine's, None where nothing was compared.
    ``operators`` are in the order of running; what the runtime does between them is in none.
    """

    multiply_accumulate: int
    load: int
    store: int
    other: int
    operators: tuple[OpInstructions, ...] = ()
    max_abs: float | None = None
    rel_l2: float | None = None

    @property
    def total(self) -> int:
        """Return the instructions of all classes together."""
        return self.multiply_accumulate + self.load + self.store + self.other

    @property
    def classes(self) -> tuple[int, int, int, int]:
        """Return the four classes' instructions in the order of the fields."""
        return self.multiply_accumulate, self.load, self.store, self.other


@dataclass(frozen=True)
class Launch:
    """One process on the device = one sample. ``round`` pairs it with the other models' launches.

    A device tells either times (``summary``) or, an emulated one, ``instructions``.

    ``samples_ms`` holds every raw run where the runner sees them (benchmark_model prints none).
    ``cpus`` is the affinity read back from the running process. ``cpu_s`` is the CPU time of that
    process and its children, ``neighbours_s`` what everything else used of those cores meanwhile.
    ``states_during`` were sampled while it ran, where the device gives them.
    """

    round: int
    position: int
    started_at: str
    argv: tuple[str, ...]
    summary: LatencySummary | None
    samples_ms: tuple[float, ...] = ()
    init_ms: float | None = None
    first_ms: float | None = None
    warmup_ms: float | None = None
    peak_mem_mb: float | None = None
    partitions: int | None = None
    profile: tuple[OpTime, ...] = ()
    instructions: Instructions | None = None
    cpus: tuple[int, ...] = ()
    cpu_s: float | None = None
    neighbours_s: float | None = None
    state_before: DeviceState = DeviceState()
    state_after: DeviceState = DeviceState()
    states_during: tuple[DeviceState, ...] = ()
    valid: bool = True
    why_not: str = ""
    returncode: int | None = None
    stdout: str = ""
    stderr: str = ""

    @property
    def wall_s(self) -> float | None:
        """Return how long it took by the device's clock; None where that is unknown."""
        before, after = self.state_before.uptime_s, self.state_after.uptime_s
        if before is None or after is None or after <= before:
            return None
        return after - before

    def others_share(self, cores: int) -> float | None:
        """Return the share of all ``cores``' time that others used; None where unknown."""
        before, after = self.state_before.cpu_busy_s, self.state_after.cpu_busy_s
        if before is None or after is None or self.cpu_s is None or not self.wall_s:
            return None
        return max(0.0, after - before - self.cpu_s) / (self.wall_s * max(1, cores))

    @property
    def neighbours_share(self) -> float | None:
        """Return the share of its pinned cores' time that others used; None where unknown."""
        if self.neighbours_s is None or not self.wall_s:
            return None
        return self.neighbours_s / (self.wall_s * max(1, len(self.cpus)))
