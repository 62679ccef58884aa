"""What a shell offers behind an option or for an argument, when the user presses TAB.

Each function is one of click's ``shell_complete`` callbacks, made of the product's own tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import click
from click.shell_completion import CompletionItem

Item = CompletionItem[str]
Complete = Callable[[click.Context, click.Parameter, str], list[Item]]
MODEL_FILES, RECORD_FILES = (".tflite", ".onnx"), (".json",)
MAX_FILES = 200


def offer(list_words: Callable[[], Iterable[str | tuple[str, str]]]) -> Complete:
    """Return the completion by words, or (word, what it is), that ``list_words`` gives."""

    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[Item]:
        return [item for item in _items(list_words()) if item.value.startswith(begun)]

    return complete


def offer_several(complete: Complete) -> Complete:
    """Return the completion of words with commas between them: of the last, with those before."""

    def complete_last(context: click.Context, parameter: click.Parameter, begun: str) -> list[Item]:
        before, comma, last = begun.rpartition(",")
        found = complete(context, parameter, last)
        return [Item(f"{before}{comma}{x.value}", x.type, x.help) for x in found if x.value]

    return complete_last


def offer_any(*completions: Complete) -> Complete:
    """Return what any of several completions offers."""

    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[Item]:
        return [item for each in completions for item in each(context, parameter, begun)]

    return complete


def offer_files(suffixes: tuple[str, ...], start: str = "") -> Complete:
    """Return the completion by files that end so, in the folder typed, and else in ``start``.

    Where there are none, the shell goes on with all files by itself.
    """

    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[Item]:
        found = [Item(path) for path in _files(begun or start, suffixes)]
        return [*found, Item(begun, type="file")]

    return complete


def _files(begun: str, suffixes: tuple[str, ...]) -> Iterator[str]:
    folder, slash, _ = begun.rpartition("/")
    with_folder = f"{folder}{slash}"
    try:
        names = sorted(p.name for p in islice(Path(with_folder or ".").iterdir(), 10 * MAX_FILES))
    except OSError:
        return
    paths = (f"{with_folder}{name}" for name in names if name.endswith(suffixes))
    # The scripts of click take a line an entry, and bash ends its type at a comma.
    yield from islice((p for p in paths if p.startswith(begun) and p.isprintable()), MAX_FILES)


def _items(words: Iterable[str | tuple[str, str]]) -> Iterator[Item]:
    for word in words:
        name, what = (word, None) if isinstance(word, str) else word
        yield Item(name, help=what)


def list_models() -> Iterator[tuple[str, str]]:
    """Yield the models of the zoo and their variants."""
    from ghostdeploy import zoo

    for arch, entry in zoo.MODELS.items():
        yield arch, entry.title
        for variant in entry.variants:
            if variant != "official":
                yield f"{arch}:{variant}", f"{entry.title}, {variant}"


def list_formed_models() -> Iterator[tuple[str, str]]:
    """Yield the models, and each in the other forms that ``bench`` and ``compare`` know."""
    from ghostdeploy import zoo
    from ghostdeploy.lowering.rewrites import FORMS

    yield from list_models()
    for arch, entry in zoo.MODELS.items():
        yield from ((f"{arch}-{form}", f"{entry.title} {form}") for form in FORMS if form)


def _list_variants() -> Iterator[str]:
    from ghostdeploy import zoo

    yield from dict.fromkeys(v for entry in zoo.MODELS.values() for v in entry.variants)


def _list_precisions() -> Iterator[tuple[str, str]]:
    from ghostdeploy.quantization import RECIPES

    yield from ((name, recipe.hardware) for name, recipe in RECIPES.items())


def _list_calibrated() -> Iterator[tuple[str, str]]:
    from ghostdeploy.quantization import RECIPES

    yield from ((name, r.hardware) for name, r in RECIPES.items() if r.calibrated)


def _list_devices() -> Iterator[tuple[str, str]]:
    from ghostdeploy.runners.device_names import list_device_names

    yield from list_device_names()


def _list_runtimes() -> Iterator[str]:
    from ghostdeploy.runners.host.runtimes import RUNTIMES

    yield from (name for name, runtime in RUNTIMES.items() if runtime.package)


def _list_rewrites() -> Iterator[str]:
    from ghostdeploy.lowering.rewrites import GROUPS, OPTIONAL

    yield from (*GROUPS, *OPTIONAL)


def _list_ranges() -> Iterator[str]:
    from ghostdeploy.quantization import RANGES

    yield from RANGES


def _list_halves() -> Iterator[str]:
    from ghostdeploy.quantization import HALVES

    yield from HALVES


def _list_input_types() -> Iterator[str]:
    from ghostdeploy.quantization import INPUT_TYPES

    yield from INPUT_TYPES


def _list_formats() -> Iterator[str]:
    from ghostdeploy.commands.export.request import FORMATS

    yield from ("all", *FORMATS)


def _list_tables() -> Iterator[str]:
    from ghostdeploy.paper_data import network_tables

    yield from network_tables()


complete_models = offer(list_models)
complete_tables = offer(_list_tables)
complete_model_files = offer_files(MODEL_FILES)
complete_targets = offer_any(offer(list_models), complete_model_files)
complete_formed_targets = offer_any(offer(list_formed_models), complete_model_files)
complete_records = offer_files(RECORD_FILES, "reports/")
complete_variants = offer(_list_variants)
complete_precisions = offer(_list_precisions)
complete_calibrated = offer(_list_calibrated)
complete_devices = offer(_list_devices)
complete_runtimes = offer(_list_runtimes)
complete_rewrites = offer(_list_rewrites)
complete_ranges = offer(_list_ranges)
complete_halves = offer(_list_halves)
complete_input_types = offer(_list_input_types)
complete_baselines = offer_files((*MODEL_FILES, *RECORD_FILES))
complete_formats = offer(_list_formats)
