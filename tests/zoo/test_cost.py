"""Parameters and MACs against the paper and an independent reconstruction of its tables."""

from __future__ import annotations

import pytest

from ghostdeploy.paper_data import find_row
from ghostdeploy.zoo import MODELS, make_spec
from ghostdeploy.zoo.cost import Cost, count_cost

# Counted from the published checkpoints' shapes: exact.
EXACT = {
    1.0: (6_156_908, 167_048_288),
    1.3: (8_960_404, 269_322_976),
    1.6: (12_392_698, 398_607_224),
}


@pytest.mark.parametrize("width", EXACT)
def test_ghostnetv2_exactly(width: float) -> None:
    assert count_cost(make_spec(width=width)) == Cost(*EXACT[width])


# A reconstruction of the paper's tables in another code base, to its printed digits:
# table, model, width, variant, changes, parameters (M), MACs (M).
ROWS = [
    ("2", "ghostnetv1", 0.5, "official", {}, "2.587", "42.33"),
    ("2", "ghostnetv1", 1.0, "official", {}, "5.1825", "141.151"),
    ("2", "ghostnetv1", 1.1, "official", {}, "5.8556", "166.987"),
    ("2", "ghostnetv1", 1.3, "official", {}, "7.3588", "227.003"),
    ("2", "ghostnetv1", 1.4, "official", {}, "8.1864", "262.788"),
    ("2", "ghostnetv1", 1.7, "official", {}, "11.0001", "378.009"),
    ("2 (text)", "ghostnetv2", 1.0, "paper", {}, "6.1705", "168.985"),
    ("2 (text)", "ghostnetv2", 1.3, "paper", {}, "8.9781", "271.820"),
    ("2 (text)", "ghostnetv2", 1.6, "paper", {}, "12.4145", "401.717"),
    ("2 (text)", "ghostnetv2", 1.0, "paper", {"dfc_blocks": tuple(range(16))}, "6.1731", "175.809"),
    ("1", "ghostnetv1_sa", 1.0, "official", {}, "5.3513", "173.174"),
    ("6", "ghostnetv2", 1.0, "official", {"kernel": (3, 3, 3)}, "6.1300", "165.707"),
    ("6", "ghostnetv2", 1.0, "official", {"kernel": (7, 5, 5)}, "6.1589", "167.782"),
    ("6", "ghostnetv2", 1.0, "official", {"kernel": (7, 7, 5)}, "6.1685", "168.251"),
    ("6", "ghostnetv2", 1.0, "official", {"kernel": (9, 7, 5)}, "6.1705", "168.985"),
    ("6", "ghostnetv2", 1.0, "official", {"kernel": (11, 9, 7)}, "6.1975", "170.326"),
    ("7", "ghostnetv2", 1.0, "official", {"dfc_blocks": ()}, "5.1825", "141.151"),
    ("7", "ghostnetv2", 1.0, "official", {"dfc_blocks": (2, 3, 4, 5, 6, 7)}, "5.2453", "150.210"),
    ("7", "ghostnetv2", 1.0, "official", {"dfc_blocks": (8, 9, 10, 11)}, "5.4183", "152.113"),
    ("7", "ghostnetv2", 1.0, "official", {"dfc_blocks": (12, 13, 14, 15)}, "5.8583", "147.026"),
    ("7", "ghostnetv2", 1.0, "official", {"dfc_blocks": tuple(range(2, 16))}, "6.1569", "167.048"),
    ("8", "ghostnetv2", 1.0, "official", {"where": "first"}, "6.1569", "167.048"),
    ("8", "ghostnetv2", 1.0, "official", {"where": "second"}, "6.1322", "161.772"),
    ("8", "ghostnetv2", 1.0, "official", {"where": "both"}, "7.1066", "187.670"),
    *(
        ("9", "ghostnetv2", 1.0, "official", {"scale": s, "scale_where": w}, "6.1569", "167.048")
        for s in ("sigmoid", "hard_sigmoid", "clip")
        for w in ("before", "after")
    ),
    *(
        ("10", "ghostnetv2", 1.0, "official", {"down": down, "up": up}, "6.1569", "167.048")
        for down, up in (
            ("average", "bilinear"),
            ("max", "bilinear"),
            ("bilinear", "bilinear"),
            ("max", "bicubic"),
        )
    ),
    ("A2", "ghostnetv2", 1.08, "official", {"ratio": 0.3}, "6.8333", "169.766"),
    ("A2", "ghostnetv2", 1.0, "official", {"ratio": 0.5}, "6.1569", "167.048"),
    ("A2", "ghostnetv2", 0.92, "official", {"ratio": 0.7}, "5.5253", "163.544"),
    ("A2", "ghostnetv2", 0.81, "official", {"ratio": 1.0}, "4.6876", "172.054"),
    ("A2", "ghostnetv2", 1.0, "official", {"ratio": 0.7}, "6.1569", "186.461"),
    ("A2", "ghostnetv2", 1.0, "official", {"ratio": 1.0}, "6.1569", "253.228"),
]


@pytest.mark.parametrize(("table", "arch", "width", "variant", "changes", "params", "macs"), ROWS)
def test_tables_of_the_paper(table, arch, width, variant, changes, params, macs) -> None:
    counted = count_cost(make_spec(arch, width=width, variant=variant, changes=changes))
    assert (in_millions(counted.params, params), in_millions(counted.macs, macs)) == (params, macs)


def in_millions(count: int, like: str) -> str:
    """With as many decimals as ``like`` has."""
    return f"{count / 1e6:.{len(like.partition('.')[2])}f}"


# Counted in other code bases (timm, torchvision, pytorchcv, prototypes), to their printed digits.
OTHERS = [
    ("mobilenetv1", 1.0, "official", "4.231976", "568.740352"),
    ("mobilenetv1", 0.5, "official", "1.331592", "149.497088"),
    ("mobilenetv2", 1.0, "official", "3.504872", "300.774272"),
    ("mobilenetv2", 0.6, "official", "2.217000", "150.958928"),
    ("mobilenetv2", 1.1, "official", "4.074280", "337.948624"),
    ("mobilenetv2", 1.1, "se", "4.534", "338.40"),
    ("mobilenetv2", 1.1, "cbam", "4.536", "341.08"),
    ("mobilenetv2", 1.1, "ca", "4.601", "344.78"),
    ("mobilenetv2", 1.0, "dfc", "4.372", "344.19"),
    ("mobilenetv3_large", 0.75, "official", "3.993528", "154.560624"),
    ("mobilenetv3_large", 1.0, "official", "5.483032", "216.589760"),
    ("mobilenetv3_large", 1.25, "official", "7.551976", "355.221920"),
    ("shufflenetv1", 1.0, "official", "1.865728", "137.460672"),
    ("shufflenetv2", 1.0, "official", "2.278604", "144.907992"),
    ("shufflenetv2", 1.5, "official", "3.503624", "295.759392"),
    ("proxylessnas", 1.0, "official", "4.080512", "320.427584"),
    ("fbnet_b", 1.0, "official", "4.816", "291.0"),
    ("fbnet_c", 1.0, "official", "5.572200", "384.960160"),
    ("mnasnet_a1", 1.0, "official", "3.887038", "311.579072"),
    ("efficientnet_b0", 1.0, "official", "5.288548", "385.814752"),
    ("mobilenext", 1.0, "official", "3.535", "311.3"),
    ("mobilenext_plus", 1.0, "official", "3.934", "330.2"),
    ("autonl_s", 1.0, "official", "4.389", "266.2"),
    ("autonl_l", 1.0, "official", "5.580", "352.1"),
]


@pytest.mark.parametrize(("arch", "width", "variant", "params", "macs"), OTHERS)
def test_the_other_networks(arch, width, variant, params, macs) -> None:
    counted = count_cost(make_spec(arch, width=width, variant=variant))
    assert (in_millions(counted.params, params), in_millions(counted.macs, macs)) == (params, macs)


PAPER = [
    (arch, width, row)
    for arch in ("ghostnetv1", "ghostnetv1_sa", "ghostnetv2")
    for width, rows in MODELS[arch].paper.items()
    for row in rows
]


@pytest.mark.parametrize(("arch", "width", "row"), PAPER)
def test_the_rows_that_the_zoo_names_are_the_models_own(arch, width, row) -> None:
    printed, counted = (
        find_row(row.table, row.model, row.variant),
        count_cost(make_spec(arch, width=width)),
    )
    assert printed.flops_m == pytest.approx(counted.macs / 1e6, rel=0.01)
    if printed.params_m is not None:
        assert printed.params_m == pytest.approx(counted.params / 1e6, abs=0.1)


def test_feature_maps_cost_all_but_the_last_three_layers() -> None:
    whole, features = count_cost(make_spec()), count_cost(make_spec(), features=True)
    last, head, classifier = 160 * 960, 960 * 1280, 1280 * 1000
    assert whole.macs - features.macs == last * 7 * 7 + head + classifier
    assert whole.params - features.params == last + 2 * 960 + head + 1280 + classifier + 1000


def test_macs_follow_the_resolution_and_params_do_not() -> None:
    small, large = (
        count_cost(make_spec(resolution=(64, 96))),
        count_cost(make_spec(resolution=(128, 192))),
    )
    assert small.params == large.params == EXACT[1.0][0]
    head = 960 * 1280 + 1280 * 1000
    # SE works on one pixel whatever the resolution, so the growth is a little below four.
    assert 3.5 < (large.macs - head) / (small.macs - head) < 4
