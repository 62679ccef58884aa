"""What made a measurement unstable, and the option that helps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from ghostdeploy.report.parts.reasons import merge_reasons
from ghostdeploy.schema import BenchRecord
from ghostdeploy.stats import launches as stats

MIN_LAUNCHES = 6  # fewer cannot give a 95 % interval of a median
NOISY = 0.05
SLOW = 1.10  # a launch this far above the median is a slow one, as in the gate's screen
SLOW_SHARE = 0.15
DRIFT, DRIFT_P = 0.03, 0.05
# Of all cores' time. One busy core of the eight that phones have is 12 %; an idle Linux's own
# housekeeping is about 1 %, and counting by 10 ms ticks errs by about as much over ten launches.
BUSY_SHARE = 0.10


def advise(record: BenchRecord, values: Sequence[float]) -> Iterator[str]:
    """Tell what was unstable in a record, and the option that helps.

    ``values`` are its shown launches' latencies in milliseconds, in the order of running.
    """
    params = record.params
    invalid = [x for x in record.launches if not x.valid]
    if invalid:
        count = f"{len(invalid)} of {len(record.launches)}"
        reasons = "; ".join(merge_reasons(x.why_not or "no reason" for x in invalid))
        bear = ", or --max-disturbance" if record.device.scheme == "local" else ""
        yield f"{count} launches were invalid ({reasons}): raise --launches{bear}"
    if len(values) < MIN_LAUNCHES:
        yield (
            f"{len(values)} launches are too few for a 95 % interval:"
            f" use --launches {max(10, params.launches + MIN_LAUNCHES)}"
        )
    yield from _instability(values)
    yield from _surroundings(record)


def _instability(values: Sequence[float]) -> Iterator[str]:
    noise = stats.robust_relative_sd(values)
    if noise > NOISY:
        yield f"launches differ by {noise:.0%}: pin with --cpus, and raise --runs and --launches"
    slow = sum(x > SLOW * median(values) for x in values)
    if slow and slow >= SLOW_SHARE * len(values):
        yield (
            f"{slow} of {len(values)} launches are over {SLOW - 1:.0%} slower than the median:"
            " stop other programs, or keep to other cores with --cpus"
        )
    drift = stats.fit_trend(values)
    if abs(drift.change) > DRIFT and drift.p_value < DRIFT_P:
        slower = "the device got warm: let it cool, then raise --launches"
        faster = "it was still starting up, or busy with something else: raise --warmup and repeat"
        why = slower if drift.change > 0 else faster
        yield f"latency drifted by {drift.change:+.0%} over the session: {why}"


def _surroundings(record: BenchRecord) -> Iterator[str]:
    threads, cores = record.params.threads, record.device.cores
    launches = record.shown_launches
    if launches[0].cpus and len(launches[0].cpus) < threads:
        yield f"{threads} threads share {_cores(len(launches[0].cpus))}: lower --threads"
    shares = [x for x in (launch.others_share(cores) for launch in launches) if x is not None]
    if shares and median(shares) > BUSY_SHARE:
        yield (
            f"other programs used {100 * median(shares):.0f} % of the processor:"
            " stop them, or measure again once they are done"
        )
    governor = launches[0].state_before.governor
    if record.device.scheme == "local" and governor and "powersave" in governor:
        yield "the cores save power: run cpupower frequency-set -g performance"


def _cores(count: int) -> str:
    return f"{count} core{'' if count == 1 else 's'}"
