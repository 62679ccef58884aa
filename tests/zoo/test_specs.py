"""Specs: presets, changes, names, and requests that make no sense."""

from __future__ import annotations

import subprocess
import sys
from itertools import product

import pytest

from ghostdeploy.errors import UsageError
from ghostdeploy.zoo import MODELS, build, find_architecture, make_spec, parse_change
from ghostdeploy.zoo.options import DfcOptions, SelfAttentionOptions


def test_the_zoo_is_light_to_import() -> None:
    code = (
        "import sys, ghostdeploy.zoo as z; z.make_spec();"
        "print(sorted({'torch', 'numpy', 'onnx', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_defaults() -> None:
    spec = make_spec()
    assert (spec.arch, spec.width, spec.resolution) == ("ghostnetv2", 1.0, (224, 224))
    assert spec.options == DfcOptions()
    assert spec.name == "ghostnetv2_1.0_224"


def test_the_paper_variant() -> None:
    assert make_spec(variant="paper").options == DfcOptions(
        dfc_blocks=None, kernel=(9, 7, 5), down="max", up="bilinear", scale="sigmoid", ratio=0.5
    )


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"arch": "ghostnetv1", "width": 0.5}, "ghostnetv1_0.5_224"),
        ({"resolution": (192, 320)}, "ghostnetv2_1.0_192x320"),
        ({"variant": "paper"}, "ghostnetv2_1.0_224_paper"),
        ({"changes": {"kernel": (9, 7, 5)}}, "ghostnetv2_1.0_224_kernel-9.7.5"),
        ({"changes": {"up": "bilinear", "down": "max"}}, "ghostnetv2_1.0_224_down-max+up-bilinear"),
        ({"variant": "paper", "changes": {"ratio": 0.7}}, "ghostnetv2_1.0_224_paper+ratio-0.7"),
        ({"changes": {"ratio": 1}}, "ghostnetv2_1.0_224_ratio-1.0"),
        ({"num_classes": 10, "width": 1}, "ghostnetv2_1.0_224_c10"),
        ({"changes": {"down": "average", "ratio": 0.5}}, "ghostnetv2_1.0_224"),
        ({"variant": "paper", "changes": {"down": "max"}}, "ghostnetv2_1.0_224_paper"),
    ],
)
def test_names(arguments, name: str) -> None:
    assert make_spec(**arguments).name == name


def test_names_are_unique_and_safe_as_file_names() -> None:
    dfc_changes = [
        {},
        *({"down": d} for d in ("max", "bilinear")),
        *({"up": u} for u in ("bilinear", "bicubic")),
        *({"scale": s, "scale_where": w} for s in ("hard_sigmoid", "clip") for w in ("after",)),
        *({"dfc_blocks": b} for b in ((), (2,), (2, 3), (12,), (1, 2))),
        *({"kernel": k} for k in ((3, 3, 3), (9, 7, 5))),
        *({"ratio": r} for r in (0.3, 1.0)),
        *({"where": w} for w in ("second", "both")),
    ]
    attention = [{}, {"heads": 2}, {"after_blocks": (4,), "dims": (16,), "depths": (2,)}]
    specs = [
        make_spec(arch, width=width, resolution=size, variant=variant, changes=c, num_classes=n)
        for arch, changes in {
            "ghostnetv1": [{}],
            "ghostnetv1_sa": attention,
            "ghostnetv2": dfc_changes,
        }.items()
        for variant in MODELS[arch].variants
        for width, size, n, c in product(
            (0.5, 1.0, 1.25), ((224, 224), (192, 224), (224, 192)), (10, 1000), changes
        )
    ]
    by_name = {spec.name: spec for spec in specs}
    # A preset with nothing new in it ("paper" with down=max) is the preset itself.
    assert all(by_name[spec.name] == spec for spec in specs)
    assert len(by_name) == len(set(specs)) > 400
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789._-+")
    assert all(set(name) <= allowed and len(name) < 100 for name in by_name)


def test_options_that_depend_on_each_other_change_together() -> None:
    changes = {"after_blocks": (4,), "dims": (16,), "depths": (2,)}
    options = make_spec("ghostnetv1_sa", changes=changes).options
    assert options == SelfAttentionOptions(after_blocks=(4,), dims=(16,), depths=(2,), heads=4)


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("kernel=9,7,5", ("kernel", (9, 7, 5))),
        ("kernel=7", ("kernel", (7, 7, 7))),
        ("kernel=(9, 7, 5)", ("kernel", (9, 7, 5))),
        ("down=max", ("down", "max")),
        ("down='max'", ("down", "max")),
        ("ratio=0.7", ("ratio", 0.7)),
        ("dfc_blocks=2", ("dfc_blocks", (2,))),
        (" dfc_blocks =2,3", ("dfc_blocks", (2, 3))),
        ("dfc_blocks=None", ("dfc_blocks", None)),
        ("after_blocks=4", ("after_blocks", (4,))),
        ("dims=16", ("dims", (16,))),
        ("heads=2", ("heads", 2)),
        ("down={[]:1}", ("down", "{[]:1}")),
    ],
)
def test_parse_change(text: str, change) -> None:
    assert parse_change(text) == change


@pytest.mark.parametrize("text", ["kernel", "kernel=", "", "="])
def test_a_change_without_a_value(text: str) -> None:
    with pytest.raises(UsageError, match="NAME=VALUE"):
        parse_change(text)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ghostnetv3", "did you mean ghostnetv"),
        ("ghostnet_v2", "did you mean ghostnetv2"),
        ("ghostnetv1_sb", "did you mean ghostnetv1_sa"),
        ("resnet50", "there are ghostnetv1, ghostnetv1_sa, ghostnetv2"),
        ("", "there are ghostnetv1"),
    ],
)
def test_an_unknown_model_is_told_its_neighbours(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint) as caught:
        find_architecture(name)
    assert repr(name) in str(caught.value)


BAD_CHANGES = [
    ("ghostnetv2", "kernel=4,4,4", "kernel must be three odd numbers"),
    ("ghostnetv2", "kernel=9,7", "kernel must be three odd numbers"),
    ("ghostnetv2", "kernel=-1,3,3", "kernel must be three odd numbers"),
    ("ghostnetv2", "kernel=abc", "kernel must be whole numbers"),
    ("ghostnetv2", "kernel=9.0,7,5", "kernel must be whole numbers"),
    ("ghostnetv2", "kernel=None", "kernel must be whole numbers"),
    ("ghostnetv2", "down=mean", "down must be one of average, max, bilinear, not 'mean'"),
    ("ghostnetv2", "up=cubic", "up must be one of nearest, bilinear, bicubic"),
    ("ghostnetv2", "scale=tanh", "scale must be one of sigmoid, hard_sigmoid, clip"),
    ("ghostnetv2", "scale_where=now", "scale_where must be one of before, after"),
    ("ghostnetv2", "where=third", "where must be one of first, second, both"),
    ("ghostnetv2", "ratio=0", "ratio must be between 0.1 and 1"),
    ("ghostnetv2", "ratio=1.1", "ratio must be between 0.1 and 1"),
    ("ghostnetv2", "ratio=half", "ratio must be between 0.1 and 1, not half"),
    ("ghostnetv2", "ratio=True", "ratio must be between 0.1 and 1"),
    ("ghostnetv2", "dfc_blocks=16", "dfc_blocks must be ascending block numbers 0 to 15"),
    ("ghostnetv2", "dfc_blocks=3,2", "dfc_blocks must be ascending"),
    ("ghostnetv2", "dfc_blocks=2,2", "dfc_blocks must be ascending"),
    ("ghostnetv2", "dfc_blocks=all", "dfc_blocks must be whole numbers"),
    ("ghostnetv2", "heads=4", "ghostnetv2 has no option 'heads'; it has dfc_blocks, kernel"),
    ("ghostnetv1", "kernel=5", "ghostnetv1 has no option 'kernel'; it has none"),
    ("ghostnetv1_sa", "heads=3", "dims must be multiples of the 3 heads"),
    ("ghostnetv1_sa", "heads=0", "heads must be at least 1"),
    ("ghostnetv1_sa", "heads=two", "heads must be at least 1"),
    ("ghostnetv1_sa", "dims=16", "the same length"),
    ("ghostnetv1_sa", "dims=a,b,c", "dims must be whole numbers"),
    ("ghostnetv1_sa", "dims=16,0,4", "dims must be multiples"),
    ("ghostnetv1_sa", "depths=0,1,1", "depths must be at least 1"),
    ("ghostnetv1_sa", "after_blocks=4,10,16", "after_blocks must be ascending block numbers"),
    ("ghostnetv1_sa", "after_blocks=4,4,15", "after_blocks must be ascending block numbers"),
]


@pytest.mark.parametrize(("arch", "change", "said"), BAD_CHANGES)
def test_options_out_of_range(arch: str, change: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        make_spec(arch, changes=dict([parse_change(change)]))
    assert "\n" not in str(caught.value)


def test_an_unknown_variant_lists_the_known() -> None:
    with pytest.raises(UsageError, match="ghostnetv2 has the variants official, paper, not 'x'"):
        make_spec(variant="x")


@pytest.mark.parametrize("arch", MODELS)
def test_build_gives_the_spec_asked_for(arch: str) -> None:
    network = build(make_spec(arch, width=0.3, num_classes=3))
    assert network.classifier.out_features == 3
    assert network.training is False
