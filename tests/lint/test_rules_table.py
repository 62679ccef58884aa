"""The contract of every row of ``lint.RULES``."""

from __future__ import annotations

from collections import Counter

import pytest

from ghostdeploy.lint import RULES, lint_graph
from ghostdeploy.lint.graph import Graph
from ghostdeploy.lint.rule import Expectations
from ghostdeploy.schema import Finding, ModelSpec
from ghostdeploy.zoo import MODELS, make_spec
from tests.lint.conftest import GOOD
from tests.lint.models import gated_module

SEVERITIES = ("error", "warning", "info")


def findings(code: str, graph: Graph, spec: ModelSpec | None) -> list[Finding]:
    """A budget of a byte makes memory's rule speak."""
    return list(RULES[code].check(graph, Expectations(spec, budget_mb=1e-6)))


@pytest.mark.parametrize("code", RULES)
class TestRule:
    def test_its_module_is_its_specification(self, code: str) -> None:
        rule = RULES[code]
        assert code == rule.CODE
        assert rule.SEVERITY in SEVERITIES
        lines = (rule.__doc__ or "").splitlines()
        assert lines[0].startswith(f"{code}: ")
        assert lines[0].endswith(".")
        for heading in ("What: ", "Why: ", "Fix: "):
            assert sum(line.startswith(heading) for line in lines) == 1

    def test_it_is_a_file_of_its_own(self, code: str) -> None:
        files = Counter(getattr(rule, "__name__", "") for rule in RULES.values())
        name = RULES[code].__name__
        assert name.startswith("ghostdeploy.lint.rules.")
        assert files[name] == 1

    def test_it_has_nothing_to_say_of_an_empty_graph(self, code: str) -> None:
        nothing = Graph("nowhere", "onnx", (), {}, (), ())
        assert findings(code, nothing, None) == []

    def test_its_findings_are_its_own(self, code: str, builder, read) -> None:
        """On a graph with something wrong for many rules; and whatever the spec."""
        x = gated_module(builder, builder.input, (*GOOD[:4], "transpose", *GOOD[4:]), "")
        graph = read(builder, builder.step("transpose", x))
        for spec in (None, *(make_spec(arch) for arch in MODELS)):
            for finding in findings(code, graph, spec):
                assert finding.rule == code
                assert finding.severity in SEVERITIES
                assert finding.node
                assert finding.message
                assert finding.fix


def test_lint_graph_asks_every_rule(builder, read) -> None:
    steps = (*GOOD[:4], "transpose", *GOOD[4:])
    graph = read(builder, gated_module(builder, builder.input, steps))
    report = lint_graph(graph, make_spec(changes={"dfc_blocks": (2,)}))
    assert {"dfc-contract", "layout-ops"} <= {f.rule for f in report.findings}
    assert {"dfc-contract", "layout-ops"} <= {f.rule for f in report.errors}
    assert report.op_counts == graph.op_counts()
    assert sum(report.op_counts.values()) == len(graph.nodes)
