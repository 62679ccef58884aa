"""The page of a diff."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ghostdeploy.report.lint.diff import diff
from ghostdeploy.report.lint.diffpage import render
from ghostdeploy.report.lint.linted import Linted
from tests.report.browser import check_layout


def test_the_numbers_carry_what_is_behind_them(model: Linted, clean_model: Linted) -> None:
    heavier = replace(model.report, macs=167_048_289, weights_mb=25.8)
    page = render(diff(clean_model, replace(model, report=heavier)))
    assert '<td class="n" data-value="1" title="1">0 (0 %)</td>' in page
    assert "New findings (6)" in page
    assert page.count("<script") == 1
    assert "do not differ" in render(diff(model, model))


def test_nothing_is_overprinted(
    model: Linted, clean_model: Linted, wordy: Linted, hostile: Linted, tmp_path: Path
) -> None:
    pairs = {"small": (clean_model, model), "wordy": (model, wordy), "hostile": (wordy, hostile)}
    check_layout({name: render(diff(*pair)) for name, pair in pairs.items()}, tmp_path)
