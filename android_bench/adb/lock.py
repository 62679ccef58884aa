"""Let one process at a time measure on a phone, by a lock that lives on the phone.

It is a folder (mkdir is atomic) with the owner in it and the phone's uptime when the owner last
showed itself. It is stale, and taken over, if the phone restarted since, if its owner did not show
itself for longer than it promised, or if its owner was a process of this machine that is gone.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import time
from contextlib import suppress
from dataclasses import asdict, dataclass

from android_bench.adb.phone import Adb
from android_bench.adb.text import DEVICE_ROOT, quote_word
from android_bench.errors import AdbError, DeviceLockedError

LOCK = f"{DEVICE_ROOT}/lock"
LEASE_S = 300.0
_WITHOUT_OWNER_S = 2.0

_READ_CLOCK = """
{{ read -r boot </proc/sys/kernel/random/boot_id; }} 2>/dev/null
{{ read -r up idle </proc/uptime; }} 2>/dev/null
"""
_TAKE = """
mkdir -p {root} || exit 1
if mkdir {lock} 2>/dev/null; then
  echo "$up" >{lock}/beat
  echo "$boot" >{lock}/boot
  {{ printf '%s\\n' {owner} >{lock}/owner.tmp && mv {lock}/owner.tmp {lock}/owner; }} ||
    {{ rm -rf {lock}; exit 1; }}
fi
"""
_LOOK = """
beat= of= holder=
{{ read -r holder <{lock}/owner; read -r beat <{lock}/beat; read -r of <{lock}/boot; }} 2>/dev/null
echo "${{boot:--}} ${{up:--}} ${{of:--}} ${{beat:--}}"
echo "$holder"
"""
# Renaming is atomic: of two that find a lock stale, one moves it away; the other may have moved the
# first one's new lock, sees that by its owner, and puts it back.
_BREAK = """
away={lock}.stale.{token}
mv {lock} "$away" 2>/dev/null || exit 0
holder=
{{ read -r holder <"$away/owner"; }} 2>/dev/null
if [ "$holder" = {holder} ] || [ -d {lock} ]; then rm -rf "$away"; else mv "$away" {lock}; fi
"""
_IF_MINE = """
{{ read -r holder <{lock}/owner; }} 2>/dev/null
[ "$holder" = {owner} ] || exit 3
{action}
"""
_BEAT = """
echo "$up" >{lock}/beat.tmp && mv {lock}/beat.tmp {lock}/beat
"""


@dataclass(frozen=True)
class Owner:
    """The owner of a lock says what it does, which process it is, and how long it may be silent.

    ``space`` tells containers of one machine apart: each has process numbers of its own.
    """

    token: str
    host: str
    space: str
    pid: int
    what: str
    lease_s: float


@dataclass(frozen=True)
class _Seen:
    """The phone shows its lock like this; ages are by the phone's uptime."""

    holder: str
    owner: Owner | None
    age_s: float | None
    rebooted: bool


class DeviceLock:
    """A lock keeps everybody else off the phone: ``with DeviceLock(adb, "bench"): …``.

    Entering raises DeviceLockedError, which names the holder. ``lease_s``: without a ``refresh``
    for that long (the phone's time), others may take the phone over.
    """

    def __init__(self, adb: Adb, what: str, lease_s: float = LEASE_S) -> None:
        self.adb = adb
        self.owner = Owner(
            secrets.token_hex(8), platform.node(), _space(), os.getpid(), what, lease_s
        )

    def __enter__(self) -> DeviceLock:
        self.acquire()
        return self

    def __exit__(self, *error: object) -> None:
        # the phone may be gone, and the lock goes stale by itself
        with suppress(AdbError):
            self.release()

    def acquire(self) -> None:
        """Take the lock, a stale one too. Raises DeviceLockedError and the AdbErrors."""
        for _ in range(3):
            seen = self._take()
            if seen.holder == self._line:
                return
            if not seen.holder:
                # its owner is about to write its name, or was cut off before it could
                time.sleep(_WITHOUT_OWNER_S)
                seen = self._take()
            if not _is_stale(seen):
                raise self._locked(seen)
            self._break(seen)
        raise self._locked(seen)

    def refresh(self) -> None:
        """Show that the owner lives. Raises DeviceLockedError if somebody took the phone over."""
        result = self.adb.shell(self._if_mine(_READ_CLOCK + _BEAT))
        if result.returncode == 3:
            raise self._locked(self._look())
        if result.returncode:
            raise self.adb.explain_failure("refresh the lock", result)

    def release(self) -> None:
        """Give the lock back; nothing happens if it is somebody else's by now."""
        result = self.adb.shell(self._if_mine("rm -rf {lock}"))
        if result.returncode not in (0, 3):
            raise self.adb.explain_failure(["rm", "-rf", LOCK], result)

    @property
    def _line(self) -> str:
        return json.dumps(asdict(self.owner))

    def _if_mine(self, action: str) -> str:
        return self._fill(_IF_MINE.replace("{action}", action))

    def _fill(self, source: str, holder: str = "") -> str:
        return source.format(
            root=quote_word(DEVICE_ROOT),
            lock=quote_word(LOCK),
            owner=quote_word(self._line),
            holder=quote_word(holder),
            token=self.owner.token,
        )

    def _take(self) -> _Seen:
        said = self.adb.check(self._fill(_READ_CLOCK + _TAKE + _LOOK))
        return _seen(said)

    def _look(self) -> _Seen:
        return _seen(self.adb.check(self._fill(_READ_CLOCK + _LOOK)))

    def _break(self, seen: _Seen) -> None:
        self.adb.check(self._fill(_BREAK, seen.holder))

    def _locked(self, seen: _Seen) -> DeviceLockedError:
        owner, age = seen.owner, "at an unknown time" if seen.age_s is None else ""
        who = f"process {owner.pid} on {owner.host} ({owner.what})" if owner else "another process"
        return DeviceLockedError(
            f"{self.adb.serial} is in use by {who}, last seen {age or f'{seen.age_s:.0f} s ago'};"
            f" wait for it, or if it is gone run: {self.adb.client.name} -s {self.adb.serial} shell"
            f" rm -r {LOCK}",
            serial=self.adb.serial,
        )


def _seen(said: str) -> _Seen:
    clock, _, holder = said.strip("\n").partition("\n")
    boot, up, lock_boot, beat = clock.split()
    return _Seen(
        holder, _owner(holder), _age_s(up, beat), "-" not in (boot, lock_boot) and boot != lock_boot
    )


def _owner(holder: str) -> Owner | None:
    try:
        return Owner(**json.loads(holder))
    except (TypeError, ValueError):
        return None


def _age_s(up: str, beat: str) -> float | None:
    try:
        return float(up) - float(beat)
    except ValueError:
        return None


def _is_stale(seen: _Seen) -> bool:
    if seen.rebooted or seen.owner is None:
        return True
    on_this_machine = (seen.owner.host, seen.owner.space) == (platform.node(), _space())
    if on_this_machine and not _lives(seen.owner.pid):
        return True
    # an age below 0 is of another boot that could not be told apart
    return seen.age_s is not None and not 0 <= seen.age_s <= seen.owner.lease_s


def _space() -> str:
    with suppress(OSError):
        return os.readlink("/proc/self/ns/pid")
    return ""


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
