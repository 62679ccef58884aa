"""The contract of every row of ``zoo.MODELS``."""

from __future__ import annotations

import dataclasses
from importlib import import_module

import pytest
from torch import nn

from ghostdeploy import paper_data
from ghostdeploy.zoo import DEFAULT_MODEL, MODELS, build, make_spec


@pytest.mark.parametrize("name", MODELS)
class TestRow:
    def test_its_module_builds_and_says_what_it_is(self, name: str) -> None:
        module = import_module(MODELS[name].module)
        assert callable(module.build)
        assert module.__name__.rpartition(".")[2] == name
        assert module.__doc__
        assert MODELS[name].title

    def test_every_variant_builds(self, name: str) -> None:
        assert "official" in MODELS[name].variants
        for variant in MODELS[name].variants:
            network = build(make_spec(name, width=0.1, variant=variant))
            assert isinstance(network, nn.Module)
            assert not network.training

    def test_every_change_of_every_option_makes_another_spec(self, name: str) -> None:
        other = {
            "dfc_blocks": (3,),
            "kernel": (3, 3, 3),
            "down": "max",
            "up": "bilinear",
            "scale": "clip",
            "scale_where": "after",
            "ratio": 1.0,
            "where": "both",
            "after_blocks": (1, 2, 3),
            "dims": (8, 8, 8),
            "depths": (1, 1, 1),
            "heads": 2,
        }
        options = MODELS[name].variants["official"]
        for field in dataclasses.fields(options) if options else ():
            changed = make_spec(name, width=0.1, changes={field.name: other[field.name]})
            assert changed.name != make_spec(name, width=0.1).name
            build(changed)

    def test_its_paper_rows_exist(self, name: str) -> None:
        for rows in MODELS[name].paper.values():
            assert rows
            for row in rows:
                assert paper_data.find_row(row.table, row.model, row.variant).flops_m
                assert row.preset in ("", *MODELS[name].variants)

    def test_latencies_read_off_figure_2_are_there(self, name: str) -> None:
        read = [r.figure_ms for rows in MODELS[name].paper.values() for r in rows if r.figure_ms]
        points = [point.x for point in paper_data.figure_points("2")]
        assert all(any(abs(ms - x) <= 0.2 for x in points) for ms in read)

    def test_its_reshaping_modules_exist(self, name: str) -> None:
        modules = dict(build(make_spec(name, width=0.25)).named_modules())
        assert all(path in modules for path in MODELS[name].reshaping_modules)


def test_titles_are_unique_and_the_default_is_a_row() -> None:
    assert len({row.title for row in MODELS.values()}) == len(MODELS)
    assert DEFAULT_MODEL in MODELS
