"""Many gates from a TOML file, for one verdict within a time.

    time_budget_min = 40
    [defaults]                       # options for every gate
    device = "adb:SERIAL"
    [[gate]]
    name = "fp32, one big core"
    baseline = "baselines/v2.tflite"
    candidate = "models/ghostnetv2_1.0_224_fp32.tflite"
    max_ratio = { GhostNet = 1.25 }

The keys are the command's options, with underscores. Paths are as the command line's.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ghostdeploy.commands.gate.history import find_last_run
from ghostdeploy.decision import Verdict
from ghostdeploy.decision.outcome import GateRun
from ghostdeploy.errors import InputFileError, error_line
from ghostdeploy.files import read_input

MAX_BYTES = 1_000_000
NUMBER = (int, float)
# key -> the types it takes
KEYS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("name", "baseline", "candidate", "device", "variant"), (str,)),
    **dict.fromkeys(("runtime", "benchmark_model", "cpus", "precision", "weights"), (str,)),
    **dict.fromkeys(("threads", "runs", "warmup", "max_pairs", "seed"), (int,)),
    **dict.fromkeys(("num_classes",), (int,)),
    **dict.fromkeys(("width", "timeout", "max_disturbance"), NUMBER),
    **dict.fromkeys(("max_latency_ms", "max_size_mb", "max_peak_mem_mb"), NUMBER),
    **dict.fromkeys(("tolerance", "delta", "alpha", "screen"), (str, *NUMBER)),
    "resolution": (str, int),
    "xnnpack": (str,),
    **dict.fromkeys(("looks", "input_shape"), (list,)),
    "input_range": (str, list),
    "max_ratio": (dict,),
}
# How much there is to learn from a gate, by what it said last; one that never ran tells most.
INTEREST = {
    None: 0,
    Verdict.REGRESSED: 1,
    Verdict.INVALID: 2,
    Verdict.INCONCLUSIVE: 3,
    Verdict.IMPROVED: 4,
    Verdict.PASS: 5,
}


@dataclass(frozen=True)
class SuiteGate:
    """One gate: ``options`` are values as TOML has them, by option, with the defaults merged in."""

    options: Mapping[str, object]

    @property
    def name(self) -> str:
        """The gate's name, or else its candidate."""
        return str(self.options.get("name") or self.options["candidate"])

    @property
    def device(self) -> str | None:
        """The device that it names, if any."""
        return str(self.options["device"]) if "device" in self.options else None


@dataclass(frozen=True)
class Suite:
    """Many gates, and how long they may take together; ``time_s`` None is no limit."""

    gates: tuple[SuiteGate, ...]
    time_s: float | None = None


def read_suite(path: Path) -> Suite:
    """Read a suite. Raises InputFileError, naming the file and what is wrong in it."""
    data = _load(path)
    unknown = data.keys() - {"time_budget_min", "defaults", "gate"}
    if unknown:
        raise InputFileError(
            f"{path}: no key is called {min(unknown)!r}; there are time_budget_min, defaults, gate"
        )
    tables = data.get("gate", [])
    if not isinstance(tables, list) or not tables:
        raise InputFileError(f"{path}: is empty: it needs at least one [[gate]]")
    defaults = _check_table(path, "[defaults]", data.get("defaults", {}))
    gates = [
        {**defaults, **_check_table(path, f"[[gate]] {number}", table)}
        for number, table in enumerate(tables, 1)
    ]
    for number, options in enumerate(gates, 1):
        if not options.get("candidate"):
            raise InputFileError(f"{path}: [[gate]] {number} needs a candidate")
    named = tuple(map(SuiteGate, gates))
    _check_names(path, named)
    return Suite(named, _time_s(path, data.get("time_budget_min")))


def order_by_interest(
    gates: Sequence[SuiteGate], runs: Sequence[GateRun], device: str
) -> list[SuiteGate]:
    """Put first what never ran or said anything but pass, and then what ran longest ago.

    ``device`` is that of gates that name none.
    """
    order = {id(run): place for place, run in enumerate(runs)}

    def key(gate: SuiteGate) -> tuple[int, int]:
        last = find_last_run(runs, gate.name, device if gate.device is None else gate.device)
        return INTEREST[last.said if last else None], order[id(last)] if last else -1

    return sorted(gates, key=key)


def _load(path: Path) -> dict[str, object]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(read_input(path, MAX_BYTES).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputFileError(f"{path}: not TOML: {error_line(error)}") from error


def _check_table(path: Path, where: str, table: object) -> dict[str, object]:
    if not isinstance(table, dict):
        raise InputFileError(f"{path}: {where} must be a table")
    for key, value in table.items():
        if key not in KEYS:
            known = ", ".join(sorted(KEYS))
            raise InputFileError(f"{path}: {where} has no key {key!r}; there are {known}")
        wrong_bool = isinstance(value, bool) and bool not in KEYS[key]
        if wrong_bool or not isinstance(value, KEYS[key]):
            kinds = " or ".join(kind.__name__ for kind in KEYS[key])
            raise InputFileError(f"{path}: {where}: {key} must be {kinds}, not {value!r}")
    return table


def _check_names(path: Path, gates: Sequence[SuiteGate]) -> None:
    keys = [(gate.name, gate.device) for gate in gates]
    twice = next((name for name, device in keys if keys.count((name, device)) > 1), None)
    if twice:
        raise InputFileError(f"{path}: two gates are called {twice!r}: give each a name")


def _time_s(path: Path, minutes: object) -> float | None:
    if minutes is None:
        return None
    if isinstance(minutes, bool) or not isinstance(minutes, NUMBER) or not 0 < minutes < 1e5:
        raise InputFileError(f"{path}: time_budget_min must be minutes above 0, not {minutes!r}")
    return 60.0 * minutes
