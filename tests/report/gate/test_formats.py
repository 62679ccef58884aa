"""A gate's verdict in every format, with what a device or a file name may bring."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from ghostdeploy.gate import Discard, GatePolicy, Verdict
from ghostdeploy.gate.budgets import Budget, BudgetResult
from ghostdeploy.gate.outcome import GateModel, GateRun, GitIdentity, OpDifference, Slowdown
from ghostdeploy.report.gate.formats import FORMATS, render
from ghostdeploy.schema import BenchParams, DeviceIdentity, Interval

NASTY = 'x|y <script>alert("1")</script>\n::error::\x1b[31m %0A `$(id)` @all \u202e'
MODEL = GateModel("m", "models/m.tflite", "ab" * 32, 10, Interval(30.123, 29.5, 30.6))
RUN = GateRun(
    name="fp32",
    device="adb:S1",
    verdict="regressed",
    why="at least 3.2% slower",
    policy=GatePolicy(),
    params=BenchParams(),
    candidate=MODEL,
    baseline=MODEL,
    started_at="2026-01-02T03:04:05+00:00",
    duration_s=200.0,
    identity=DeviceIdentity("adb", "S1", "Pixel", "Tensor", "arm64", "Android 15", 8),
    compared="regressed",
    ratio=Interval(1.05, 1.032, 1.07),
    noise=0.014,
    resolution=0.0166,
    valid_pairs=10,
    attempted=12,
    discards=(Discard(3, "baseline: thermal status 2"), Discard(7, "candidate: killed")),
    where=Slowdown(
        (OpDifference("CONV_2D", 20.0, 21.5), OpDifference("NEW", None, 0.2)), "", "+ 1"
    ),
    git=GitIdentity("0123456789ab", "main", "Ada", True),
)
GREEN = replace(RUN, verdict="pass", compared="pass", why="less than 5% slower", where=None)


def with_texts(text: str) -> GateRun:
    """``text`` in every place that a user, a device or a file can fill."""
    return replace(
        RUN,
        name=text,
        device=text,
        why=text,
        warnings=(text,),
        discards=(Discard(0, text),),
        candidate=replace(MODEL, name=text, path=text),
        identity=replace(RUN.identity, model=text),
        where=Slowdown((OpDifference(text, 1.0, 2.0),), text, text),
        budgets=(BudgetResult(Budget("ratio", 1.2, text), None, "invalid", text),),
        git=GitIdentity(text, text, text),
    )


def test_the_text_has_the_evidence():
    text = render([RUN], "text")
    for part in (
        "REGRESSED  fp32: at least 3.2% slower",
        "1.05 [1.03, 1.07] at 99.3 % confidence",
        "10 valid of 12 (at most 36)",
        "pair 4: baseline: thermal status 2",
        "launches vary by 1.4 %; it resolves ≥ 1.66 %",
        "looks at 10, 16, 24 pairs",
        "200 s",
    ):
        assert part in text
    assert re.search(r"CONV_2D +20.0 +21.5 +\+1.500", text)


def test_several_gates_end_with_one_word():
    assert render([RUN, GREEN], "text").endswith("REGRESSED: 1 pass, 1 regressed\n")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_junit_is_green_only_for_good_verdicts(verdict):
    run = replace(RUN, verdict=verdict.value)
    (suite,) = ElementTree.fromstring(render([run, GREEN], "junit"))
    bad = suite.findall("testcase/failure") + suite.findall("testcase/error")
    assert bool(bad) == bool(verdict.exit_code)
    assert (suite.get("tests"), suite.get("failures")) == ("2", str(int(verdict == "regressed")))
    if bad:
        assert bad[0].tag == ("failure" if verdict == "regressed" else "error")
        assert "10 valid of 12" in (bad[0].text or "")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_badge_is_green_only_for_good_verdicts(verdict):
    badge = json.loads(render([replace(RUN, verdict=verdict.value)], "badge"))
    assert (badge["color"] == "brightgreen") == (verdict.exit_code == 0)
    assert badge["message"] == f"{verdict} (30.1 ms)"
    assert badge["schemaVersion"] == 1


def test_annotations():
    lines = render([replace(RUN, warnings=("careful",)), GREEN], "github").splitlines()
    assert lines == [
        "::error title=Latency of fp32 on adb%3AS1::regressed: at least 3.2%25 slower",
        "::warning title=Latency of fp32 on adb%3AS1::careful",
    ]


def test_markdown_has_the_table_and_the_place():
    text = render([RUN], "markdown")
    assert text.startswith("## ❌ Latency gate: regressed\n")
    assert "| 1.05 [1.03, 1.07] | 10 of 12 |" in text
    assert "| CONV\\_2D | 20.0 | 21.5 | +1.500 |" in text


@pytest.mark.parametrize("format_name", FORMATS)
def test_hostile_texts_stay_text(format_name):
    out = render([with_texts(NASTY)], format_name)
    assert "\x1b" not in out
    assert "\u202e" not in out
    if format_name == "markdown":
        outside = re.sub(r"```.*?```", "", out, flags=re.S)
        assert "<script" not in outside
        assert "@all" not in outside
    if format_name == "junit":
        ElementTree.fromstring(out)
    if format_name == "github":
        assert all(
            line.startswith(("::error title=", "::warning title=")) for line in out.splitlines()
        )
