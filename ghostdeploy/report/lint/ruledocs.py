"""What a rule says of itself: the What, Why and Fix of its file's docstring."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module

from ghostdeploy.lint import RULES

_PART = re.compile(r"^(What|Why|Fix):[ \t]*(.*?)(?=^\w[\w ]*:|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class RuleDoc:
    code: str
    what: str
    why: str
    fix: str
    severity: str = "warning"  # unless configured otherwise


def rule_doc(code: str) -> RuleDoc:
    """The documentation of rule ``code``; of an unknown one no more than its name."""
    if code not in RULES:
        return RuleDoc(code, code, "", "")
    module = import_module(RULES[code])
    parts = {name: " ".join(body.split()) for name, body in _PART.findall(module.__doc__ or "")}
    severity = getattr(module, "SEVERITY", "warning")
    what = parts.get("What", code)
    return RuleDoc(code, what, parts.get("Why", ""), parts.get("Fix", ""), severity)
