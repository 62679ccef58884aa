"""The picture: one file, every node once, findings on their nodes, nothing fetched."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ghostdeploy.report.lint.linted import Linted
from ghostdeploy.schema import Finding, GraphReport
from tests.report.browser import check_layout, run_in_pages
from tests.report.lint.graphs import network, report_of

pytest.importorskip("jinja2")
from ghostdeploy.report.lint.picture.page import render

VOID = {"meta", "input", "br"}
CLOSED_SVG = {"rect", "circle", "path"}  # written <rect …/>


class Page(HTMLParser):
    """Elements with their attributes in order, texts, and the scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.scripts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in CLOSED_SVG
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        else:
            self.text += data

    def classed(self, name: str) -> list[dict[str, str | None]]:
        return [a for _, a in self.elements if name in (a.get("class") or "").split()]

    def data(self) -> dict[str, list[dict[str, object]]]:
        return json.loads(self.scripts[0])  # type: ignore[no-any-return]


def check_safe(source: str) -> Page:
    """It fetches nothing, and runs the one script that its policy names."""
    page = Page(source)
    tags = [tag for tag, _ in page.elements]
    assert not {"link", "iframe", "object", "embed", "base", "form", "img"} & set(tags)
    assert tags.count("script") == 2
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    assert not re.search(r"https?://|@import|url\((?!#)", source)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\ud800-\udfff]", source)
    digest = base64.b64encode(hashlib.sha256(page.scripts[1].encode()).digest()).decode()
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv"))
    assert policy == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline';"
        f" script-src 'sha256-{digest}'"
    )
    assert "innerHTML" not in page.scripts[1]
    return page


def check_links(page: Page) -> None:
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(set(ids)) == len(ids)
    for _, attributes in page.elements:
        if attributes.get("href"):
            assert (attributes["href"] or "")[1:] in ids


def test_every_node_is_drawn_once(model: Linted) -> None:
    page = check_safe(render([model]))
    check_links(page)
    drawn = [a["data-i"] for a in page.classed("node")]
    assert sorted(map(int, map(str, drawn))) == list(range(len(model.graph.nodes)))
    about = page.data()["g0"]
    assert [x["name"] for x in about] == [node.name for node in model.graph.nodes]


def test_partitions_and_what_splits_them(model: Linted) -> None:
    page = Page(render([model]))
    assert len([a for a in page.classed("node") if "out" in (a["class"] or "").split()]) == 3
    for n in (1, 2, 3):
        splits = f"outside XNNPACK: RESIZE_NEAREST_NEIGHBOR splits partitions {n} | {n + 1}"
        assert page.text.count(splits) == 1
    assert "partition 1, continued" in page.text
    assert "the runtime reported" not in page.text


def test_it_says_when_the_runtime_counts_otherwise(model: Linted) -> None:
    assert model.report.partitions is not None
    partitions = replace(model.report.partitions, kernels=9)
    page = Page(render([replace(model, report=replace(model.report, partitions=partitions))]))
    assert "drawn are 4, the runtime reported 9" in page.text


def test_findings_are_badges_and_a_list(model: Linted) -> None:
    page = Page(render([model]))
    assert len(page.classed("badge")) == 4  # three resizes; the error leads to its module's node
    assert len(page.classed("has-error")) == 1
    assert "RESIZE_NEAREST_NEIGHBOR of … splits the graph" in page.text
    assert "allowed: the task needs it" in page.text
    nodes = {str(x["name"]): x["findings"] for x in page.data()["g0"]}
    assert nodes["blocks.0.0.ghost1.up/resize"] == [
        [
            "warning",
            "xnnpack",
            "RESIZE_NEAREST_NEIGHBOR of blocks.0.0.ghost1.up splits the graph",
            "use bilinear",
        ]
    ]


def test_dfc_branches_are_framed(model: Linted) -> None:
    page = Page(render([model]))
    assert len([a for t, a in page.elements if t == "g" and a.get("class") == "dfc"]) == 3


def test_not_measured_and_no_findings(clean_model: Linted) -> None:
    report = replace(clean_model.report, partitions=None)
    page = check_safe(render([replace(clean_model, report=report)]))
    assert "partitions not measured" in page.text
    assert "no findings" in page.text
    assert page.classed("band") == page.classed("badge") == []


def test_hostile_names_stay_text(hostile: Linted) -> None:
    source = render([hostile])
    page = check_safe(source)
    check_links(page)
    assert len(page.data()["g0"]) == 3
    assert len(source) < 120_000
    assert "m" * 1000 not in source


def test_several_files_do_not_share_ids(model: Linted, clean_model: Linted) -> None:
    page = check_safe(render([model, clean_model, model]))
    check_links(page)
    assert set(page.data()) == {"g0", "g1", "g2"}


def test_a_graph_without_nodes() -> None:
    graph = replace(network(), nodes=())
    finding = Finding("batch", "error", "", "there is nothing", "")
    page = check_safe(render([Linted("empty.onnx", graph, GraphReport({}, (finding,)))]))
    assert "This graph has no nodes." in page.text
    assert "there is nothing" in page.text


@pytest.mark.parametrize("modules", [True, False])
def test_two_thousand_nodes(big: Linted, modules: bool) -> None:
    linted = big
    if not modules:
        nodes = tuple(replace(n, module="") for n in big.graph.nodes)
        linted = replace(big, graph=replace(big.graph, nodes=nodes))
    source = render([linted])
    page = check_safe(source)
    assert len(page.classed("node")) == 2000
    assert len(source) < 4_000_000


def test_a_severity_of_someone_elses_is_a_known_class() -> None:
    graph = network()
    finding = Finding("x", 'odd"severity', graph.nodes[0].name, "m")
    page = check_safe(render([Linted("m.tflite", graph, report_of(graph, finding))]))
    assert len(page.classed("has-info")) == 1


def test_nothing_is_overprinted(
    model: Linted, clean_model: Linted, hostile: Linted, wordy: Linted, tmp_path: Path
) -> None:
    pages = {"model": [model], "hostile": [hostile], "three": [model, clean_model, wordy]}
    check_layout({name: render(linted) for name, linted in pages.items()}, tmp_path)


ZOOMED = """
  const frame = document.querySelector(".card .scroll");
  const svg = frame.querySelector("svg.graph");
  const natural = svg.viewBox.baseVal.width;
  const scales = {};
  const note = (name) => (scales[name] = svg.width.baseVal.value / natural);
  const press = (key) => {
    const event = new window.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    frame.dispatchEvent(event);
  };
  const wheel = (deltaY, ctrlKey) => {
    const at = frame.getBoundingClientRect();
    const point = { clientX: at.left + 40, clientY: at.top + 30 };
    const event = new window.WheelEvent("wheel", { deltaY, ctrlKey, cancelable: true, ...point });
    frame.dispatchEvent(event);
    return event.defaultPrevented;
  };
  const click = (name) => document.querySelector(`[data-zoom=${name}]`).click();
  note("at first");
  click("in"); note("button +");
  press("+"); note("key +");
  press("-"); press("-"); press("-"); note("keys - - -");
  press("0"); note("key 0");
  scales.wheelAlone = wheel(-1, false); note("wheel alone");
  scales.wheelWithCtrl = wheel(-1, true); note("wheel with Ctrl");
  frame.querySelector(".node").focus();
  scales.wheelInFocus = wheel(-1, false); note("wheel in focus");
  click("fit"); note("fit");
  const fits = svg.width.baseVal.value <= frame.clientWidth + 1;
  for (let n = 0; n < 40; n++) press("+");
  note("most");
  frame.scrollTo(100, 100);
  const send = (type, clientX, clientY) => {
    const point = { clientX, clientY, buttons: 1, bubbles: true };
    frame.dispatchEvent(new window.PointerEvent(type, point));
  };
  send("pointerdown", 200, 200);
  send("pointermove", 150, 170);
  send("pointerup", 150, 170);
  const node = frame.querySelector(".node");
  node.dispatchEvent(new window.MouseEvent("click", { bubbles: true }));
  const pinned = node.classList.contains("pinned");
  node.dispatchEvent(new window.MouseEvent("click", { bubbles: true }));
  return { scales, fits, left: frame.scrollLeft, top: frame.scrollTop, pinned,
           later: node.classList.contains("pinned") };
"""


def test_a_drawing_zooms_and_pans(model: Linted, tmp_path: Path) -> None:
    for found in run_in_pages({"model": render([model])}, ZOOMED, tmp_path).values():
        assert found["fits"]
        told = found["scales"]
        assert [told[x] for x in ("wheelAlone", "wheelWithCtrl", "wheelInFocus")] == [0, 1, 1]
        expected = {
            "at first": 1, "button +": 1.25, "key +": 1.25**2, "keys - - -": 0.8, "key 0": 1,
            "wheel alone": 1, "wheel with Ctrl": 1.25, "wheel in focus": 1.25**2, "most": 8,
        }  # fmt: skip
        assert {name: told[name] for name in expected} == pytest.approx(expected, rel=1e-3)
        assert (found["left"], found["top"]) == (150, 130)
        assert not found["pinned"], "the end of a drag is no click on a node"
        assert found["later"]
