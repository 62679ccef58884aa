"""Markdown that stays what it was meant to be."""

from __future__ import annotations

import pytest

from ghostdeploy.report.parts.markup import escape, fence


def test_a_fence_outgrows_the_backticks_inside() -> None:
    assert fence("echo ````").startswith("`````")


@pytest.mark.parametrize("text", ["- x", "1. x", "+ x"])
def test_no_accidental_lists(text: str) -> None:
    assert escape(text).startswith("\\")
