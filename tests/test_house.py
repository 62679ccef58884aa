"""The house rules that no linter holds: sizes, names, circles, one typed request a command."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("ghostdeploy", "android_bench")
MAX_FILE_LINES = 350
MAX_FUNCTION_LINES = 45


@cache
def sources() -> dict[str, tuple[Path, ast.Module]]:
    """Every module of both packages by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = (path, ast.parse(path.read_text(encoding="utf-8")))
    return found


def imports_of(tree: ast.AST, modules: dict[str, object]) -> Iterator[str]:
    """Every module of ours that ``tree`` imports, also in functions and under TYPE_CHECKING."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield from (name for name in (inner, node.module) if name in modules)


def first_circle(graph: dict[str, set[str]]) -> list[str]:
    """The modules of one circle, [] where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_circle_of_imports() -> None:
    modules = {name: tree for name, (_, tree) in sources().items()}
    graph = {name: set(imports_of(tree, modules)) - {name} for name, tree in modules.items()}
    assert not first_circle(graph)


def test_a_circle_would_be_found() -> None:
    inside = ast.parse("def f():\n    from a import g")
    hidden = ast.parse("if TYPE_CHECKING:\n    import b")
    modules = {"a": hidden, "b": inside, "c": ast.parse("import a")}
    graph = {name: set(imports_of(tree, modules)) for name, tree in modules.items()}
    assert set(first_circle(graph)) == {"a", "b"}


@pytest.mark.parametrize("name", sources())
def test_files_and_functions_are_small(name: str) -> None:
    path, tree = sources()[name]
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    lengths = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(tree)
        if isinstance(node, functions) and node.end_lineno
    }
    assert not {f: lines for f, lines in lengths.items() if lines > MAX_FUNCTION_LINES}


def test_no_public_class_name_stands_for_two_things() -> None:
    places = defaultdict(list)
    for name, (_, tree) in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name)
    assert not {name: where for name, where in places.items() if len(where) > 1}


def test_no_command_passes_a_bag_of_options() -> None:
    """The command line is typed once; nothing looks an option up by its name afterwards."""
    bag = re.compile(r"""\bo\[["']|\bo: dict|\*\*o\b""")
    cli = (path for path, _ in sources().values() if "cli" in path.parts)
    assert not [path.name for path in cli if bag.search(path.read_text(encoding="utf-8"))]
