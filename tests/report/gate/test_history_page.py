"""The page of a device's gates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ghostdeploy.report.gate.history_page import render
from tests.report.browser import check_layout
from tests.report.gate.test_formats import GREEN, NASTY, RUN, with_texts


def test_the_history_page():
    runs = [GREEN, RUN, replace(with_texts(NASTY), device="adb:S1"), replace(GREEN, ratio=None)]
    (page,) = render(runs, 2, "h").values()
    assert "2 lines of the log could not be read" in page
    assert page.count("<script") == 1
    assert page.count("data:image/svg+xml;base64,") == 2
    assert "01234567+" in page
    assert page.count("<tr>") == 5


def test_nothing_is_overprinted(tmp_path: Path) -> None:
    names = ("fp32", "a-gate-of-" * 20, "W" * 300)
    devices = ("adb:S1", "fake:" + "device" * 30)
    runs = [
        replace(run, name=name, device=device, why=why)
        for device in devices
        for name in names
        for run in [GREEN, RUN] * 3
        for why in ("less than 5 % slower", "x" * 250)
    ]
    pages = {"few": render([GREEN, RUN], 0, "h"), "many": render(runs, 1, "h")}
    check_layout({name: page["h.html"] for name, page in pages.items()}, tmp_path)
