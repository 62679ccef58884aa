"""Severities and exceptions from ``setup.cfg`` or ``pyproject.toml``.

``[ghostdeploy-lint]`` in setup.cfg, ``[tool.ghostdeploy.lint]`` in pyproject.toml; the page of
the rules (``rule_docs``) shows both forms.
"""

from __future__ import annotations

import configparser
import difflib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from ghostdeploy.errors import UsageError, error_line
from ghostdeploy.linting import RULES
from ghostdeploy.schema import Finding, GraphReport

SECTION = "ghostdeploy-lint"
TABLE = "tool.ghostdeploy.lint"
SEVERITIES = ("error", "warning", "info", "off")
KEYS = ("severity", "allow")
ALLOW_KEYS = ("rule", "node", "reason")


@dataclass(frozen=True)
class Allowed:
    """An exception: findings of ``rule`` at nodes or modules like ``node``, and why."""

    rule: str
    node: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Say whether the exception holds for ``finding``."""
        places = (finding.node, finding.module)
        return self.rule == finding.rule and any(fnmatchcase(p, self.node) for p in places)


@dataclass(frozen=True)
class LintConfig:
    """What a project says about the rules. ``severities`` maps rules to a severity or ``off``."""

    severities: Mapping[str, str] = field(default_factory=dict)
    allowed: tuple[Allowed, ...] = ()


def load_config(folder: Path) -> LintConfig:
    """Return the configuration in ``folder``, an empty one where there is none.

    Raises UsageError naming file and key for what cannot be meant, and where both files have one.
    """
    found = {
        name: config
        for name, read in (("setup.cfg", _setup_cfg), ("pyproject.toml", _pyproject))
        if (folder / name).is_file() and (config := read(folder / name)) is not None
    }
    if len(found) > 1:
        raise UsageError(f"{' and '.join(found)} both configure the lint rules; keep one")
    return next(iter(found.values()), LintConfig())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UsageError(f"{path.name}: cannot be read ({reason})") from error


def _setup_cfg(path: Path) -> LintConfig | None:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(_text(path), path.name)
    except configparser.Error as error:
        raise UsageError(f"{path.name}: {error_line(error)}") from error
    if not parser.has_section(SECTION):
        return None
    section = parser[SECTION]
    where = f"{path.name}: [{SECTION}]"
    _known(where, "key", section, KEYS)
    severities = dict(_pair(f"{where} severity", row) for row in _rows(section, "severity"))
    allowed = [_allowed_line(f"{where} allow", row) for row in _rows(section, "allow")]
    return _config(where, severities, allowed)


def _rows(section: configparser.SectionProxy, key: str) -> list[str]:
    return [row.strip() for row in section.get(key, "").splitlines() if row.strip()]


def _pair(where: str, row: str) -> tuple[str, str]:
    left, equals, right = (part.strip() for part in row.partition("="))
    if not equals:
        raise UsageError(f"{where}: write RULE = …, not {row!r}")
    return left, right


def _allowed_line(where: str, row: str) -> dict[str, str]:
    """Return what a line ``RULE [NODE] = REASON`` says."""
    left, reason = _pair(where, row)
    rule, _, node = left.partition(" ")
    return {"rule": rule, "node": node.strip() or "*", "reason": reason}


def _pyproject(path: Path) -> LintConfig | None:
    content: object = _toml(path)
    for key in TABLE.split("."):
        content = content.get(key) if isinstance(content, dict) else None
    if content is None:
        return None
    where = f"{path.name}: {TABLE}"
    if not isinstance(content, dict):
        raise UsageError(f"{where} is a table, not {content!r}")
    _known(where, "key", content, KEYS)
    severities, allowed = content.get("severity", {}), content.get("allow", [])
    if not isinstance(severities, dict):
        raise UsageError(f"{where}.severity is a table of rules, not {severities!r}")
    if not (isinstance(allowed, list) and all(isinstance(entry, dict) for entry in allowed)):
        raise UsageError(f"{where}.allow is a list of tables with {', '.join(ALLOW_KEYS)}")
    return _config(where, severities, allowed)


def _toml(path: Path) -> object:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(_text(path))
    except (ValueError, RecursionError) as error:  # ValueError: tomllib's own, and its int()'s
        raise UsageError(f"{path.name}: {error_line(error)}") from error


def _config(
    where: str, severities: Mapping[str, object], allowed: Iterable[Mapping[str, object]]
) -> LintConfig:
    _known(f"{where} severity", "rule", severities, RULES)
    for rule, severity in severities.items():
        _known(f"{where} severity.{rule}", "severity", [severity], SEVERITIES)
    return LintConfig(
        {rule: str(severity) for rule, severity in severities.items()},
        tuple(_allowed(f"{where} allow", entry) for entry in allowed),
    )


def _allowed(where: str, entry: Mapping[str, object]) -> Allowed:
    _known(where, "key", entry, ALLOW_KEYS)
    _known(where, "rule", [entry.get("rule", "")], RULES)
    rule, node, reason = str(entry["rule"]), entry.get("node", "*"), entry.get("reason", "")
    if not isinstance(node, str):
        raise UsageError(f"{where}: node is a pattern like 'blocks.1?.*', not {node!r}")
    if not isinstance(reason, str) or not reason.strip():
        raise UsageError(f"{where}: {rule} {node} gives no reason")
    return Allowed(rule, node, reason.strip())


def _known(where: str, what: str, given: Iterable[object], known: Iterable[str]) -> None:
    allowed = list(known)
    for name in given:
        if name not in allowed:
            near = difflib.get_close_matches(str(name), allowed, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(allowed)}"
            raise UsageError(f"{where}: no {what} is called {name!r}; {hint}")


def apply_config(report: GraphReport, config: LintConfig) -> GraphReport:
    """Return ``report`` with the configured severities; allowed findings carry the reason."""
    findings = []
    for finding in report.findings:
        severity = _severity(finding, config)
        if severity != "off":
            reason = next((a.reason for a in config.allowed if a.covers(finding)), "")
            findings.append(replace(finding, severity=severity, allowed=reason))
    return replace(report, findings=tuple(findings))


def _severity(finding: Finding, config: LintConfig) -> str:
    wanted = config.severities.get(finding.rule, finding.severity)
    is_remark = finding.severity == "info" and RULES[finding.rule].SEVERITY != "info"
    return finding.severity if is_remark and wanted != "off" else wanted
