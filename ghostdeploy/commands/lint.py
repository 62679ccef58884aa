"""The lint's rules on any model file, and XNNPACK's own word on its partitions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ghostdeploy.commands.export import ExportRequest, export
from ghostdeploy.commands.origin import origin_of
from ghostdeploy.commands.targets import SpecDefaults, parse_target
from ghostdeploy.errors import UsageError
from ghostdeploy.linting import READERS, lint_graph, read_graph
from ghostdeploy.linting.config import apply_config, load_config
from ghostdeploy.linting.delegates.partitions import measure_partitions
from ghostdeploy.progress import Progress
from ghostdeploy.quiet import capture_output
from ghostdeploy.report import lint as formats
from ghostdeploy.report.lint import diff, diffpage, difftext, junit, table
from ghostdeploy.report.lint.jsonfile import make_plain
from ghostdeploy.report.lint.linted import Linted
from ghostdeploy.schema import ModelSpec
from ghostdeploy.sources import find_source


def find_files(names: Sequence[str], progress: Progress) -> list[Path]:
    """Return the files, and of networks the TFLite files that they are exported to.

    Raises UsageError for a name that is neither, and what exporting raises.
    """
    found = []
    for name in names:
        path = Path(name)
        file = path.suffix in READERS or (path.exists() and find_source(name) is None)
        target = path if file else parse_target(name, SpecDefaults())
        if not isinstance(target, Path):
            target = Path(export(ExportRequest(target, ("tflite",)), progress)[0].artifact.path)
        found.append(target)
    return found


def lint_files(
    paths: Sequence[Path], *, budget_mb: float | None = None, measure: bool = True
) -> list[Linted]:
    """Collect every finding in ``paths``, judged by the settings of the current folder.

    ``measure`` loads TFLite files into LiteRT, which then decides what XNNPACK takes. Raises
    InputFileError for what is not a model, UsageError for settings that make no sense.
    """
    config = load_config(Path())
    linted = []
    for path in paths:
        with capture_output():
            graph = read_graph(path)
            measured = measure_partitions(path) if measure and path.suffix == ".tflite" else None
            spec = _read_spec(path)
            report = lint_graph(graph, spec, budget_mb=budget_mb, partitions=measured)
        linted.append(Linted(str(path), graph, apply_config(report, config)))
    return linted


def count_failing(linted: Sequence[Linted], *, strict: bool) -> int:
    """Count the findings that make the check say no."""
    serious = ("error", "warning") if strict else ("error",)
    return sum(
        f.severity in serious and not f.allowed for one in linted for f in one.report.findings
    )


def render(linted: Sequence[Linted], format: str, *, strict: bool, verbose: bool) -> str:
    """Render ``linted`` in one of ``report.lint.FORMATS``."""
    if format == "table":
        return table.render(linted, verbose=verbose)
    if format == "junit":
        return junit.render(linted, strict=strict)
    return formats.render(linted, format)


def compare_two(linted: Sequence[Linted], format: str) -> diff.LintDiff:
    """Find what changed between two files. Raises UsageError for another number of them."""
    if len(linted) != 2:
        raise UsageError(f"--diff compares two files, OLD and NEW, not {len(linted)}")
    if format not in ("table", "json", "html"):
        raise UsageError(f"--diff is told as table, json or html, not {format}")
    return diff.diff(*linted)


def diff_text(linted: Sequence[Linted], format: str) -> str:
    """Tell what changed between two files. Raises UsageError as ``compare_two``."""
    changed = compare_two(linted, format)
    if format == "json":
        return json.dumps(make_plain(asdict(changed)), indent=1)
    return diffpage.render(changed) if format == "html" else difftext.render_text(changed)


def _read_spec(path: Path) -> ModelSpec | None:
    """Return the network of a file that says so; a file of others is judged without."""
    try:
        spec = origin_of(path, path.read_bytes()).spec
        return spec if isinstance(spec, ModelSpec) else None
    except UsageError:
        return None
