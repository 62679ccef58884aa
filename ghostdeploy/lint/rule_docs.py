"""What the rules say of themselves in their docstrings, and the page made of it.

``python -m ghostdeploy.lint.rule_docs > docs/lint-rules.md``
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

from ghostdeploy.lint import RULES
from ghostdeploy.lint.rule import Rule

HEAD = """\
# Lint rules

What `ghostdeploy lint` looks for, in the order of its table. Generated from the rules' docstrings:
`python -m ghostdeploy.lint.rule_docs > docs/lint-rules.md`.

An error fails the check, a warning fails it with `--strict`, an info is a remark. Severities
(`error`, `warning`, `info`, `off`) and exceptions, each with a reason, are set in `setup.cfg`

```ini
[ghostdeploy-lint]
severity =
    foldable-pad = warning
    nnapi = off
allow =
    nearest-resize blocks.1?.* = kept as the published checkpoints were trained
```

or in `pyproject.toml`

```toml
[tool.ghostdeploy.lint.severity]
foldable-pad = "warning"

[[tool.ghostdeploy.lint.allow]]
rule = "nearest-resize"
node = "blocks.1?.*"
reason = "kept as the published checkpoints were trained"
```

of the folder where the command runs. `node` is a pattern for the name of the node or of its module;
without it the exception holds for all. A remark (info) of a rule whose default is more is never
made more by a severity; `off` silences it too.

| rule | default | what |
|---|---|---|
"""


@dataclass(frozen=True)
class RuleDoc:
    """A rule's What, Why and Fix, a line each; ``severity`` holds unless configured otherwise."""

    code: str
    what: str
    why: str
    fix: str
    severity: str = "warning"


def read_rule_doc(code: str) -> RuleDoc:
    """Return the documentation of rule ``code``; of an unknown one no more than its name."""
    if code not in RULES:
        return RuleDoc(code, code, "", "")
    rule = RULES[code]
    parts = {name: " ".join(text.split()) for name, text in _parts(rule).items()}
    return RuleDoc(code, parts["What"], parts["Why"], parts["Fix"], rule.SEVERITY)


def render_page() -> str:
    """Return the whole page as Markdown."""
    rows, sections = [], []
    for code, rule in RULES.items():
        parts = _parts(rule)
        summary = _flat(parts["What"]).split(". ", 1)[0].split(": ", 1)[0].rstrip(".:")
        rows.append(f"| [{code}](#{code}) | {rule.SEVERITY} | {summary} |\n")
        body = "\n".join(f"**{name}.** {_body(text)}\n" for name, text in parts.items())
        sections.append(f"\n## {code}\n\nDefault: {rule.SEVERITY}.\n\n{body}")
    return HEAD + "".join(rows) + "".join(sections)


def _parts(rule: Rule) -> dict[str, str]:
    """Return the docstring's ``What: …`` and the like, by name."""
    pieces = re.split(
        r"^(What|Why|Fix): ", inspect.cleandoc(rule.__doc__ or ""), flags=re.MULTILINE
    )
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def _flat(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _body(text: str) -> str:
    """Return a paragraph, with its numbered items as a list."""
    lead, *items = re.split(r"^\s+(?=\d\. )", text, flags=re.MULTILINE)
    if not items:
        return _flat(lead)
    return "\n".join([_flat(lead), "", *(_flat(item) for item in items)])


if __name__ == "__main__":
    print(render_page(), end="")
