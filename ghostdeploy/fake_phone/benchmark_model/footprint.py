"""This process's memory, from /proc, and the lines that the program prints of it."""

from __future__ import annotations

import os
from pathlib import Path

from ghostdeploy.fake_phone.benchmark_model.console import say


def resident_mib() -> float:
    """Return how much memory this process has resident, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def report_peak() -> None:
    """Print what ``--report_peak_memory_footprint`` asks for."""
    status = dict(
        line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if line
    )
    peak_mib = int(status["VmHWM"].split()[0]) / 1024
    say(f"Overall peak memory footprint (MB) via periodic monitoring: {peak_mib:.6g}")
    say("Memory status at the end of exeution:")
    resident = int(resident_mib())
    shared = int((Path("/proc/self/statm").read_text().split())[2]) * 4096 // 2**20
    say(f"- VmRSS              : {resident} MB")
    say(f"+ RssAnnon           : {resident - shared} MB")
    say(f"+ RssFile + RssShmem : {shared} MB")
