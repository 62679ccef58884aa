"""Every row of the table of rewrites keeps its promise."""

from importlib import import_module

import pytest

from ghostdeploy.errors import UsageError
from ghostdeploy.lowering.rewrites import (
    DEFAULT,
    FAST,
    MENDING,
    REWRITES,
    SPEED,
    apply_rewrites,
    choose_form,
    explain_rewrites,
    form_called,
)
from tests.lowering.rewrites.tiny import flatbuffer, ops, tiny


@pytest.mark.parametrize("name", REWRITES)
def test_a_row(name):
    module = import_module(REWRITES[name])
    assert module.__doc__.startswith(f"{name}: ")
    assert "\nWhat: " in module.__doc__
    assert "\nWhy: " in module.__doc__
    assert isinstance(module.KEEPS_FUNCTION, bool)
    # A rewrite that keeps the function says how exactly it does.
    assert ("\nExact: " in module.__doc__) == module.KEEPS_FUNCTION


def test_a_graph_without_anything_to_do_is_left_alone():
    t = tiny()
    source, target = t.tensor((1, 2, 2, 1)), t.tensor((1, 2, 2, 1))
    t.op("RELU", [source], [target])
    data = t.bytes(source, target)
    model = flatbuffer.load(data, "tiny")
    assert apply_rewrites(model) == {}
    assert ops(flatbuffer.dump(model)) == ["RELU"]


def test_only_the_named_ones_are_applied():
    t = tiny()
    source, target = t.tensor((1, 2, 2, 1)), t.tensor((1, 2, 2, 1))
    t.op("RELU_0_TO_1", [source], [target])
    model = flatbuffer.load(t.bytes(source, target), "tiny")
    assert apply_rewrites(model, ("pad-same",)) == {}
    assert apply_rewrites(model, ("clip-relu",)) == {"clip-relu": 1}


@pytest.mark.parametrize(
    ("on", "off", "applied", "title"),
    [
        ((), (), set(DEFAULT), ""),
        ((), ("clip-relu", "wide-tiles"), set(DEFAULT) - {"clip-relu"}, "without-clip-relu"),
        ((), ("all",), set(MENDING), "plain"),
        (("wide-tiles",), ("all",), {*MENDING, "wide-tiles"}, "only-wide-tiles"),
        (("fast",), (), set(REWRITES) - {"wide-tiles"}, "fast"),
        (("fast",), ("all",), {*MENDING, *FAST}, f"only-{'-'.join(FAST)}"),
        (("all",), (), set(REWRITES), "arm"),
        (("all",), ("wide-tiles",), set(REWRITES) - {"wide-tiles"}, "fast"),
        (("all",), ("fast",), {*DEFAULT, "wide-tiles"}, "with-wide-tiles"),
        (
            ("fast",),
            ("narrow-taps",),
            {*DEFAULT, *FAST} - {"narrow-taps"},
            f"with-{'-'.join(name for name in FAST if name != 'narrow-taps')}",
        ),
        (
            ("fast",),
            ("clip-relu", "float-pool"),
            {*DEFAULT, *FAST} - {"clip-relu", "float-pool"},
            "without-clip-relu-with-tanh-gate-gate-broadcast-narrow-taps",
        ),
        (("fast", "wide-tiles"), (), set(REWRITES), "arm"),
        (("tanh-gate",), (), {*DEFAULT, "tanh-gate"}, "with-tanh-gate"),
    ],
)
def test_which_are_applied(on, off, applied, title):
    form = choose_form(on, off)
    assert set(form.names) == applied
    assert list(form.names) == sorted(form.names, key=list(REWRITES).index)
    assert form.title == title


def test_what_hides_the_networks_operators_is_only_for_those_who_ask():
    """The paper's DFC branch in plain operators, and no RESHAPE: the contract of the export."""
    assert set(SPEED).isdisjoint(DEFAULT)
    assert {*SPEED, *DEFAULT} == set(REWRITES)


@pytest.mark.parametrize("name", ["wide", *MENDING])
def test_what_cannot_be_left_out(name):
    with pytest.raises(UsageError, match=name):
        choose_form((), (name,))


@pytest.mark.parametrize("word", ["narrow-taps", "fast", "clip-relu"])
def test_what_is_asked_for_and_left_out_at_once(word):
    with pytest.raises(UsageError, match=f"{word} cannot be both applied and left out"):
        choose_form((word, "tanh-gate"), (word,))


@pytest.mark.parametrize("name", [*SPEED, *(n for n in DEFAULT if n not in MENDING)])
@pytest.mark.parametrize("title", ["fast", "arm"])
def test_every_form_can_lack_any_of_its_rewrites(title, name):
    whole = form_called(title)
    assert form_called(title, (name,)).names == tuple(n for n in whole.names if n != name)


def test_each_is_explained_on_one_line_a_part():
    for row in explain_rewrites():
        assert row["name"] in REWRITES
        assert row["what"].endswith(".")
        assert "Exact:" not in row["why"]
        assert "\n" not in row["what"] + row["why"]
