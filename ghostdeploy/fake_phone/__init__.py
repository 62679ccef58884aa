"""A test phone: a device daemon that the real adb program connects to over TCP. No phone at all.

As a library: ``with Phone(PHONES["kirin980"]) as phone: … adb connect phone.serial …``; as a
program: ``python -m ghostdeploy.fake_phone --phone kirin980``. Standard library only.

phones.py describes the phones, phone.py is one of them, faults.py what can go wrong with it,
sandbox.py and agent.py where its commands run, protocol.py, shell_service.py and sync_service.py its adbd, and
programs/ what it has in /system/bin. ``taskset`` there only notes the mask, so read it back with
``taskset -p``, not from /proc/PID/status.
"""

import sys
from pathlib import Path

from ghostdeploy.fake_phone.faults import ALWAYS, Faults, Trigger
from ghostdeploy.fake_phone.phone import Phone
from ghostdeploy.fake_phone.phones import PHONES, PhoneSpec
from ghostdeploy.fake_phone.sandbox import can_isolate

__all__ = [
    "ALWAYS",
    "PHONES",
    "STANDIN",
    "Faults",
    "Phone",
    "PhoneSpec",
    "Trigger",
    "can_isolate",
    "write_standin",
]

STANDIN = Path(__file__).with_name("benchmark_model") / "__main__.py"


def write_standin(path: Path) -> Path:
    """Write the stand-in for benchmark_model as a program that these phones can execute."""
    source = STANDIN.read_text().split("\n", 1)[1]
    path.write_text(f"#!{sys.executable}\n{source}")
    path.chmod(0o755)
    return path
