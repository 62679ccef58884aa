"""``ghostdeploy models``: our own count, and the paper's figures where it prints them."""

from __future__ import annotations

import csv
import json

import pytest

from ghostdeploy import zoo
from ghostdeploy.commands.models import list_models, paper_says
from ghostdeploy.zoo.cost import COUNTED, count_cost
from tests.command_line import ROOT, ghostdeploy


@pytest.fixture(scope="module")
def rows():
    return {row.name: row for row in list_models()}


def test_every_variant_at_every_width_of_the_paper(rows):
    assert list(rows) == [
        *(f"ghostnetv1_{width}_224" for width in ("1.0", "1.1", "1.3", "1.4", "1.7")),
        "ghostnetv1_sa_1.0_224",
        *(f"ghostnetv2_{width}_224" for width in ("1.0", "1.3", "1.6")),
        *(f"ghostnetv2_{width}_224_paper" for width in ("1.0", "1.3", "1.6")),
    ]


@pytest.mark.parametrize("name", ["ghostnetv1_1.1_224", "ghostnetv1_sa_1.0_224"])
def test_parameters_are_those_of_the_network(rows, name):
    row = rows[name]
    network = zoo.build(zoo.make_spec(row.arch, width=row.width, variant=row.variant))
    assert row.params == sum(p.numel() for p in network.parameters())


def test_the_costs_that_are_told_are_those_of_the_networks(rows):
    for row in rows.values():
        spec = zoo.make_spec(row.arch, width=row.width, variant=row.variant)
        assert count_cost(spec) == COUNTED[spec.name]
    assert rows.keys() == COUNTED.keys()


@pytest.mark.parametrize(
    ("name", "params", "macs"),
    [
        ("ghostnetv2_1.0_224", 6_156_908, 167_048_288),
        ("ghostnetv1_sa_1.0_224", 5_351_000, 173_170_000),
        ("ghostnetv2_1.3_224_paper", 8_978_000, 271_820_000),
    ],
)
def test_costs(rows, name, params, macs):
    assert rows[name].params == pytest.approx(params, abs=500)
    assert rows[name].macs == pytest.approx(macs, abs=5000)


@pytest.mark.parametrize(
    ("name", "table", "model", "variant"),
    [
        ("ghostnetv1_1.0_224", "1", "GhostNet", "1.0x"),
        ("ghostnetv1_sa_1.0_224", "1", "GhostNet", "+ Self Attention [23] (MobileViT)"),
        ("ghostnetv2_1.0_224", "1", "GhostNet", "+ DFC Attention (Ours)"),
        ("ghostnetv2_1.3_224", "A3", "GhostNetV2", "1.3x"),
        ("ghostnetv2_1.6_224", "A3", "GhostNetV2", "1.6x"),
        ("ghostnetv1_1.3_224", "2", "GhostNetV1", "1.3x"),
    ],
)
def test_the_papers_figures_are_those_of_its_tables(rows, name, table, model, variant):
    with (ROOT / "reports" / "paper" / "tables.csv").open(encoding="utf-8") as file:
        (printed,) = (
            line
            for line in csv.DictReader(file)
            if (line["table"], line["model"], line["variant"]) == (table, model, variant)
        )
    says = rows[name].paper
    assert says.latency_ms == (float(printed["latency_ms"]) if printed["latency_ms"] else None)
    assert says.top1 == float(printed["top1"])
    assert says.macs_m == float(printed["flops_M"])
    assert f"Table {table}" in says.source


def test_what_the_paper_read_off_a_figure_is_marked(rows):
    says = rows["ghostnetv1_1.4_224"].paper
    assert (says.latency_ms, says.source) == (56.5, "Table 2, Figure 2 (±0.2 ms)")


@pytest.mark.parametrize(
    "spec",
    [
        zoo.make_spec(resolution=(192, 192)),
        zoo.make_spec(width=1.2),
        zoo.make_spec(changes={"scale": "hard_sigmoid"}),
    ],
)
def test_the_paper_says_nothing_of_another_network(spec):
    says = paper_says(spec)
    assert (says.latency_ms, says.top1, says.source) == (None, None, "")


def test_the_command(rows):
    plain, machine = ghostdeploy("models"), ghostdeploy("models", "--json")
    assert (plain.stderr, machine.stderr) == ("", "")
    lines = {line.split()[0]: line for line in plain.stdout.splitlines() if line}
    assert lines["ghostnetv2_1.0_224"].split()[1:5] == ["6.16", "167.0", "75.3", "37.5"]
    found = json.loads(machine.stdout)
    assert [f["name"] for f in found] == list(rows)
    assert found[0].keys() == {"name", "arch", "variant", "width", "params", "macs", "paper"}
    assert found[0]["paper"]["latency_ms"] == 31.1
