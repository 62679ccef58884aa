"""What can go wrong with a phone, as switches."""

from __future__ import annotations

import threading
from dataclasses import dataclass

ALWAYS = -1
_lock = threading.Lock()


@dataclass
class Trigger:
    """Fires for texts that contain ``match``, ``times`` times (ALWAYS: without end).

    ``after_bytes``: how far the transfer may get before it does.
    """

    match: str = ""
    times: int = 1
    after_bytes: int = 0

    def fires(self, text: str) -> bool:
        """Return whether it happens to ``text`` now, and count that."""
        with _lock:
            if not self.times or self.match not in text:
                return False
            self.times -= self.times > 0
            return True


def _off() -> Trigger:
    return Trigger(times=0)


@dataclass
class Faults:
    """The faults of one phone, read live: a test turns one on while the phone runs.

    ``drop_*`` cut the connection: when a command starts, after that much of a command's output or
    of a pushed file has passed. ``hang_at_command`` takes the command and never answers; ``refuse``
    matches the name of a service. ``corrupt_push`` flips a byte of the pushed file on the way.
    """

    drop_at_command: Trigger | None = None
    drop_after_output: Trigger | None = None
    drop_after_push: Trigger | None = None
    hang_at_command: Trigger | None = None
    hang_push: Trigger | None = None
    corrupt_push: Trigger | None = None
    refuse: Trigger | None = None
    read_only: bool = False


def fires(trigger: Trigger | None, text: str) -> bool:
    """Return whether a fault that may be off happens to ``text`` now."""
    return trigger is not None and trigger.fires(text)
