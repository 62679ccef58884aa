"""``ghostdeploy devices``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ghostdeploy.cli.terminal import JSON_HELP, emit_json

if TYPE_CHECKING:
    from ghostdeploy.runners.attached import AttachedDevice
    from ghostdeploy.schema import DeviceState


@click.command()
@click.argument("addresses", metavar="[HOST:PORT]...", nargs=-1)
@click.option("--adb", default="", metavar="PATH", help="The adb program.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def devices(addresses: tuple[str, ...], adb: str, as_json: bool) -> None:
    """The phones that adb reaches: their cores, their state, and what they still lack.

    HOST:PORT is connected to first, for phones with wireless debugging.
    """
    from ghostdeploy.runners.attached import list_attached

    found = list_attached(adb, addresses)
    if as_json:
        return emit_json([asdict(device) for device in found])
    if not found:
        click.echo(
            "no phone: turn on USB debugging in its developer options, plug it in and accept the"
            " prompt; or name its address"
        )
    for device in found:
        click.echo("\n".join(_lines(device)))


def _lines(device: AttachedDevice) -> Iterator[str]:
    from ghostdeploy.report.latency.conditions import describe_device
    from ghostdeploy.report.parts.clean_text import clean
    from ghostdeploy.report.parts.columns import align_columns
    from ghostdeploy.report.parts.grid import format_cpus

    if device.identity is None or device.state is None:
        yield f"{clean(device.address)}  not ready: {clean(device.problem, 300)}"
        return
    yield f"{clean(device.address)}  {clean(describe_device(device.identity), 200)}"
    rows = [
        (
            f"  {cluster.role}",
            f"{cluster.core} ×{len(cluster.cpus)}",
            f"CPUs {format_cpus(cluster.cpus)}",
            f"mask {sum(1 << cpu for cpu in cluster.cpus):02x}",
            f"{cluster.max_khz / 1e6:.2f} GHz" if cluster.max_khz else "clock unknown",
        )
        for cluster in device.identity.clusters
    ]
    if rows:
        yield from map(clean, align_columns(("  --cpus", "core", "", "", "top clock"), rows))
    yield f"  {_state(device.state)}"
    yield f"  benchmark_model: {clean(device.program) or _NONE}"


_NONE = "none yet; run: ghostdeploy doctor --fetch-benchmark-model"


def _state(now: DeviceState) -> str:
    known = (
        (now.thermal_status, "thermal status {}"),
        (now.max_temp_c, "{:.1f} °C"),
        (now.battery_percent, "battery {} %"),
        (now.mem_available_mb, "{:.0f} MB free"),
        (now.governor, "governor {}"),
    )
    told = [text.format(value) for value, text in known if value is not None]
    return ", ".join(told) or "it tells nothing of its state"
