"""A user's file is code: it runs because it was named, and what it does wrong is told as theirs."""

from __future__ import annotations

import sys

import pytest

from ghostdeploy.errors import InputFileError, UsageError
from ghostdeploy.sources import find_source, open_source
from tests.sources.networks import NET


@pytest.mark.parametrize(
    ("text", "function", "said"),
    [
        (NET, "bild", r"has no function 'bild'; did you mean build\?"),
        (NET, "INPUT", "is a tuple, not a function"),
        ("import no_such_package\n", "build", "net.py:1: .*no_such_package"),
        ("def build(:\n", "build", "importing net.py failed: .*SyntaxError"),
        ("raise SystemExit(3)\n", "build", "importing net.py failed"),
        ("\n\n1 / 0\n", "build", "net.py:3: .*division by zero"),
        ("def build():\n    return [1]\n", "build", "gives a list, not a torch.nn.Module"),
        (
            "def build():\n    raise KeyError('x')\n",
            "build",
            r"build\(\) failed: net.py:2: KeyError",
        ),
        ("def build(width):\n    return width\n", "build", r"build\(\) failed: .*width"),
        (
            NET
            + "\ndef scripted():\n    return torch.jit.trace(Net().eval(), torch.zeros(INPUT))\n",
            "scripted",
            "TorchScript",
        ),
    ],
)
def test_what_is_wrong_with_it_is_one_line(refer, text, function, said):
    with pytest.raises(UsageError, match=said) as caught:
        open_source(refer(text, function))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputFileError, match="there is no such file"):
        open_source(find_source(str(tmp_path / "none.py")))


def test_a_parser_of_its_own_does_not_see_our_command_line(refer, monkeypatch):
    parsing = "import argparse\nargparse.ArgumentParser().parse_args()\n"
    monkeypatch.setattr(sys, "argv", ["ghostdeploy", "export", "--wrong"])
    assert open_source(refer(parsing + NET)).spec.outputs == ("logits",)
    assert sys.argv == ["ghostdeploy", "export", "--wrong"]


def test_a_name_that_an_installed_package_has(tmp_path):
    (tmp_path / "click.py").write_text(NET, encoding="utf-8")
    import click

    assert open_source(find_source(str(tmp_path / "click.py"))).spec.title == "click"
    assert sys.modules["click"] is click


def test_files_beside_it_and_its_package(tmp_path):
    package = tmp_path / "my_networks_of_a_test"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "layers.py").write_text(NET, encoding="utf-8")
    (package / "net.py").write_text("from .layers import INPUT, build\n", encoding="utf-8")
    (tmp_path / "alone.py").write_text(
        "from my_networks_of_a_test.layers import build, INPUT\n", encoding="utf-8"
    )
    for path in (package / "net.py", tmp_path / "alone.py"):
        assert open_source(find_source(str(path))).spec.inputs[0].shape == (1, 3, 16, 16)


def test_arguments_and_classes_go_to_the_function(refer):
    wide = open_source(refer(arguments=(("width", 6),), num_classes=7))
    assert wide.spec.output_shapes == ((1, 7),)
    assert wide.spec.num_classes == 7
    with pytest.raises(UsageError, match="takes no num_classes"):
        open_source(refer(NET + "\ndef plain():\n    return Net()\n", "plain", num_classes=7))
    with pytest.raises(UsageError, match=r"build\(\) failed: .*depth"):
        open_source(refer(arguments=(("depth", 6),)))


def test_a_class_and_a_network_that_stands_there(refer):
    assert open_source(refer(function="Net")).spec.title == "Net"
    ready = open_source(refer(NET + "\nready = Net(5)\n", "ready"))
    assert ready.parameters == 5 * 27 + 5 + 5 * 2 + 5 * 3 + 3
    with pytest.raises(UsageError, match="it takes no --arg"):
        open_source(refer(NET + "\nready = Net()\n", "ready", arguments=(("width", 2),)))
