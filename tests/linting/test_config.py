"""Severities and exceptions from setup.cfg and pyproject.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from ghostdeploy.errors import UsageError
from ghostdeploy.linting.config import Allowed, LintConfig, apply_config, load_config
from ghostdeploy.schema import Finding, GraphReport

REASON = "kept as the checkpoints were trained"
SETUP_CFG = f"""
[metadata]
name = 100% something else

[ghostdeploy-lint]
severity =
    foldable-pad = warning
    nnapi = off
allow =
    nearest-resize blocks.1?.* = {REASON}
    xnnpack = slow is fine = here
"""
PYPROJECT = f"""
[tool.ghostdeploy.lint.severity]
foldable-pad = "warning"
nnapi = "off"

[[tool.ghostdeploy.lint.allow]]
rule = "nearest-resize"
node = "blocks.1?.*"
reason = "{REASON}"

[[tool.ghostdeploy.lint.allow]]
rule = "xnnpack"
reason = "slow is fine = here"
"""
EXPECTED = LintConfig(
    {"foldable-pad": "warning", "nnapi": "off"},
    (
        Allowed("nearest-resize", "blocks.1?.*", REASON),
        Allowed("xnnpack", "*", "slow is fine = here"),
    ),
)


def cfg(body: str) -> tuple[str, str]:
    return "setup.cfg", f"[ghostdeploy-lint]\n{body}\n"


def toml(body: str) -> tuple[str, str]:
    return "pyproject.toml", f"[tool.ghostdeploy.lint]\n{body}\n"


@pytest.mark.parametrize(
    ("name", "text"), [("setup.cfg", SETUP_CFG), ("pyproject.toml", PYPROJECT)]
)
def test_both_files_say_the_same(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    assert load_config(tmp_path) == EXPECTED


@pytest.mark.parametrize(
    "files",
    [{}, {"setup.cfg": "[metadata]\nname = x\n"}, {"pyproject.toml": "[tool.other]\nx = 1\n"}],
)
def test_nothing_is_configured(files: dict[str, str], tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert load_config(tmp_path) == LintConfig()


def test_an_empty_section_is_none_too_many(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text("[ghostdeploy-lint]\n")
    assert load_config(tmp_path) == LintConfig()


def test_one_place_only(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text(SETUP_CFG)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    with pytest.raises(UsageError, match=r"setup\.cfg and pyproject\.toml both"):
        load_config(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (*cfg("severty = x"), "did you mean severity"),
        (*cfg("severity =\n  nearest-resise = off"), "did you mean nearest-resize"),
        (*cfg("severity =\n  nnapi = fatal"), "severity.nnapi: no severity is called 'fatal'"),
        (*cfg("severity =\n  nnapi"), "write RULE = …, not 'nnapi'"),
        (*cfg("allow =\n  nnapi blocks.*"), "write RULE = …"),
        (*cfg("allow =\n  nnapi blocks.* ="), "nnapi blocks.* gives no reason"),
        (*cfg("allow =\n  nothing * = because"), "no rule is called 'nothing'"),
        ("setup.cfg", "no section\n", "no section headers"),
        (*toml("x = 1"), "no key is called 'x'"),
        (*toml("severity = 'off'"), "severity is a table"),
        (*toml("severity.nnapi = 3"), "no severity is called 3"),
        (*toml("severity.x = 'off'"), "no rule is called 'x'"),
        (*toml("allow = 'all'"), "allow is a list of tables"),
        (*toml("allow = [1]"), "allow is a list of tables"),
        (*toml("allow = [{rule = 'nnapi'}]"), "nnapi * gives no reason"),
        (*toml("allow = [{rule = 'nnapi', reason = ' '}]"), "gives no reason"),
        (*toml("allow = [{rule = 'nnapi', reason = 1}]"), "gives no reason"),
        (*toml("allow = [{rule = 'nnapi', node = 1, reason = 'r'}]"), "node is a pattern"),
        (*toml("allow = [{rule = 'nnapi', why = 'r'}]"), "no key is called 'why'"),
        (*toml("allow = [{reason = 'r'}]"), "no rule is called ''"),
        ("pyproject.toml", "[tool.ghostdeploy]\nlint = 3\n", "is a table, not 3"),
        ("pyproject.toml", "[tool\n", "pyproject.toml: "),
    ],
)
def test_what_cannot_be_meant(name: str, text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError) as caught:
        load_config(tmp_path)
    message = str(caught.value)
    assert message.startswith(name)
    assert said in message
    assert "\n" not in message


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"setup\.cfg: cannot be read \(not UTF-8\)"):
        load_config(tmp_path)


def finding(rule: str, severity: str, node: str = "n", module: str = "") -> Finding:
    return Finding(rule, severity, node, "message", module=module)


def applied(config: LintConfig, *findings: Finding) -> tuple[Finding, ...]:
    return apply_config(GraphReport({}, findings), config).findings


class TestApplyConfig:
    def test_severities(self) -> None:
        config = LintConfig({"xnnpack": "error", "nnapi": "off", "dfc-contract": "info"})
        found = applied(
            config,
            finding("xnnpack", "warning"),
            finding("nnapi", "info"),
            finding("dfc-contract", "error"),
            finding("batch", "warning"),
        )
        assert [(f.rule, f.severity) for f in found] == [
            ("xnnpack", "error"),
            ("dfc-contract", "info"),
            ("batch", "warning"),
        ]

    def test_a_remark_is_never_made_more(self) -> None:
        """layout-ops says info of what self-attention needs by definition."""
        remark = finding("layout-ops", "info")
        assert applied(LintConfig({"layout-ops": "error"}), remark) == (remark,)
        assert applied(LintConfig({"layout-ops": "off"}), remark) == ()

    def test_an_info_of_a_rule_of_infos_can_be(self) -> None:
        (found,) = applied(LintConfig({"nnapi": "error"}), finding("nnapi", "info"))
        assert found.severity == "error"

    @pytest.mark.parametrize(
        ("pattern", "node", "module", "covered"),
        [
            ("*", "anything", "", True),
            ("blocks.1?.*", "blocks.12.0.up/resize", "", True),
            ("blocks.1?.*", "blocks.2.0.up/resize", "", False),
            ("blocks.2.0.up", "some/tensor;name", "blocks.2.0.up", True),
            ("Blocks.*", "blocks.2.0", "", False),
        ],
    )
    def test_exceptions(self, pattern: str, node: str, module: str, covered: bool) -> None:
        config = LintConfig(allowed=(Allowed("dfc-contract", pattern, "because"),))
        report = GraphReport({}, (finding("dfc-contract", "error", node, module),))
        report = apply_config(report, config)
        (found,) = report.findings
        assert found.allowed == ("because" if covered else "")
        assert found.severity == "error"
        assert bool(report.errors) is not covered

    def test_another_rules_finding_is_not_covered(self) -> None:
        config = LintConfig(allowed=(Allowed("nnapi", "*", "because"),))
        (found,) = applied(config, finding("xnnpack", "warning"))
        assert found.allowed == ""


@pytest.mark.parametrize("text", ["a = " + 2000 * "[", "a = " + 6000 * "9", "a = \x00"])
def test_what_a_parser_chokes_on(text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"pyproject\.toml: "):
        load_config(tmp_path)
