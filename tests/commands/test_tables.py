"""Tables of the paper as comparisons: which networks are measured, by which names, which not."""

from __future__ import annotations

import pytest

from ghostdeploy.commands.contenders import prepare_rows
from ghostdeploy.commands.export import ExportRequest
from ghostdeploy.commands.models import paper_says_of
from ghostdeploy.commands.tables import plan_table, request_rows
from ghostdeploy.commands.targets import SpecDefaults, parse_network
from ghostdeploy.errors import UsageError
from ghostdeploy.paper_data import table_rows
from ghostdeploy.progress import ignore_progress
from ghostdeploy.schema import Artifact, ForeignSpec, InputSpec
from ghostdeploy.zoo import make_spec
from tests.sources.networks import NET


def test_the_rows_are_in_the_papers_order_and_others_say_why_not():
    plan = plan_table("2", SpecDefaults())
    printed = [f"{row.model} {row.variant}".strip() for row in table_rows("2")]
    missing = [line.partition(": ")[0] for line in plan.lacking]
    assert missing == ["FE-Net 1.0x", "MnasNet-A2", "MnasNet-A3", "MobileNeXt+ 1.1x"]
    assert list(plan.names) == [name for name in printed if name not in missing]
    models = dict(zip(plan.names, plan.models, strict=True))
    assert models["MobileNetV3-L 0.75x"] == make_spec("mobilenetv3_large", width=0.75)
    assert models["MobileViT-XS"].text == "timm:mobilevit_xs"
    assert models["MobileViT-XS"].resolution == (224, 224)  # the paper's FLOPs are


def test_rows_of_one_network_are_measured_once():
    plan = plan_table("10", SpecDefaults())
    assert "GhostNetV2 1.0x Max Pooling (D) = GhostNetV2 1.0x Bilinear (U)" in plan.names
    assert len(set(plan.models)) == len(plan.models) == 4


def test_another_size_holds_for_every_row():
    plan = plan_table("A3", SpecDefaults(resolution=(64, 96), num_classes=10))
    assert {(m.resolution, m.num_classes) for m in plan.models} == {((64, 96), 10)}


@pytest.mark.parametrize(
    ("table", "defaults", "said"),
    [
        (
            "3",
            SpecDefaults(),
            "their backbones are mobilenetv2, ghostnetv1 --width 1.1",
        ),
        ("text-1", SpecDefaults(), "nothing of Table text-1 can be measured"),
        ("11", SpecDefaults(), "unknown table of the paper: '11'"),
        ("2", SpecDefaults(width=1.3), "--table says itself which widths"),
        ("2", SpecDefaults(changes={"kernel": (3, 3, 3)}), "--table says itself"),
    ],
)
def test_what_makes_no_sense(table, defaults, said):
    with pytest.raises(UsageError, match=said):
        plan_table(table, defaults)


def test_a_row_that_the_format_cannot_hold_is_left_out_and_told():
    plan, requests = request_rows(
        plan_table("10", SpecDefaults()), lambda model: ExportRequest(model, ("tflite",))
    )
    assert [request.spec for request in requests] == list(plan.models)
    assert len(plan.names) == len(requests) == 3
    (line,) = plan.lacking
    assert line.startswith("GhostNetV2 1.0x Bicubic (U): TFLite has no bicubic resize")


def test_options_that_fit_no_row_are_refused():
    with pytest.raises(UsageError, match="precision must be one of"):
        request_rows(
            plan_table("1", SpecDefaults()),
            lambda model: ExportRequest(model, ("tflite",), precision="int4"),
        )


def test_the_papers_figures_are_those_of_the_table():
    def said(spec, table=""):
        return paper_says_of(Artifact("m.tflite", "0", 1, "tflite", "fp32", spec), table)

    clip = make_spec("ghostnetv2", variant="paper", changes={"scale": "clip"})
    assert (said(clip, "9").latency_ms, said(clip, "9").source) == (36.7, "Table 9")
    assert said(clip).latency_ms is None
    assert said(make_spec("ghostnetv2"), "2").top1 == 75.3
    assert said(make_spec("ghostnetv2"), "4").top1 is None


@pytest.mark.parametrize(("side", "top1"), [(224, 74.8), (256, None)])
def test_a_network_from_elsewhere_has_them_at_the_papers_size_only(side, top1):
    inputs = (InputSpec((1, 3, side, side)),)
    spec = ForeignSpec("timm:mobilevit_xs", inputs, ("logits",), ((1, 1000),), "0" * 64)
    file = Artifact("m.tflite", "0", 1, "tflite", "fp32", spec)
    assert paper_says_of(file, "2").top1 == top1


@pytest.mark.parametrize("names", [("fine", "broken"), ("broken",)])
def test_a_row_that_cannot_be_exported_does_not_stop_the_others(tmp_path, monkeypatch, names):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fine.py").write_text(NET)
    (tmp_path / "broken.py").write_text("def build():\n    raise ValueError('no weights')\n")
    requests = [
        ExportRequest(parse_network(f"{name}.py", SpecDefaults()), ("onnx",)) for name in names
    ]
    if names == ("broken",):
        with pytest.raises(UsageError, match="no weights"):
            prepare_rows(names, requests, ignore_progress)
        return
    (made,), (line,) = prepare_rows(names, requests, ignore_progress)
    assert made.title == "fine"
    assert made.artifact.format == "onnx"
    assert line.startswith("broken: broken.py")
    assert "no weights" in line
