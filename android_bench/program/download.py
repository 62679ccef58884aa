"""Download one file over HTTP, bounded in size and in time; whatever a server sends is one line."""

from __future__ import annotations

import http.client
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from android_bench.errors import FetchError

TIMEOUT_S = 60.0  # without a byte
TOTAL_S = 1800.0  # 200 MB at 1 Mbit/s
_CHUNK = 1 << 16
_LONGEST = 200

Progress = Callable[[int, int | None], None]


def download(
    url: str,
    path: Path,
    max_bytes: int,
    progress: Progress = lambda done, total: None,
    *,
    total_s: float = TOTAL_S,
) -> None:
    """Write what is at ``url`` to the new file ``path``, which may be left in pieces on an error.

    ``progress`` gets bytes, and how many there will be, where that is told. Raises FetchError for
    an answer that is malformed, cut off, or over ``max_bytes`` or ``total_s`` seconds, and OSError
    for the file.
    """
    steps: queue.SimpleQueue[tuple[int, int | None] | BaseException | None] = queue.SimpleQueue()
    given_up = threading.Event()

    def tell(done: int, total: int | None) -> None:
        steps.put((done, total))

    def work() -> None:
        try:
            _receive(url, path, max_bytes, tell, given_up)
            steps.put(None)
        except BaseException as error:
            steps.put(error)

    # A timeout of the socket's begins anew with each byte, in the middle of a header too: only
    # another thread can be left alone with a server that sends one a second.
    deadline = time.monotonic() + total_s
    threading.Thread(target=work, daemon=True, name="download").start()
    try:
        while True:
            step = steps.get(timeout=max(0.0, deadline - time.monotonic()))
            if step is None:
                return
            if isinstance(step, BaseException):
                raise step
            progress(*step)
    except queue.Empty:
        raise FetchError(f"{_plain(url)}: did not end within {total_s:g} s; try again") from None
    finally:
        given_up.set()


def _receive(
    url: str, path: Path, max_bytes: int, tell: Progress, given_up: threading.Event
) -> None:
    with path.open("xb") as file:
        for chunk in _chunks(url, max_bytes, tell):
            if given_up.is_set():
                return
            file.write(chunk)


def _chunks(url: str, max_bytes: int, tell: Progress) -> Iterator[bytes]:
    """Yield what comes. Raises FetchError for all that the network and the server can do."""
    name, done, total = _plain(url), 0, None
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            length = answer.headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() and len(length) < 20 else None
            while chunk := answer.read1(_CHUNK):
                done += len(chunk)
                if done > max_bytes:
                    raise FetchError(f"{name}: is over {max_bytes // 10**6} MB; is it the file?")
                tell(done, total)
                yield chunk
    except urllib.error.HTTPError as error:
        said = _plain(f"{error.code} {error.reason}")
        raise FetchError(f"{name}: the server says {said}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        kind = type(error).__name__
        raise FetchError(f"{name}: {_plain(str(reason)) or kind}") from None
    if total is not None and done < total:
        raise FetchError(f"{name}: was cut off after {done} of {total} bytes; try again")


def _plain(text: str) -> str:
    """Return a server's words as one printable line of bounded length."""
    line = " ".join(text.split())[:_LONGEST]
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line)
