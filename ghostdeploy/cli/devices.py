"""``ghostdeploy devices``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ghostdeploy.cli.options.arguments import argument, command, json_flag, option, pass_arguments
from ghostdeploy.cli.terminal import emit_json, show
from ghostdeploy.errors import MeasurementError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ghostdeploy.runners.attached import AttachedDevice
    from ghostdeploy.schema import DeviceState


NO_PHONE = (
    "no phone: turn on USB debugging in its developer options, plug it in and accept the prompt;"
    " or name its address"
)


@dataclass(frozen=True)
class DevicesArguments:
    """The arguments of ``ghostdeploy devices``."""

    addresses: tuple[str, ...] = argument(metavar="[HOST:PORT]...", nargs=-1)
    adb: str = option(
        "--adb",
        default="",
        metavar="PATH",
        help="The adb program; it is looked for in the usual places without.",
    )
    as_json: bool = json_flag()


@command()
@pass_arguments(DevicesArguments)
def devices(arguments: DevicesArguments) -> None:
    """List the phones that adb reaches, and what they still lack.

    It tells their cores and their state. HOST:PORT is connected to first, for phones with wireless
    debugging.
    """
    from ghostdeploy.runners.attached import list_attached

    found = list_attached(arguments.adb, arguments.addresses)
    missing = [device.address for device in found if device.missing]
    if arguments.as_json:
        emit_json([asdict(device) for device in found])
    elif not found:
        from ghostdeploy.report.parts.layout import safe

        show(safe(NO_PHONE))
    for device in () if arguments.as_json else found:
        show(*_parts(device))
    if missing:
        raise MeasurementError(f"cannot be reached: {', '.join(missing)}")


def _parts(device: AttachedDevice) -> Iterator[RenderableType]:
    from ghostdeploy.report.latency.conditions import describe_device
    from ghostdeploy.report.parts.grid import format_cpus
    from ghostdeploy.report.parts.layout import CARE, HEADER, hang, indent, join, lay_out, safe

    address = join(safe(device.address, HEADER), "  ")
    if device.identity is None or device.state is None:
        state = "not there" if device.missing else "not ready"
        yield hang(address, safe(f"{state}: {device.problem}", CARE))
        return
    yield hang(address, safe(describe_device(device.identity)))
    rows = [
        (
            cluster.role,
            f"{cluster.core} ×{len(cluster.cpus)}",
            f"CPUs {format_cpus(cluster.cpus)}",
            f"mask {sum(1 << cpu for cpu in cluster.cpus):02x}",
            f"{cluster.max_khz / 1e6:.2f} GHz" if cluster.max_khz else "clock unknown",
        )
        for cluster in device.identity.clusters
    ]
    if rows:
        yield indent(lay_out(("--cpus", "core", "", "", "top clock"), rows))
    yield hang("  ", safe(_state(device.state)))
    yield hang("  benchmark_model: ", safe(device.program or _NONE))


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
