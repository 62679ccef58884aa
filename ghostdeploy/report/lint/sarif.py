"""SARIF 2.1.0, which code hosts show on a pull request.

A result is shown at the source file of the module that the node came from where that is known,
else at the model file. No path in it is absolute.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import ghostdeploy
from ghostdeploy.lint import RULES
from ghostdeploy.lint.rule_docs import read_rule_doc
from ghostdeploy.report.lint.groups import Names, read_names
from ghostdeploy.report.lint.linted import Linted
from ghostdeploy.report.parts.clean_text import clean
from ghostdeploy.schema import Finding

SCHEMA_URI = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "info": "note"}
NAME, TEXT = 300, 2000  # characters
_LINE = re.compile(r"^(.*?):(\d{1,7})$")


def render(linted: Sequence[Linted]) -> str:
    """Return one SARIF document of all files."""
    used = {f.rule for one in linted for f in one.report.findings}
    codes = [*RULES, *sorted(used - RULES.keys())]
    driver = {
        "name": "ghostdeploy",
        "semanticVersion": ghostdeploy.__version__,
        "rules": [_rule(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "utf16CodeUnits",
        "artifacts": [{"location": {"uri": make_relative_uri(one.path)}} for one in linted],
        "results": _results(linted, {code: i for i, code in enumerate(codes)}),
    }
    document = {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=1) + "\n"


def _rule(code: str) -> dict[str, object]:
    doc = read_rule_doc(code)
    name = clean(code, NAME)
    advice = clean(doc.fix or doc.what, TEXT)
    return {
        "id": name,
        "name": "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", name)) or name,
        "shortDescription": {"text": clean(doc.what, TEXT)},
        "fullDescription": {"text": clean(doc.why or doc.what, TEXT)},
        "help": {"text": advice},
        "defaultConfiguration": {"level": LEVELS.get(doc.severity, "warning")},
        "properties": {"tags": ["mobile", "lowered-graph"]},
    }


def _results(linted: Sequence[Linted], index: dict[str, int]) -> list[dict[str, object]]:
    seen: Counter[str] = Counter()
    made = []
    for one in linted:
        names = read_names(one.graph)
        for finding in one.report.findings:
            key = _fingerprint(one, names, finding)
            seen[key] += 1
            result = _result(one, names, finding, index[finding.rule])
            result["partialFingerprints"] = {"primaryLocationLineHash": f"{key}:{seen[key]}"}
            made.append(result)
    return made


def _result(one: Linted, names: Names, finding: Finding, rule_index: int) -> dict[str, object]:
    model = make_relative_uri(one.path)
    result: dict[str, object] = {
        "ruleId": clean(finding.rule, NAME),
        "ruleIndex": rule_index,
        "level": LEVELS.get(finding.severity, "warning"),
        "message": {"text": _message(finding)},
        "locations": [_location(finding, names, model)],
        "properties": {"model": model},
    }
    if finding.source:
        place = {"physicalLocation": _physical(model, 1)}
        result["relatedLocations"] = [place | {"message": {"text": "the model file"}}]
    if finding.allowed:
        reason = clean(finding.allowed, TEXT)
        result["suppressions"] = [{"kind": "external", "justification": reason}]
    return result


def _message(finding: Finding) -> str:
    fix = f"\nFix: {clean(finding.fix, TEXT)}" if finding.fix else ""
    return f"{clean(finding.node, NAME)}: {clean(finding.message, TEXT)}{fix}"


def _location(finding: Finding, names: Names, model: str) -> dict[str, object]:
    uri, line = model, 1
    if finding.source:
        match = _LINE.match(finding.source)
        uri = make_relative_uri(match[1] if match else finding.source)
        line = max(1, int(match[2])) if match else 1
    logical = [_logical(finding.node, "element")]
    module = names.place(finding)
    if module and module != finding.node:
        logical.append(_logical(module, "module"))
    return {"physicalLocation": _physical(uri, line), "logicalLocations": logical}


def _logical(name: str, kind: str) -> dict[str, str]:
    full = clean(name, NAME) or "?"
    return {"name": re.split(r"[./]", full)[-1] or full, "fullyQualifiedName": full, "kind": kind}


def _physical(uri: str, line: int) -> dict[str, object]:
    return {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}


def make_relative_uri(path: str) -> str:
    """Return ``path`` from the working directory on, or its name alone where it lies elsewhere."""
    plain = Path(path.encode("utf-8", "replace").decode("utf-8"))
    if plain.is_absolute():
        try:
            plain = plain.relative_to(Path.cwd())
        except ValueError:
            plain = Path(plain.name)
    posix = PurePosixPath(plain.as_posix().replace("\\", "/"))
    parts = [part for part in posix.parts if part != "/"]
    if ".." in parts or re.match(r"[A-Za-z][\w+.-]*:", parts[0] if parts else ""):
        parts = parts[-1:]
    return quote("/".join(parts) or "model")


def _fingerprint(one: Linted, names: Names, finding: Finding) -> str:
    """Return a hash that is the same as long as the same rule says the same of the same place."""
    name = one.path.replace("\\", "/").rpartition("/")[2]
    parts = (name, finding.rule, finding.node, names.place(finding), names.kind(finding))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
