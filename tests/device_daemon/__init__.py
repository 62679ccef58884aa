"""A test phone: a device daemon that the real adb program connects to over TCP. No phone at all.

As a library: ``with Phone(PHONES["kirin980"]) as phone: … adb connect phone.serial …``; as a
program: ``python -m tests.device_daemon --phone kirin980``. Standard library only.

phones.py describes the phones, phone.py is one of them, faults.py what can go wrong with it,
sandbox.py and agent.py where its commands run, protocol.py, shell.py and sync.py its adbd, and
programs/ what it has in /system/bin. ``taskset`` there only notes the mask, so read it back with
``taskset -p``, not from /proc/PID/status.
"""

from tests.device_daemon.faults import ALWAYS, Faults, Trigger
from tests.device_daemon.phone import Phone
from tests.device_daemon.phones import PHONES, PhoneSpec
from tests.device_daemon.sandbox import can_isolate

__all__ = ["ALWAYS", "PHONES", "Faults", "Phone", "PhoneSpec", "Trigger", "can_isolate"]
