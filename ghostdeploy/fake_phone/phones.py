"""The phones as data: what three kinds of device say about themselves."""

from __future__ import annotations

from dataclasses import dataclass

SHELL_V2 = "shell_v2,cmd,stat_v2,ls_v2,fixed_push_mkdir,abb,abb_exec,sendrecv_v2"
ANDROID_13 = SHELL_V2 + ",apex,fixed_push_symlink_timestamp,remount_shell,track_app,devicetracker"


@dataclass(frozen=True)
class SimulatedCluster:
    """Cores that share a clock. Frequencies in kHz, as sysfs gives them.

    ``implementer`` and ``part`` are Arm's numbers in /proc/cpuinfo, ``fixed_khz`` is the clock in
    Android's fixed performance mode.
    """

    cpus: tuple[int, ...]
    implementer: str
    part: str
    min_khz: int
    max_khz: int
    fixed_khz: int
    governor: str = "schedutil"


@dataclass(frozen=True)
class PhoneSpec:
    r"""One kind of phone.

    ``denied``: paths that the shell user may not read, "/x/*" for all below. ``missing``: programs
    that it lacks. ``pty``: adbd gives each command a terminal, which turns \n into \r\n.
    ``zones``: (type, temperature in the zone's own unit). ``fixed_performance``: Android 11's mode
    exists. ``memory_mb`` is 10⁶ bytes, ``battery_decidegc`` tenths of °C.
    """

    name: str
    properties: tuple[tuple[str, str], ...]
    clusters: tuple[SimulatedCluster, ...]
    features: str
    zones: tuple[tuple[str, int], ...] = ()
    temperatures: tuple[tuple[str, float], ...] = ()
    thermal_service: bool = True
    fixed_performance: bool = False
    battery_level: int = 84
    battery_decidegc: int = 326
    memory_mb: int = 6000
    denied: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    pty: bool = False


KIRIN_980 = PhoneSpec(
    name="kirin980",
    properties=(
        ("ro.product.name", "ELE-L29EEA"),
        ("ro.product.model", "ELE-L29"),
        ("ro.product.device", "HWELE"),
        ("ro.product.manufacturer", "HUAWEI"),
        ("ro.product.brand", "HUAWEI"),
        ("ro.product.cpu.abi", "arm64-v8a"),
        ("ro.product.cpu.abilist", "arm64-v8a,armeabi-v7a,armeabi"),
        ("ro.board.platform", "kirin980"),
        ("ro.hardware", "kirin980"),
        ("ro.build.version.sdk", "29"),
        ("ro.build.version.release", "10"),
        (
            "ro.build.fingerprint",
            "HUAWEI/ELE-L29EEA/HWELE:10/HUAWEIELE-L29/10.1.0:user/release-keys",
        ),
        ("ro.build.display.id", "ELE-L29 10.1.0.162(C431E22R2P5)"),
    ),
    clusters=(
        SimulatedCluster((0, 1, 2, 3), "0x41", "0xd05", 830_000, 1_805_000, 1_402_000),
        SimulatedCluster((4, 5), "0x48", "0xd40", 826_000, 1_920_000, 1_460_000),
        SimulatedCluster((6, 7), "0x48", "0xd40", 903_000, 2_600_000, 1_863_000),
    ),
    features=SHELL_V2,
    zones=(
        ("soc_thermal", 41_000),
        ("cluster0", 40_000),
        ("cluster2", 43_000),
        ("Battery", 32_600),
    ),
    temperatures=(("CPU0", 41.0), ("BATTERY", 32.6), ("SKIN", 34.1)),
)

PRIME = PhoneSpec(
    name="prime",
    properties=(
        ("ro.product.name", "taro"),
        ("ro.product.model", "T1 Pro"),
        ("ro.product.device", "taro"),
        ("ro.product.manufacturer", "Example"),
        ("ro.product.brand", "example"),
        ("ro.product.cpu.abi", "arm64-v8a"),
        ("ro.product.cpu.abilist", "arm64-v8a,armeabi-v7a,armeabi"),
        ("ro.board.platform", "taro"),
        ("ro.hardware", "qcom"),
        ("ro.soc.manufacturer", "QTI"),
        ("ro.soc.model", "SM8450"),
        ("ro.build.version.sdk", "33"),
        ("ro.build.version.release", "13"),
        ("ro.build.fingerprint", "example/taro/taro:13/TKQ1.220829.002/14.0.4:user/release-keys"),
        ("ro.build.display.id", "TKQ1.220829.002"),
    ),
    clusters=(
        SimulatedCluster((0, 1, 2, 3), "0x41", "0xd46", 307_200, 1_785_600, 1_228_800, "walt"),
        SimulatedCluster((4, 5, 6), "0x41", "0xd47", 633_600, 2_496_000, 1_766_400, "walt"),
        SimulatedCluster((7,), "0x41", "0xd48", 806_400, 2_995_200, 1_804_800, "walt"),
    ),
    features=ANDROID_13,
    zones=(("cpu-0-0-usr", 38_200), ("cpu-1-7-usr", 41_700), ("skin-msm-therm", 33_400)),
    temperatures=(("CPU0", 38.2), ("CPU7", 41.7), ("battery", 30.5), ("skin", 33.4)),
    fixed_performance=True,
    battery_level=67,
    battery_decidegc=305,
    memory_mb=12_000,
)

# Half of it is denied, and its adbd is of Android 6: no shell_v2, and a terminal for each command.
BARE = PhoneSpec(
    name="bare",
    properties=(
        ("ro.product.name", "bare"),
        ("ro.product.model", "Bare 410"),
        ("ro.product.device", "bare"),
        ("ro.product.cpu.abi", "arm64-v8a"),
        ("ro.board.platform", "msm8916"),
        ("ro.hardware", "qcom"),
        ("ro.build.version.sdk", "23"),
        ("ro.build.version.release", "6.0.1"),
        ("ro.build.fingerprint", "example/bare/bare:6.0.1/MMB29M/1:user/release-keys"),
    ),
    clusters=(
        SimulatedCluster(
            (0, 1, 2, 3), "0x41", "0xd03", 200_000, 1_209_600, 1_209_600, "interactive"
        ),
    ),
    features="",
    zones=(("tsens_tz_sensor0", 39),),
    thermal_service=False,
    memory_mb=1_000,
    battery_level=51,
    denied=(
        "/sys/devices/system/cpu/cpufreq/*",
        "/sys/class/thermal/*",
        "/proc/loadavg",
        "/proc/meminfo",
    ),
    missing=("sha256sum", "cmd", "settings"),
    pty=True,
)

PHONES = {spec.name: spec for spec in (KIRIN_980, PRIME, BARE)}
