"""Say what is done when the phone vanishes: how long it is waited for, how often, what is told.

Whatever the phone vanished in is done again as soon as it is back. A single call (a command, a
push, a pull) is tried twice, and waits a little without a word. A session tries as often as fits
into its patience, and tells what it waits for: a run on the phone goes on without us.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from android_bench.errors import (
    AdbError,
    AdbServerError,
    AdbTimeoutError,
    ConnectionLostError,
    NoDeviceError,
    OfflineError,
    ServiceRefusedError,
    UnknownSerialError,
)

CALL_WAIT_S = 10.0
CALL_ATTEMPTS = 2
SESSION_WAIT_S = 120.0
TELL_EVERY_S = 5.0
POLL_S = 0.5
# These may pass by themselves, or by connecting anew. A server that was killed, or is slow to start
# on a busy machine, is back with the next call.
VANISHED = (
    AdbServerError,
    ConnectionLostError,
    NoDeviceError,
    OfflineError,
    ServiceRefusedError,
    UnknownSerialError,
)

Tell = Callable[[str], None]
_T = TypeVar("_T")


class Waiting(Protocol):
    """Anything with these two can be waited for; ``PhoneConnection`` is one."""

    @property
    def serial(self) -> str:
        """Name the phone in what is told."""
        ...

    def wait_online(self, timeout_s: float) -> None:
        """Return once the phone takes commands; raise an AdbError if it does not in time."""
        ...


def _tell_nobody(text: str) -> None:
    pass


@dataclass(frozen=True)
class Patience:
    """A patience says how much is done to outlast the absence of a phone.

    ``wait_s`` is the time from the first loss in which it must be back. ``attempts`` bounds how
    often something is tried; None: as often as fits into ``wait_s``. ``passing`` are the errors
    after which it is tried again. ``tell`` hears what is waited for, and may raise to end it.
    """

    wait_s: float
    attempts: int | None = None
    passing: tuple[type[AdbError], ...] = VANISHED
    tell: Tell = _tell_nobody

    def also_after(self, error: type[AdbError]) -> Patience:
        """Return a patience that tries again after this error, too."""
        return replace(self, passing=(*self.passing, error))


def repeat_patiently(phone: Waiting, action: Callable[[], _T], patience: Patience) -> _T:
    """Do ``action``, and again whenever the phone vanished in it; return what it gave.

    Only for what may be done twice. Raises the last error if the phone does not come back, or
    comes back and vanishes each time.
    """
    tried, deadline = 0, 0.0
    while True:
        try:
            return action()
        except patience.passing as error:
            tried += 1
            if tried == patience.attempts or (deadline and time.monotonic() >= deadline):
                raise
            deadline = deadline or time.monotonic() + patience.wait_s
            _wait_until(deadline, phone, error, patience.tell)
            time.sleep(POLL_S)


def wait_back(phone: Waiting, lost: AdbError, patience: Patience) -> None:
    """Give a phone that vanished its time to come back; raise ``lost`` if it does not.

    However little time that is, it is looked for once.
    """
    _wait_until(time.monotonic() + patience.wait_s, phone, lost, patience.tell)


def _wait_until(deadline: float, phone: Waiting, lost: AdbError, tell: Tell) -> None:
    while True:
        left_s = max(0.0, deadline - time.monotonic())
        tell(f"{phone.serial} is gone; waiting {left_s:.0f} s for it to come back")
        try:
            return phone.wait_online(min(TELL_EVERY_S, left_s))
        except (*VANISHED, AdbTimeoutError):
            time.sleep(POLL_S)
            if time.monotonic() >= deadline:
                raise lost from None
