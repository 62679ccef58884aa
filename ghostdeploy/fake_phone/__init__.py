"""A test phone: a device daemon that the real adb program connects to over TCP. No phone at all.

As a library: ``with Phone(PHONES["kirin980"]) as phone: … adb connect phone.serial …``; as a
program: ``python -m ghostdeploy.fake_phone --phone kirin980``. Standard library only, but for
the stand-in for benchmark_model, which needs ai-edge-litert.

What stands for what:

==================== ============================================================================
phones.py            three kinds of phone, as data
phone.py             one of them, switched on; what a test can do to it
faults.py            what can go wrong with it
storage.py           its file system, a folder of this machine
contents.py          the texts of /proc, /sys, getprop and dumpsys
programs/            what it has in /system/bin: toybox's and Android's programs
adbd.py              adb's daemon: who may connect, and which services there are
protocol.py          adb's wire protocol
shell_service.py     adbd's ``shell:`` and ``exec:``
sync_service.py      adbd's ``sync:``: stat, list, push and pull
sandbox.py, agent.py where its commands run: the kernel, init and the user ``shell``
guard.py             what removes its files, also after the process was killed
benchmark_model/     TFLite's benchmark_model; standin.py packs it into one program
==================== ============================================================================

``taskset`` there only notes the mask, so read it back with ``taskset -p``, not from
/proc/PID/status.
"""

from ghostdeploy.fake_phone.faults import ALWAYS, Faults, Trigger
from ghostdeploy.fake_phone.phone import Phone
from ghostdeploy.fake_phone.phones import PHONES, PhoneSpec
from ghostdeploy.fake_phone.sandbox import can_isolate
from ghostdeploy.fake_phone.standin import write_standin

__all__ = [
    "ALWAYS",
    "PHONES",
    "Faults",
    "Phone",
    "PhoneSpec",
    "Trigger",
    "can_isolate",
    "write_standin",
]
