"""The page of the rules is what the docstrings say."""

from __future__ import annotations

from pathlib import Path

import pytest

from ghostdeploy.lint import RULES
from ghostdeploy.lint.config import load_config
from ghostdeploy.lint.rule_docs import render_page

PAGE = Path(__file__).parents[2] / "docs" / "lint-rules.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == render_page(), (
        "python -m ghostdeploy.lint.rule_docs > docs/lint-rules.md"
    )


@pytest.mark.parametrize("code", RULES)
def test_every_rule_has_its_section(code: str) -> None:
    text = render_page()
    assert f"| [{code}](#{code}) | " in text
    section = text.split(f"\n## {code}\n")[1].split("\n## ")[0]
    assert [f"**{part}.** " in section for part in ("What", "Why", "Fix")] == [True] * 3


@pytest.mark.parametrize(("kind", "name"), [("ini", "setup.cfg"), ("toml", "pyproject.toml")])
def test_its_examples_work(kind: str, name: str, tmp_path: Path) -> None:
    example = render_page().split(f"```{kind}\n")[1].split("```")[0]
    (tmp_path / name).write_text(example)
    config = load_config(tmp_path)
    assert config.severities["foldable-pad"] == "warning"
    assert [allowed.rule for allowed in config.allowed] == ["nearest-resize"]
