"""The page of an emulated core's instructions."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

from rich.console import Console, Group

from ghostdeploy.report.instructions.formats import (
    compose,
    render_html,
    render_json,
    render_markdown,
)
from ghostdeploy.report.instructions.tables import InstructionReport
from ghostdeploy.schema import InstructionComparison, Instructions, OpInstructions
from tests.report.browser import check_layout, run_in_pages
from tests.report.conftest import DFC, GHOSTNET, comparison_of, make_launch


def counted(title: str, operators: int, ratio: float | None) -> InstructionComparison:
    ops = tuple(
        OpInstructions(f"KERNEL_{n % 7}", f"blocks.{n}.{'deep.' * 12}conv", 1000 * n, n, 7, 1)
        for n in range(operators)
    )
    found = Instructions(10**9 + 7, 10**6, 10**5, 3, operators=ops, max_abs=1e-6, rel_l2=2e-7)
    import random

    launch = replace(make_launch(0, 0, 1, 9.0, random.Random(0)), instructions=found)
    record = comparison_of(DFC, (launch,)).record
    return InstructionComparison(title, record, found, ratio, paper_latency_ms=37.5)


def report() -> InstructionReport:
    rows = [counted(GHOSTNET.title, 0, 1.0), counted("ghostnetv2-" * 14, 90, None)]
    return InstructionReport("Instructions of one inference", tuple(rows))


SORTED = """
  const table = document.querySelector("table.grid");
  const cell = table.tBodies[0].rows[0].cells[3];
  return [cell.textContent, cell.dataset.value];
"""


def test_every_digit_of_a_count_is_behind_it(tmp_path: Path) -> None:
    for found in run_in_pages({"page": render_html(report())}, SORTED, tmp_path).values():
        assert found == ["1001.100010", "1001100010"]


def test_nothing_is_overprinted(tmp_path: Path) -> None:
    check_layout({"page": render_html(report())}, tmp_path)


def test_what_is_not_among_the_models_is_told_in_every_format(tmp_path: Path) -> None:
    lacking = replace(report(), skipped=("FE-Net <1.0x>: not reproducible",))
    assert "FE-Net &lt;1.0x&gt;: not reproducible" in render_html(lacking)
    assert json.loads(render_json(lacking))["skipped"] == ["FE-Net <1.0x>: not reproducible"]
    for text in (render_markdown(lacking), printed(compose(lacking))):
        assert "1.0x" in text
        assert "not reproducible" in text


def printed(composed: Group) -> str:
    console = Console(width=200, file=io.StringIO())
    console.print(composed)
    return console.file.getvalue()
