"""Measuring latencies: sessions, their records, and what the records say together."""

from ghostdeploy.commands.bench.session import (
    ATTEMPTS_PER_LAUNCH,
    Session,
    artifact_of,
    bench,
    compare_records,
    file_safe,
    log_ratios,
    new_records,
    open_session,
    record_name,
)

__all__ = [
    "ATTEMPTS_PER_LAUNCH",
    "Session",
    "artifact_of",
    "bench",
    "compare_records",
    "file_safe",
    "log_ratios",
    "new_records",
    "open_session",
    "record_name",
]
