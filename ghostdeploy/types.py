"""The frozen dataclasses that everything in ghostdeploy speaks.

Units are suffixes: ``_ms``, ``_s``, ``_mb`` (10⁶ bytes), ``_c`` (°C), ``_khz``. A field that
could not be read is None, never 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ghostdeploy.errors import UsageError

MIN_SIDE, MAX_SIDE = 33, 4096  # at 32 the last DFC branch would pool 1×1 to nothing
MIN_WIDTH, MAX_WIDTH = 0.1, 4.0


@dataclass(frozen=True)
class ModelSpec:
    """What a network is, weights aside; ``zoo.make_spec`` makes one.

    ``resolution`` is (height, width) in pixels. ``variant`` says which preset the architecture's
    ``options`` (a frozen dataclass of its own, or None) come from, and what was changed in it.

    Raises UsageError where no such network can be built.
    """

    arch: str
    width: float = 1.0
    resolution: tuple[int, int] = (224, 224)
    variant: str = "official"
    options: object = None
    num_classes: int = 1000

    def __post_init__(self) -> None:
        if not (math.isfinite(self.width) and MIN_WIDTH <= self.width <= MAX_WIDTH):
            raise UsageError(
                f"width must be between {MIN_WIDTH} and {MAX_WIDTH}, not {self.width}"
                " (the paper's are 1.0, 1.3 and 1.6)"
            )
        if not all(MIN_SIDE <= side <= MAX_SIDE for side in self.resolution):
            height, width = self.resolution
            raise UsageError(
                f"resolution must be {MIN_SIDE} to {MAX_SIDE} pixels a side, not {height}x{width}"
            )
        if not 1 <= self.num_classes <= 1_000_000:
            raise UsageError(f"num-classes must be 1 to 1000000, not {self.num_classes}")

    @property
    def name(self) -> str:
        """A file-name-safe identity, e.g. ``ghostnetv2_1.0_224``."""
        height, width = self.resolution
        parts = [self.arch, str(float(self.width))]
        parts.append(str(height) if height == width else f"{height}x{width}")
        if self.variant != "official":
            parts.append(self.variant.replace("=", "-").replace(",", "."))
        if self.num_classes != 1000:
            parts.append(f"c{self.num_classes}")
        return "_".join(parts)


@dataclass(frozen=True)
class ExportOptions:
    """What is exported, beside the network itself.

    ``embed_preprocessing``: the model takes RGB of 0–255; ImageNet's mean and standard
    deviation are folded into the stem. ``softmax``: probabilities instead of logits.
    ``features``: the feature maps at strides 4, 8, 16, 32 instead of logits.
    ``labels``: one class name an output, for the TFLite metadata. ``without``, ``speed``: rewrites
    of the TFLite graph that are left out, and those for speed alone that are applied, by name.
    """

    embed_preprocessing: bool = False
    softmax: bool = False
    features: bool = False
    labels: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    speed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parity:
    """How far one form of a model is from its torch original, over ``inputs`` inputs.

    ``max_abs`` and ``rel_l2`` (‖a−b‖₂/‖b‖₂) are the worst over all inputs and outputs.
    ``top1_agreement`` is a share, None for feature maps. ``layers`` inner tensors were compared
    too, of which ``worst_layer`` was the farthest off.
    """

    subject: str
    runtime: str
    inputs: int
    max_abs: float
    rel_l2: float
    top1_agreement: float | None
    tolerance_rel_l2: float
    passed: bool
    layers: int = 0
    worst_layer: str = ""
    worst_layer_rel_l2: float = 0.0
    tolerance_layer_rel_l2: float = 0.0


@dataclass(frozen=True)
class Finding:
    """One thing that a rule has to say about a graph. ``severity`` is error, warning or info.

    ``module`` is the torch module that the node came from and ``source`` the file that defines
    it, "" where the export left no trace. ``allowed`` is the reason given in an allow list.
    """

    rule: str
    severity: str
    node: str
    message: str
    fix: str = ""
    module: str = ""
    source: str = ""
    allowed: str = ""


@dataclass(frozen=True)
class Partitions:
    """How XNNPACK takes a TFLite graph, measured in the runtime here.

    ``kernels`` is the number of delegate kernels, ``outside`` the nodes that stay with TFLite's
    builtin kernels, by name and operator.
    """

    runtime: str
    kernels: int
    outside: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class GraphReport:
    """What the linter saw in one file. ``dfc_branches`` maps a module to what it lowered to.

    ``weights_mb`` and ``activations_mb`` (the largest set alive at once) are 10⁶ bytes.
    """

    op_counts: dict[str, int]
    findings: tuple[Finding, ...]
    macs: int | None = None
    params: int | None = None
    partitions: Partitions | None = None
    dfc_branches: dict[str, str] = field(default_factory=dict)
    weights_mb: float | None = None
    activations_mb: float | None = None

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity == "error" and not f.allowed)


@dataclass(frozen=True)
class Calibration:
    """Which images the ranges of a quantized model were measured on.

    ``source`` is the folder's or file's name, ``sha256`` of the chosen images as they went in,
    ``skipped`` counts of unusable ones. ``synthetic`` ones tell nothing about accuracy.
    """

    source: str
    sha256: str = ""
    size: int = 0
    seed: int = 0
    synthetic: bool = False
    crop: float = 0.875
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class LayerError:
    """How far one tensor of a quantized model is from fp32's; ``snr_db`` is 10·log₁₀(Σx²/Σ(x−y)²).

    ``saturated`` is the share of values at the end of the range (ReLU's zero apart).
    """

    name: str
    module: str
    snr_db: float
    saturated: float = 0.0


@dataclass(frozen=True)
class ConcatenationScales:
    """The largest magnitudes of a concatenation's inputs, which int8 makes share one scale."""

    name: str
    largest: tuple[float, ...]


@dataclass(frozen=True)
class QuantizationError:
    """A quantized model against its fp32 original on ``inputs`` images not calibrated on."""

    inputs: int
    snr_db: float
    cosine: float
    top1_agreement: float
    layers: tuple[LayerError, ...] = ()
    concatenations: tuple[ConcatenationScales, ...] = ()

    def worst(self, count: int = 10) -> tuple[LayerError, ...]:
        return tuple(sorted(self.layers, key=lambda layer: layer.snr_db)[:count])


@dataclass(frozen=True)
class FloatCost:
    """What layers kept in float cost, against the same model with none and against fp32.

    ``int8_kernels`` are the XNNPACK partitions without them. ``to_int8`` and ``to_fp32`` are
    ratios of latency over so many ``launches``, interleaved on the machine that made the file,
    with ``noise`` as in Comparison; None where they could not be measured: ``why_not``.
    """

    int8_kernels: int | None = None
    to_int8: Interval | None = None
    to_fp32: Interval | None = None
    launches: int = 0
    noise: float = 0.0
    why_not: str = ""


@dataclass(frozen=True)
class Quantization:
    """How a quantized artifact was made, beside its precision, and what that cost.

    ``kept_float`` are the layers that stayed in fp32, at ``cost``; ``kernels`` the XNNPACK
    partitions.
    """

    method: str
    calibration: Calibration
    switches: tuple[str, ...] = ()
    kept_float: tuple[str, ...] = ()
    error: QuantizationError | None = None
    kernels: int | None = None
    cost: FloatCost | None = None


@dataclass(frozen=True)
class Artifact:
    """A model file and how it came to be. ``spec`` is None for a file that is not ours.

    ``weights`` is ``seed:N`` or ``sha256:…`` of the checkpoint file; ``content_key`` identifies
    everything that went in (spec, weights, options, tools).
    """

    path: str
    sha256: str
    size_bytes: int
    format: str
    precision: str
    spec: ModelSpec | None = None
    export: ExportOptions = ExportOptions()
    weights: str = ""
    content_key: str = ""
    tool_versions: dict[str, str] = field(default_factory=dict)
    macs: int | None = None
    params: int | None = None
    op_counts: dict[str, int] = field(default_factory=dict)
    rewrites: tuple[str, ...] = ()
    parity: tuple[Parity, ...] = ()
    quantization: Quantization | None = None

    @property
    def name(self) -> str:
        """What tables call it: the spec's name, or the file's."""
        stem = self.path.replace("\\", "/").rsplit("/", 1)[-1]
        return self.spec.name if self.spec else stem


@dataclass(frozen=True)
class CoreCluster:
    """Equal cores of one top clock, e.g. role ``big``, core ``Cortex-A76``, CPUs 6 and 7.

    The roles are those that ``--cpus`` takes: prime, big, mid, little.
    """

    role: str
    core: str
    cpus: tuple[int, ...]
    max_khz: int | None = None


@dataclass(frozen=True)
class DeviceIdentity:
    """What the device is: the same at every measurement on it. ``clusters``: slowest first."""

    scheme: str  # local, adb, qemu
    serial: str
    model: str
    soc: str
    arch: str
    os: str
    cores: int
    fingerprint: str = ""
    clusters: tuple[CoreCluster, ...] = ()


@dataclass(frozen=True)
class DeviceState:
    """What may change from launch to launch; None where the device does not tell."""

    load_1min: float | None = None
    mem_available_mb: float | None = None
    max_temp_c: float | None = None
    cur_freq_khz: tuple[int, ...] = ()
    max_freq_khz: tuple[int, ...] = ()
    governor: str | None = None
    battery_percent: int | None = None
    thermal_status: int | None = None
    cpu_steal_s: float | None = None  # time the hypervisor gave to others, since boot
    cpu_busy_s: float | None = None  # time that all cores computed, since boot
    uptime_s: float | None = None


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
        """The launch's one value: its median, or the mean where an old program has no median."""
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
        return self.multiply_accumulate + self.load + self.store + self.other

    @property
    def classes(self) -> tuple[int, int, int, int]:
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
        """How long it took by the device's clock; None where that is unknown."""
        before, after = self.state_before.uptime_s, self.state_after.uptime_s
        if before is None or after is None or after <= before:
            return None
        return after - before

    def others_share(self, cores: int) -> float | None:
        """The share of all ``cores``' time that other programs used; None where unknown."""
        before, after = self.state_before.cpu_busy_s, self.state_after.cpu_busy_s
        if before is None or after is None or self.cpu_s is None or not self.wall_s:
            return None
        return max(0.0, after - before - self.cpu_s) / (self.wall_s * max(1, cores))

    @property
    def neighbours_share(self) -> float | None:
        """The share of its pinned cores' time that other programs used; None where unknown."""
        if self.neighbours_s is None or not self.wall_s:
            return None
        return self.neighbours_s / (self.wall_s * max(1, len(self.cpus)))


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
        for name, least, most in (("max_thermal", 0, 6), ("min_battery", 0, 100)):
            if not least <= getattr(self, name) <= most:
                option = f"--{name.replace('_', '-')}"
                raise UsageError(f"{option} must be {least} to {most}, not {getattr(self, name)}")
        if not (self.cool_down_s >= 0 and math.isfinite(self.cool_down_s)):
            raise UsageError(f"--cool-down must be 0 or more seconds, not {self.cool_down_s}")


@dataclass(frozen=True)
class BenchParams:
    """How to measure; see each runner for what it makes of it.

    ``xnnpack`` False runs the runtime's builtin kernels; ``fp16`` has XNNPACK compute in half
    precision. ``cpus`` "" lets the runner choose; else it is what the runner takes: core numbers
    such as 2,3 here, a cluster's role or a hex mask on a phone. ``benchmark_model`` is the
    program's path; on a phone "" takes one that is there or was fetched. ``delegate`` and
    ``plus_flags`` are for that program only.
    ``max_disturbance`` is the share of the pinned cores' time that others may take in a launch
    that counts. A launch's value is the median of its runs, which interruptions hardly move while
    they hit fewer than half of them; a quarter is the safe half of that. ``profile`` asks for the
    time of each operator as well; it slows every run, so such launches are for that alone.
    """

    threads: int = 1
    runs: int = 50
    warmup: int = 10
    launches: int = 10
    runtime: str = "litert"  # litert, tflite-runtime, onnxruntime, benchmark_model
    xnnpack: bool = True
    cpus: str = ""
    benchmark_model: str = ""
    timeout_s: float = 300.0
    max_disturbance: float = 0.25
    profile: bool = False
    fp16: bool = False
    delegate: str = ""
    plus_flags: tuple[str, ...] = ()
    phone: PhoneParams = PhoneParams()

    def __post_init__(self) -> None:
        for name in ("threads", "runs", "launches"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.warmup < 0:
            raise UsageError(f"warmup must not be negative, not {self.warmup}")
        if not (self.timeout_s > 0 and math.isfinite(self.timeout_s)):
            raise UsageError(f"timeout must be positive, not {self.timeout_s}")
        if not 0 <= self.max_disturbance <= 1:
            raise UsageError(f"max-disturbance must be 0 to 1, not {self.max_disturbance}")
        if self.fp16 and not self.xnnpack:
            raise UsageError("fp16 arithmetic is XNNPACK's: it cannot be off")


@dataclass(frozen=True)
class OutputCheck:
    """The device's outputs against this machine's, for one input; ``why_not``: not compared.

    ``rel_l2`` is ‖device−here‖₂/‖here‖₂, the worst output's.
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
        return tuple(x for x in self.launches if x.valid and x.summary is not None)

    @property
    def instructions(self) -> Instructions | None:
        """What an emulated core counted, the last valid launch's; None for other devices."""
        found = [x.instructions for x in self.launches if x.valid and x.instructions]
        return found[-1] if found else None


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence limits."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Comparison:
    """One row of a comparison: a record's latency, and its ratio to the first row's model.

    ``noise`` is the robust relative standard deviation of the launches (1.4826·MAD/median).
    ``advice`` says what is unstable and the command that helps; "" where nothing is.
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
