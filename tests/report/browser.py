"""Pages in a headless Chromium: where texts lie on each other, and what a script finds."""

from __future__ import annotations

import html
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1500,1000", "--virtual-time-budget=20000",
)  # fmt: skip
WIDTHS = (360, 800, 1400)  # pixels: a phone, a tablet, a desk
MEASURE = Path(__file__).with_name("browser.js")
TIMEOUT_S = 180


def run_in_pages(pages: Mapping[str, str], script: str, folder: Path) -> dict[str, Any]:
    """Load every page at every width and return by ``NAME at WIDTH`` what ``script`` returns.

    Each page lies in a frame of that width, under its own policy. ``script`` is the body of a
    function of the frame's ``window`` and ``document``; the functions of browser.js are at hand.
    Skips the test where there is no Chromium.
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"none of {', '.join(PROGRAMS)} is on PATH: pages are not looked at")
    frames = "".join(
        f'<iframe name="{name} at {width}" style="width:{width}px;height:900px;border:0"'
        f' srcdoc="{html.escape(page)}"></iframe>'
        for name, page in pages.items()
        for width in WIDTHS
    )
    code = f"{MEASURE.read_text()}\nrunInFrames((window, document) => {{ {script} }});"
    outer = folder / "frames.html"
    outer.write_text(
        f'<!doctype html><meta charset="utf-8">{frames}<script>{code}</script>', "utf-8"
    )
    argv = [program, *SWITCHES, f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    done = subprocess.run([*argv, outer.as_uri()], capture_output=True, timeout=TIMEOUT_S)
    found = done.stdout.decode().split('<pre id="found">')
    assert len(found) == 2, done.stderr.decode()[-2000:]
    result: dict[str, Any] = json.loads(html.unescape(found[1].split("</pre>")[0]))
    return result


def check_layout(pages: Mapping[str, str], folder: Path) -> None:
    """Fail where texts overlap, leave their box, or make a page wider than its window."""
    found = run_in_pages(pages, "return findFaults(window, document);", folder)
    assert len(found) == len(pages) * len(WIDTHS)
    lines = [f"{where}: {fault}" for where, faults in found.items() for fault in faults]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)
