"""The page of a device's gates."""

from __future__ import annotations

from dataclasses import replace

from ghostdeploy.report.gate.history_page import render
from tests.report.gate.test_formats import GREEN, NASTY, RUN, with_texts


def test_the_history_page():
    runs = [GREEN, RUN, replace(with_texts(NASTY), device="adb:S1"), replace(GREEN, ratio=None)]
    (page,) = render(runs, 2, "h").values()
    assert "2 lines of the log could not be read" in page
    assert "<script" not in page
    assert page.count("data:image/svg+xml;base64,") == 2
    assert "01234567+" in page
    assert page.count("<tr>") == 5
