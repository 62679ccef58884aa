"""A phone's files, from its description: /proc, /sys, properties, dumpsys.

The texts have the forms that Android's kernels and services print.
"""

from __future__ import annotations

from collections.abc import Iterator

from ghostdeploy.fake_phone.phones import PhoneSpec, SimulatedCluster

CPU = "sys/devices/system/cpu"
STATE = "system/phone"
THERMAL_TYPES = {"CPU": 0, "BATTERY": 2, "SKIN": 3}


def make_files(spec: PhoneSpec) -> dict[str, str]:
    """Return the text of every file of the phone, by its path below the root."""
    return {
        **_proc(spec),
        **dict(_sysfs(spec)),
        **_dumpsys(spec),
        f"{STATE}/props": "".join(f"{key}={value}\n" for key, value in spec.properties),
        f"{STATE}/all-cpus": f"{all_cpus_mask(spec):x}\n",
        **dict(_fixed_performance(spec)),
    }


def all_cpus_mask(spec: PhoneSpec) -> int:
    """Return the affinity mask with the bit of every core."""
    return sum(1 << cpu for cluster in spec.clusters for cpu in cluster.cpus)


def _proc(spec: PhoneSpec) -> dict[str, str]:
    total_kb = spec.memory_mb * 1000
    return {
        "proc.phone/cpuinfo": _cpuinfo(spec),
        "proc.phone/loadavg": "1.24 1.31 1.40 2/1893 4711\n",
        "proc.phone/meminfo": f"MemTotal:       {total_kb} kB\nMemFree:        {total_kb // 8} kB\n"
        f"MemAvailable:   {total_kb // 2} kB\n",
        "proc.phone/uptime": "",
        "proc.phone/sys/kernel/random/boot_id": "",
    }


def _cpuinfo(spec: PhoneSpec) -> str:
    blocks = [
        f"processor\t: {cpu}\nBogoMIPS\t: 3.84\n"
        "Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp asimddp\n"
        f"CPU implementer\t: {cluster.implementer}\nCPU architecture: 8\nCPU variant\t: 0x1\n"
        f"CPU part\t: {cluster.part}\nCPU revision\t: 0\n"
        for cluster in spec.clusters
        for cpu in cluster.cpus
    ]
    hardware = dict(spec.properties)["ro.board.platform"]
    return "\n".join(blocks) + f"\nHardware\t: {hardware}\n"


def _sysfs(spec: PhoneSpec) -> Iterator[tuple[str, str]]:
    last = max(cpu for cluster in spec.clusters for cpu in cluster.cpus)
    for name in ("possible", "present", "online"):
        yield f"{CPU}/{name}", f"0-{last}\n"
    for cluster in spec.clusters:
        yield from _policy(cluster)
    for number, (kind, value) in enumerate(spec.zones):
        yield f"sys/class/thermal/thermal_zone{number}/type", f"{kind}\n"
        yield f"sys/class/thermal/thermal_zone{number}/temp", f"{value}\n"


def _policy(cluster: SimulatedCluster) -> Iterator[tuple[str, str]]:
    cpus = " ".join(map(str, cluster.cpus))
    for name, value in (
        ("related_cpus", cpus),
        ("affected_cpus", cpus),
        ("cpuinfo_min_freq", cluster.min_khz),
        ("cpuinfo_max_freq", cluster.max_khz),
        ("scaling_min_freq", cluster.min_khz),
        ("scaling_max_freq", cluster.max_khz),
        ("scaling_cur_freq", cluster.min_khz),
        ("scaling_governor", cluster.governor),
        ("scaling_available_governors", f"performance {cluster.governor} powersave"),
    ):
        yield f"{policy_folder(cluster)}/{name}", f"{value}\n"


def policy_folder(cluster: SimulatedCluster) -> str:
    """Return cpufreq's folder of a cluster, below the root; the first core gives the number."""
    return f"{CPU}/cpufreq/policy{cluster.cpus[0]}"


def _fixed_performance(spec: PhoneSpec) -> Iterator[tuple[str, str]]:
    for cluster in spec.clusters if spec.fixed_performance else ():
        yield f"{STATE}/fixed/policy{cluster.cpus[0]}", f"{cluster.fixed_khz}\n"


def _dumpsys(spec: PhoneSpec) -> dict[str, str]:
    texts = {
        "battery": describe_battery(spec.battery_level, spec.battery_decidegc),
        "power": "POWER MANAGER (dumpsys power)\n\nPower Manager State:\n  mWakefulness=Awake\n"
        "  mIsPowered=true\n  mStayOn=false\n",
    }
    if spec.thermal_service:
        texts["thermalservice"] = describe_thermal(spec, 0)
    return {f"{STATE}/dumpsys/{name}": text for name, text in texts.items()}


def describe_battery(level: int, decidegc: int) -> str:
    """Return ``dumpsys battery``; ``level`` in %, ``decidegc`` in tenths of °C."""
    return (
        "Current Battery Service state:\n  AC powered: false\n  USB powered: true\n"
        "  Wireless powered: false\n  Max charging current: 500000\n  status: 2\n  health: 2\n"
        f"  present: true\n  level: {level}\n  scale: 100\n  voltage: 4170\n"
        f"  temperature: {decidegc}\n  technology: Li-poly\n"
    )


def describe_thermal(spec: PhoneSpec, status: int, override: bool = False) -> str:
    """Return ``dumpsys thermalservice`` of Android 10 and later; ``status`` is 0 to 6."""
    readings = "\n".join(
        f"\tTemperature{{mValue={value}, mType={_thermal_type(name)}, mName={name},"
        f" mStatus={status}}}"
        for name, value in spec.temperatures
    )
    return (
        f"IsStatusOverride: {str(override).lower()}\nThermalEventListeners:\n\tcallbacks: 1\n"
        "\tkilled: false\n\tbroadcasts count: -1\nThermalStatusListeners:\n\tcallbacks: 2\n"
        f"\tkilled: false\n\tbroadcasts count: -1\nThermal Status: {status}\n"
        f"Cached temperatures:\n{readings}\nHAL Ready: true\nHAL connection:\n"
        "\tThermalHAL 2.0 connected: yes\nCurrent temperatures from HAL:\n"
        f"{readings}\nCurrent cooling devices from HAL:\n"
    )


def _thermal_type(name: str) -> int:
    return THERMAL_TYPES.get(name.upper().rstrip("0123456789"), -1)
