"""The HTML file: one file, one script, no requests, the numbers in their columns."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ghostdeploy.report.latency.formats.html import render
from ghostdeploy.report.latency.report import Report
from tests.report.browser import WIDTHS, check_layout, run_in_pages

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

VOID = {"meta", "img", "source", "br"}
HOSTILE = "<script>alert(1)</script>\"'><img src=http://evil.example/x onerror=alert(1)>"


class Page(HTMLParser):
    """Elements with their attributes, and the cells of the main table with their class."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.rows: list[list[tuple[str, str]]] = []
        self.text = ""
        self._main = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        kind = dict(attrs).get("class") or ""
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self._main = kind == "main"
        if self._main and tag == "tr":
            self.rows.append([])
        if self._main and tag in ("td", "th"):
            self.rows[-1].append((kind, ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"
        if tag == "table":
            self._main = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._main and self.rows and self.rows[-1]:
            kind, before = self.rows[-1][-1]
            self.rows[-1][-1] = (kind, f"{before} {data.strip()}".strip())


@pytest.fixture(scope="module")
def source(table_1: Report) -> str:
    return render(table_1, "r")["r.html"]


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


def test_it_is_well_formed(page: Page) -> None:
    assert page.open == []
    assert [tag for tag, _ in page.elements].count("h1") == 1


def test_it_loads_nothing_and_runs_one_script(page: Page, source: str) -> None:
    tags = [tag for tag, _ in page.elements]
    assert not set(tags) & {"link", "iframe", "object", "embed", "base", "form"}
    assert tags.count("script") == 1
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "srcset", "href"):
            assert (attributes.get(name) or "data:").startswith("data:")
    assert not re.search(r"https?://|url\(|@import", source)
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv"))
    code = source.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    assert policy == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline';"
        f" script-src 'sha256-{digest}'"
    )
    assert "innerHTML" not in code


def test_the_main_table(page: Page, table_1: Report) -> None:
    body = page.rows[2:]
    assert len(body) == 3
    for cells, comparison in zip(body, table_1.comparisons, strict=True):
        latency = [float(x) for x in re.findall(r"[\d.]+", cells[4][1])]
        interval = comparison.latency_ms
        expected = [interval.value, interval.lower, interval.upper]
        assert latency == pytest.approx(expected, rel=1e-3)
        assert cells[0][1] == comparison.title
        assert [kind for kind, _ in cells[4:7]] == ["here"] * 3
        assert [kind for kind, _ in cells[7:]] == ["paper"] * 3
        assert float(cells[7][1]) == comparison.paper_latency_ms
        assert float(cells[9][1]) == comparison.paper_top1
    assert body[0][5][1] == "1 base"
    assert body[1][5][1] == "1.60 [1.58, 1.62]"
    assert "Huawei P30 (Kirin 980 CPU, TFLite)" in page.rows[0][3][1]


def test_the_evidence_is_there(page: Page, table_1: Report) -> None:
    for comparison in table_1.comparisons:
        assert comparison.record.artifact.sha256 in page.text
        for launch in comparison.record.launches:
            assert launch.summary is not None
            assert f"{launch.summary.value_ms:.4g}"[:4] in page.text
    for expected in ("ab" * 32, "A → B → B → A", "1.7e-06", "2-3", "thermal status 2 (moderate)"):
        assert expected in page.text


def test_each_figure_has_a_light_and_a_dark_form(page: Page) -> None:
    images = [a for tag, a in page.elements if tag == "img"]
    assert len(images) == len([1 for tag, _ in page.elements if tag == "source"]) == 3
    assert all(attributes["alt"] for attributes in images)


def test_the_figures_refer_to_nothing_outside(page: Page) -> None:
    uris = [
        a.get("src") or a.get("srcset") or "" for t, a in page.elements if t in ("img", "source")
    ]
    for uri in uris:
        svg = base64.b64decode(uri.removeprefix("data:image/svg+xml;base64,")).decode("utf-8")
        assert "<svg" in svg
        assert all(link.startswith("#") for link in re.findall(r'href="([^"]*)"', svg))


def test_a_model_that_never_ran(crashed: Report) -> None:
    page = Page(render(crashed, "r")["r.html"])
    assert page.rows[3][4][1].startswith("not measured none of 10 launches valid")
    assert "Segmentation fault" in page.text
    assert "nan" not in re.sub(r"[a-z]nan|nan[a-z]", "", page.text)


def test_hostile_text_is_only_text(make: Callable[..., Report]) -> None:
    report = make(title=HOSTILE)
    first = report.comparisons[0]
    record = first.record
    launch = replace(
        record.launches[0],
        argv=(HOSTILE,),
        stderr=HOSTILE,
        valid=False,
        why_not=HOSTILE,
        started_at=HOSTILE,
    )
    record = replace(
        record,
        artifact=replace(
            record.artifact,
            path=HOSTILE,
            op_counts={HOSTILE: 1},
            tool_versions={HOSTILE: HOSTILE},
            weights=HOSTILE,
        ),
        device=replace(record.device, model=HOSTILE, serial=HOSTILE),
        evidence=replace(record.evidence, session=HOSTILE, order=(HOSTILE,)),
        launches=(launch, *record.launches[1:]),
    )
    first = replace(first, title=HOSTILE, record=record, advice=HOSTILE, paper_source=HOSTILE)
    source = render(replace(report, comparisons=(first,), notes=(HOSTILE,)), "r")["r.html"]
    tags = [tag for tag, _ in Page(source).elements]
    assert tags.count("script") == source.count("<script") == 1
    assert tags.count("img") == 3


def test_cautions_about_unlike_records(table_1: Report) -> None:
    last = table_1.comparisons[2]
    artifact = replace(
        last.record.artifact,
        parity=tuple(replace(p, passed=False) for p in last.record.artifact.parity),
    )
    other = replace(
        last.record,
        artifact=artifact,
        device=replace(last.record.device, model="Other"),
        evidence=replace(last.record.evidence, session="later", runtime_version="1"),
        params=replace(last.record.params, threads=4),
    )
    report = replace(table_1, comparisons=(table_1.comparisons[0], replace(last, record=other)))
    text = Page(render(report, "r")["r.html"]).text
    for expected in ("different devices", "different sessions", "different runtimes"):
        assert expected in text
    assert "different threads" in text
    assert "computes something else" in text


def test_the_papers_columns_stand_only_where_it_measured(crowded: Report) -> None:
    page = Page(render(crowded, "r")["r.html"])
    assert {len(cells) for cells in page.rows[2:]} == {7}
    assert not {"paper", "paper-key"} & {
        word for _, a in page.elements for word in (a.get("class") or "").split()
    }


SORTED = """
  const table = document.querySelector("table.main");
  const names = () => [...table.tBodies[0].rows].map((row) => row.cells[0].textContent);
  const head = [...table.querySelectorAll("th")].find((th) => th.textContent === "Latency (ms)");
  const button = head.querySelector("button");
  const states = [[head.getAttribute("aria-sort"), names()]];
  for (let click = 0; click < 3; click++) {
    button.click();
    states.push([head.getAttribute("aria-sort"), names()]);
  }
  button.focus();
  return { states, focused: document.activeElement === button };
"""


def test_a_column_sorts_up_down_and_back(crashed: Report, tmp_path: Path) -> None:
    first, dead, last = (c.title for c in crashed.comparisons)
    page = render(crashed, "r")["r.html"]
    for found in run_in_pages({"crashed": page}, SORTED, tmp_path).values():
        assert found["focused"]
        assert found["states"] == [
            ["none", [first, dead, last]],
            ["ascending", [first, last, dead]],
            ["descending", [last, first, dead]],
            ["none", [first, dead, last]],
        ]


TOTALS = """
  const table = document.querySelector("table.grid");
  table.querySelectorAll("th button")[1].click();
  const cells = [...table.tBodies[0].rows].map((row) => row.cells[1]);
  return { values: cells.map((cell) => Number(cell.dataset.value)),
           title: cells[0].title, last: table.tFoot.textContent.trim().split(/\\n/)[0] };
"""


def test_numbers_sort_by_what_is_behind_them_and_sums_stay(crowded: Report, tmp_path: Path) -> None:
    page = render(crowded, "r")["r.html"]
    for found in run_in_pages({"crowded": page}, TOTALS, tmp_path).values():
        assert (
            found["values"]
            == sorted(found["values"])
            == pytest.approx([0.002, 0.012, 0.072, 0.432, 2.592, 15.552])
        )
        assert found["last"] == "all operators"


def test_nothing_is_overprinted(
    table_1: Report, crashed: Report, crowded: Report, tmp_path: Path
) -> None:
    reports = {"Table 1": table_1, "crashed": crashed, "crowded": crowded}
    check_layout({name: render(r, "r")["r.html"] for name, r in reports.items()}, tmp_path)
    assert WIDTHS == (360, 800, 1400)
