"""``ghostdeploy models``: our own count, and the paper's figures where it prints them."""

from __future__ import annotations

import csv
import json

import pytest

from ghostdeploy import zoo
from ghostdeploy.commands.models import list_models, list_table, paper_says
from ghostdeploy.paper_data import network_tables, table_rows
from ghostdeploy.zoo.cost import COUNTED, count_cost
from ghostdeploy.zoo.paper_rows import ABLATIONS, Preset, find_network
from tests.command_line import ROOT, ghostdeploy


@pytest.fixture(scope="module")
def rows():
    return {row.name: row for row in list_models()}


def test_every_variant_at_every_width_of_the_paper(rows):
    names = list(rows)
    assert names[:12] == [
        *(f"ghostnetv1_{width}_224" for width in ("1.0", "1.1", "1.3", "1.4", "1.7")),
        "ghostnetv1_sa_1.0_224",
        *(f"ghostnetv2_{width}_224" for width in ("1.0", "1.3", "1.6")),
        *(f"ghostnetv2_{width}_224_paper" for width in ("1.0", "1.3", "1.6")),
    ]
    table_4 = {name for name in names if name.startswith("mobilenetv2_")}
    assert table_4 == {
        *(f"mobilenetv2_{width}_224" for width in ("0.6", "1.0", "1.1")),
        *(f"mobilenetv2_1.1_224_{kind}" for kind in ("se", "cbam", "ca")),
        "mobilenetv2_1.0_224_dfc",
    }


@pytest.mark.parametrize("name", ["ghostnetv1_1.1_224", "ghostnetv1_sa_1.0_224"])
def test_parameters_are_those_of_the_network(rows, name):
    row = rows[name]
    network = zoo.build(zoo.make_spec(row.arch, width=row.width, variant=row.variant))
    assert row.params == sum(p.numel() for p in network.parameters())


def test_the_costs_that_are_told_are_those_of_the_networks(rows):
    for row in rows.values():
        spec = zoo.make_spec(row.arch, width=row.width, variant=row.variant)
        assert count_cost(spec) == COUNTED[spec.name]
    told = {name for table in network_tables() for name in names_of(table)}
    assert rows.keys() | told == COUNTED.keys()


def names_of(table):
    found = (find_network(r.table, r.model, r.variant)[0] for r in table_rows(table))
    return {network.spec.name for network in found if isinstance(network, Preset)}


@pytest.mark.parametrize("preset", ABLATIONS.values(), ids=lambda p: p.spec.name)
def test_the_costs_of_the_ablations_are_those_of_the_networks(preset):
    assert count_cost(preset.spec) == COUNTED[preset.spec.name]


def test_a_table_has_the_papers_order_and_says_what_is_not_in_the_zoo():
    rows = list_table("2")
    assert [r.row for r in rows] == [f"{p.model} {p.variant}".strip() for p in table_rows("2")]
    missing = {row.row: row.model for row in rows if row.params is None}
    assert missing == {
        "FE-Net 1.0x": "",
        "MnasNet-A2": "",
        "MnasNet-A3": "",
        "MobileNeXt+ 1.1x": "",
        "MobileViT-XS": "timm:mobilevit_xs",
    }
    assert all(bool(row.why) == (row.row in missing) for row in rows)


@pytest.mark.parametrize("table", network_tables())
def test_every_other_row_of_every_table_is_a_network_of_the_zoo(table):
    rows = list_table(table)
    assert len(rows) == len(table_rows(table))
    assert table == "2" or all(row.params for row in rows)


def test_what_a_table_tells_to_type_is_its_network():
    typed = {row.row: row.model for table in ("4", "7", "9") for row in list_table(table)}
    assert typed["MobileNetV2 1.1x + CA [11]"] == "mobilenetv2:ca --width 1.1"
    assert typed["GhostNetV2 1.0x DFC stage 2"] == "ghostnetv2 --set dfc_blocks=8,9,10,11"
    assert typed["GhostNetV2 1.0x Clip (BF)"] == "ghostnetv2:paper --set scale=clip"


def test_an_unknown_table_is_one_line():
    done = ghostdeploy("models", "--table", "11")
    assert (done.returncode, done.stdout) == (2, "")
    assert "unknown table of the paper: '11'" in done.stderr
    assert done.stderr.count("\n") == 1


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
    assert found[0].keys() == {
        "name",
        "family",
        "arch",
        "variant",
        "width",
        "params",
        "macs",
        "paper",
    }
    assert found[0]["paper"]["latency_ms"] == 31.1
