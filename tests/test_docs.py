"""What the pages for developers say of the tree is so: folders, files, functions, tables."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("ghostdeploy", "android_bench")
NAMED = re.compile(r"`((?:[\w.]+/)+)?(\w+\.(?:py|toml|cfg))?(?::([\w.]+))?`")


def parts_of(page: str) -> set[tuple[str, str]]:
    """Each path in ``page`` with a folder in it, and the function that it names there or ""."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return {(f"{folder}{file}", name) for folder, file, name in NAMED.findall(text) if folder}


def find_path(path: str) -> Path | None:
    """The file or folder, from the top of the repository or from a package."""
    places = (ROOT / start / path for start in ("", *PACKAGES))
    return next((place for place in places if place.exists()), None)


def names_in(path: Path) -> set[str]:
    """Functions, classes and methods (``Class.method``) of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {node.name: node for node in tree.body if hasattr(node, "name")}
    methods = {
        f"{name}.{inner.name}"
        for name, node in found.items()
        for inner in node.body
        if hasattr(inner, "name")
    }
    return {*found, *methods}


@pytest.mark.parametrize(
    ("path", "name"), sorted(parts_of("docs/architecture.md") | parts_of("CONTRIBUTING.md"))
)
def test_what_a_page_names_is_there(path: str, name: str) -> None:
    found = find_path(path)
    assert found is not None
    assert not name or name in names_in(found)


def rows() -> list[tuple[str, str]]:
    """The last two columns' tables of CONTRIBUTING, as a module of ghostdeploy and a name."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    cells = [line.split("|")[-2] for line in text.splitlines() if line.startswith("| a ")]
    tables = [table for cell in cells for table in re.findall(r"`(\w+\.[\w.]+)`", cell)]
    return [tuple(f"ghostdeploy.{table}".rsplit(".", 1)) for table in tables]


@pytest.mark.parametrize(("module", "name"), rows())
def test_a_table_that_gets_a_row_is_there(module: str, name: str) -> None:
    assert getattr(import_module(module), name)


def test_every_package_has_a_line_on_the_page() -> None:
    named = {path for path, _ in parts_of("docs/architecture.md")}
    for package in PACKAGES:
        folders = {f"{p.parent.name}/" for p in (ROOT / package).glob("*/__init__.py")}
        assert folders <= named
