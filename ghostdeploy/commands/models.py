"""The models of the zoo, what each costs, and what the paper says of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ghostdeploy import paper_data, zoo
from ghostdeploy.commands.export import form_of
from ghostdeploy.schema import Artifact, ExportOptions, ForeignSpec, ModelSpec
from ghostdeploy.zoo.cost import COUNTED
from ghostdeploy.zoo.paper_rows import BACKBONE_TABLES, Elsewhere, Preset, find_network

FIGURE_2 = "Figure 2 (±0.2 ms)"
PAPER_SIDES = (224, 224)
BACKBONE = "the zoo has the backbone alone; its parameters and MACs are at 224×224"


@dataclass(frozen=True)
class PaperSays:
    """The paper's figures for a model; None where it prints none. ``source`` names the tables."""

    params_m: float | None = None
    macs_m: float | None = None
    top1: float | None = None
    latency_ms: float | None = None
    source: str = ""


@dataclass(frozen=True)
class ModelRow:
    """One model of the zoo: its cost as counted by this program, and the paper's figures."""

    name: str
    family: str
    arch: str
    variant: str
    width: float
    params: int
    macs: int
    paper: PaperSays


@dataclass(frozen=True)
class TableRow:
    """One row of a table of the paper, and the network that it is.

    ``row`` is the paper's own name for it, ``model`` what commands take as MODEL, with its
    options, "" where nothing makes it. ``params`` and ``macs`` are counted by this program, None
    where it is not of the zoo: ``why`` then says where it is, or why nowhere. ``top1`` and the
    like in ``paper`` are of this row alone.
    """

    row: str
    model: str
    params: int | None
    macs: int | None
    paper: PaperSays
    why: str = ""


def list_table(table: str) -> list[TableRow]:
    """List the rows of a table of the paper in its order, e.g. "2" or "A3".

    Raises UsageError for a table that the paper does not have.
    """
    return [_table_row(name, network, says, table) for name, network, says in read_table(table)]


def read_table(table: str) -> list[tuple[str, Preset | Elsewhere, PaperSays]]:
    """Return a table's rows in its order: the paper's name, the network, and what it prints.

    Raises UsageError for a table that the paper does not have.
    """
    rows = paper_data.table_rows(table)
    several = len({row.resolution for row in rows}) > 1
    found = []
    for row in rows:
        network, figure_ms = find_network(row.table, row.model, row.variant)
        name = f"{row.model} {row.variant}".strip() + (f" {row.resolution}" if several else "")
        found.append((name, network, _row_says(row, figure_ms)))
    return found


def _table_row(name: str, network: Preset | Elsewhere, says: PaperSays, table: str) -> TableRow:
    if isinstance(network, Elsewhere):
        return TableRow(name, network.model, None, None, says, network.why)
    cost = COUNTED[network.spec.name]
    why = BACKBONE if table in BACKBONE_TABLES else ""
    return TableRow(name, _command_words(network), cost.params, cost.macs, says, why)


def _row_says(row: paper_data.PaperRow, figure_ms: float | None) -> PaperSays:
    source = f"Table {row.table}"
    if row.latency_ms is None and figure_ms is not None:
        source += f", {FIGURE_2}"
    latency = figure_ms if row.latency_ms is None else row.latency_ms
    return PaperSays(row.params_m, row.flops_m, row.top1, latency, source)


def _command_words(network: Preset) -> str:
    """Return what one types for ``network``, e.g. ``ghostnetv2 --width 1.3``."""
    model = network.arch
    if network.variant != "official":
        model += f":{network.variant}"
    words = [model] if network.width == 1.0 else [model, f"--width {network.width}"]
    for key, value in network.changes.items():
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        words.append(f"--set {key}={text}")
    return " ".join(words)


def list_models() -> list[ModelRow]:
    """List every architecture's variants, at every width of which the paper speaks."""
    rows = []
    for arch, entry in zoo.MODELS.items():
        for variant in entry.variants:
            for width in entry.paper:
                if not entry.results(variant, width):
                    continue
                spec = zoo.make_spec(arch, width=width, variant=variant)
                cost = COUNTED[spec.name]
                rows.append(
                    ModelRow(
                        spec.name,
                        entry.family,
                        arch,
                        variant,
                        width,
                        cost.params,
                        cost.macs,
                        paper_says(spec),
                    )
                )
    return rows


def paper_says_of(artifact: Artifact, table: str = "") -> PaperSays:
    """Return the paper's figures for a file in the form that the paper measured, else none.

    It measured floats in TFLite, with the operators that it draws: neither a rewritten form, nor a
    plain conversion, which is another function, nor a graph that takes or gives anything else.
    ``table`` is the only one that is asked, "" for all.
    """
    export = artifact.export
    plain = replace(export, without=(), speed=(), labels=()) == ExportOptions()
    drawn = plain and not form_of(export).title
    if artifact.format != "tflite" or artifact.precision != "fp32" or not drawn:
        return PaperSays()
    if table:
        return _table_says(artifact, table)
    return paper_says(artifact.zoo_spec) if artifact.zoo_spec else PaperSays()


def _table_says(artifact: Artifact, table: str) -> PaperSays:
    for _, network, says in read_table(table):
        if _is_network(artifact.spec, network):
            return says
    return PaperSays()


def _is_network(spec: ModelSpec | ForeignSpec | None, network: Preset | Elsewhere) -> bool:
    if isinstance(network, Preset):
        return network.spec == spec
    if not isinstance(spec, ForeignSpec) or spec.source != network.model:
        return False
    return [each.shape[2:] for each in spec.inputs] == [PAPER_SIDES]


def paper_says(spec: ModelSpec) -> PaperSays:
    """Return the paper's figures for ``spec``, each from the first of its rows that has it.

    An ablation, another input size or another number of classes is not the model that the paper
    measured: nothing then.
    """
    entry = zoo.MODELS[spec.arch]
    asked = (spec.resolution, spec.num_classes)
    if asked != (PAPER_SIDES, 1000) or spec.variant not in entry.variants:
        return PaperSays()
    sources = entry.results(spec.variant, spec.width)
    rows = [paper_data.find_row(r.table, r.model, r.variant) for r in sources]
    points = [p for p in sources if p.figure_ms is not None]

    def first(field: str) -> float | None:
        return next((v for v in (getattr(row, field) for row in rows) if v is not None), None)

    latency = first("latency_ms")
    where = [f"Table {row.table}" for row in rows]
    if latency is None and points:
        latency = points[0].figure_ms
        where.append(FIGURE_2)
    return PaperSays(
        first("params_m"), first("flops_m"), first("top1"), latency, ", ".join(dict.fromkeys(where))
    )
