"""The rule on hand-made branches: every allowed form, and every way to break one."""

from __future__ import annotations

import pytest

from ghostdeploy.linting import lint_graph
from ghostdeploy.linting.graph import Graph
from ghostdeploy.linting.rule import Expectations
from ghostdeploy.linting.rules import dfc_contract
from ghostdeploy.schema import Finding, ModelSpec
from ghostdeploy.zoo import make_spec
from tests.linting.models import gated_module

MODULE = "blocks.2.0.ghost1"
CONVS = ("1×1", "dw 1×5", "dw 5×1")
HARD = ("+3", "relu6", "·1/6")


def spec(**changes: object) -> ModelSpec:
    return make_spec(changes={"dfc_blocks": (2,), **changes})


def findings(graph: Graph, of: ModelSpec | None = None) -> list[Finding]:
    return list(dfc_contract.check(graph, Expectations(of)))


ALLOWED = [
    (("average", *CONVS, "sigmoid", "up nearest"), {}),
    (("max", *CONVS, "sigmoid", "up nearest"), {"down": "max"}),
    (("shrink", *CONVS, "sigmoid", "up bilinear"), {"down": "bilinear", "up": "bilinear"}),
    (("average", "1×1", "dw 5×1", "dw 1×5", "sigmoid", "up nearest"), {}),
    (("average", *CONVS, "up bilinear", "sigmoid"), {"scale_where": "after", "up": "bilinear"}),
    (("average", *CONVS, *HARD, "up nearest"), {"scale": "hard_sigmoid"}),
    (("average", *CONVS, "hard", "up nearest"), {"scale": "hard_sigmoid"}),
    (("average", *CONVS, "up nearest", *HARD), {"scale": "hard_sigmoid", "scale_where": "after"}),
    (("average", *CONVS, "relu6", "up nearest"), {"scale": "clip"}),
    ((*CONVS, "sigmoid"), {"ratio": 1.0}),
    ((*CONVS, *HARD), {"ratio": 1.0, "scale": "hard_sigmoid"}),
]


@pytest.mark.parametrize(("steps", "changes"), ALLOWED, ids=str)
def test_allowed_forms(steps, changes, builder, read) -> None:
    graph = read(builder, gated_module(builder, builder.input, steps))
    (branch,) = dfc_contract.find_branches(graph)
    assert branch.module == MODULE
    assert len(branch.nodes) == len(steps)
    assert findings(graph, spec(**changes)) == []
    if changes.get("ratio") != 1.0:
        assert findings(graph) == []  # without a spec, too


BROKEN = {
    "no pooling": ((*CONVS, "sigmoid"), "it does not start with a pooling"),
    "a 3×3 for the 1×1": (
        ("average", "3×3", "dw 1×5", "dw 5×1", "sigmoid", "up nearest"),
        "no 1×1 convolution follows the pooling",
    ),
    "no 1×1": (
        ("average", "dw 1×5", "dw 5×1", "sigmoid", "up nearest"),
        "no 1×1 convolution follows the pooling",
    ),
    "a square depthwise convolution": (
        ("average", "1×1", "dw 5×5", "sigmoid", "up nearest"),
        "no 1×K and K×1 depthwise convolutions follow the 1×1",
    ),
    "two square ones": (
        ("average", "1×1", "dw 5×5", "dw 5×5", "sigmoid", "up nearest"),
        "no 1×K and K×1 depthwise convolutions follow the 1×1",
    ),
    "twice along the rows": (
        ("average", "1×1", "dw 1×5", "dw 1×5", "sigmoid", "up nearest"),
        "the two depthwise convolutions are not 1×K and K×1",
    ),
    "no depthwise convolution": (
        ("average", "1×1", "sigmoid", "up nearest"),
        "no 1×K and K×1 depthwise convolutions follow the 1×1",
    ),
    "a transpose after the convolutions": (
        ("average", *CONVS, "transpose", "sigmoid", "up nearest"),
        "stands between the convolutions and the gate",
    ),
    "a transpose before the 1×1": (
        ("average", "transpose", *CONVS, "sigmoid", "up nearest"),
        "no 1×1 convolution follows the pooling",
    ),
    "a transpose between the depthwise convolutions": (
        ("average", "1×1", "dw 1×5", "transpose", "dw 5×1", "sigmoid", "up nearest"),
        "no 1×K and K×1 depthwise convolutions follow the 1×1",
    ),
    "no resize": (("average", *CONVS, "sigmoid"), "the gate is not resized exactly once"),
    "two resizes": (
        ("average", *CONVS, "up nearest", "sigmoid", "shrink"),
        "the gate is not resized exactly once",
    ),
    "no gate function": (("average", *CONVS, "up nearest"), "no gate function"),
    "gate after the resize": (
        ("average", *CONVS, "up nearest", "sigmoid"),
        "the gate function does not stand before the resize",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_branches_are_named_with_module_and_operators(what, builder, read) -> None:
    steps, said = BROKEN[what]
    graph = read(builder, gated_module(builder, builder.input, steps))
    (finding,) = findings(graph, spec())
    assert (finding.rule, finding.severity, finding.node) == ("dfc-contract", "error", MODULE)
    assert said in finding.message
    for node in dfc_contract.find_branches(graph)[0].nodes:
        assert node.native in finding.message
    assert "×" in finding.message  # the windows' sizes


def test_a_gate_on_the_wrong_side_of_the_resize(builder, read) -> None:
    steps = ("average", *CONVS, "sigmoid", "up bilinear")
    graph = read(builder, gated_module(builder, builder.input, steps))
    (finding,) = findings(graph, spec(scale_where="after", up="bilinear"))
    assert "does not stand after the resize" in finding.message
    assert findings(graph) == []  # nobody said where it should be


def test_a_branch_that_is_gone_is_named_by_its_module(builder, read) -> None:
    steps = ("average", *CONVS, "sigmoid", "up nearest")
    graph = read(builder, gated_module(builder, builder.input, steps))
    missing = findings(graph, spec(dfc_blocks=(2, 3, 7)))
    assert [f.node for f in missing] == ["blocks.3.0.ghost1", "blocks.6.1.ghost1"]
    assert all("no DFC branch" in f.message and f.severity == "error" for f in missing)


@pytest.mark.parametrize("module", ["", "GhostBottleneck_0", "blocks.2.0.ghost1"])
def test_branches_are_counted_by_structure(module: str, builder, read) -> None:
    """litert-torch names modules by class, so that they repeat; others name none."""
    steps = ("average", *CONVS, "sigmoid", "up nearest")
    x = builder.input
    for _ in range(3):
        x = gated_module(builder, x, steps, module)
    graph = read(builder, x)
    assert len(lint_graph(graph).dfc_branches) == 3
    if module != "blocks.2.0.ghost1":
        assert findings(graph, spec(dfc_blocks=(2, 3, 4))) == []
        (finding,) = findings(graph, spec(dfc_blocks=(2, 3, 4, 5)))
        assert finding.message.startswith("3 DFC branches were found where the network has 4")


def test_several_branches_are_judged_each(builder, read) -> None:
    good, bad = (
        ("average", *CONVS, "sigmoid", "up nearest"),
        BROKEN["a square depthwise convolution"][0],
    )
    x = gated_module(builder, builder.input, good, "blocks.2.0.ghost1")
    x = gated_module(builder, x, bad, "blocks.3.0.ghost1")
    x = gated_module(builder, x, good, "blocks.4.0.ghost1")
    graph = read(builder, x)
    assert [b.module[7] for b in dfc_contract.find_branches(graph)] == ["2", "3", "4"]
    (finding,) = findings(graph, spec(dfc_blocks=(2, 3, 4)))
    assert finding.node == "blocks.3.0.ghost1"
    assert set(lint_graph(graph).dfc_branches) == {f"blocks.{n}.0.ghost1" for n in (2, 3, 4)}


def test_without_module_names_the_multiplication_is_named(builder, read) -> None:
    steps = BROKEN["no gate function"][0]
    graph = read(builder, gated_module(builder, builder.input, steps, module=""))
    (finding,) = findings(graph)
    assert finding.node == graph.nodes[-1].name
    assert finding.node.startswith("mul_")


def test_squeeze_and_excite_and_a_ghost_module_are_no_branches(builder, read) -> None:
    primary = builder.step("relu", builder.step("1×1", builder.input))
    cheap = builder.step("relu", builder.step("dw 3×3", primary))
    y = gate = builder.step("dw 3×3", builder.concat(primary, cheap))
    for kind in ("average", "1×1", "relu", "1×1", *HARD):
        gate = builder.step(kind, gate)
    graph = read(builder, builder.mul(y, gate))
    assert dfc_contract.find_branches(graph) == ()
    assert findings(graph, make_spec("ghostnetv1")) == []
