"""How an inference's instructions are split over its operators.

TFLite's own operators run between two marks. Those of XNNPACK each end with a look at the clock,
after one at the start, and their names are reported afterwards, one a node of its graph. A
concatenation is one such node that looks at the clock after each of its inputs; how many those are,
the model's graph tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from ghostdeploy import flatbuffer
from ghostdeploy.runners.arm.counter_log import InstructionsByClass, Mark
from ghostdeploy.schema import OpInstructions

# XNNPACK's name of an operator, up to its first bracket -> the TFLite operators that become it.
BECOMES: dict[str, tuple[str, ...]] = {
    "Add": ("ADD",),
    "Average Pooling": ("AVERAGE_POOL_2D",),
    "Clamp": ("RELU", "RELU6", "RELU_N1_TO_1"),
    "Constant Pad": ("PAD",),
    "Convert": ("QUANTIZE", "DEQUANTIZE"),
    "Convolution": ("CONV_2D", "DEPTHWISE_CONV_2D"),
    "Copy": ("CONCATENATION",),
    "Depth To Space": ("DEPTH_TO_SPACE",),
    "Fully Connected": ("CONV_2D", "FULLY_CONNECTED"),
    "Max Pooling": ("MAX_POOL_2D",),
    "Mean": ("MEAN",),
    "Multiply": ("MUL",),
    "Resize Bilinear": ("RESIZE_BILINEAR",),
    "Sigmoid": ("LOGISTIC",),
    "Softmax": ("SOFTMAX",),
    "Static Reshape": ("RESHAPE",),
    "Subtract": ("SUB",),
    "Transpose": ("TRANSPOSE",),
}
COPY = "Copy"


@dataclass(frozen=True)
class PlannedOperator:
    """An operator of a TFLite graph; ``name`` is its output tensor's."""

    op: str
    name: str
    inputs: int


@dataclass(frozen=True)
class ReportedOperator:
    """An operator that ran, as run_model.c wrote it down."""

    delegated: bool
    name: str


def parse_operators(text: str) -> tuple[ReportedOperator, ...]:
    """Return the operators that operators.txt lists, one a line."""
    pairs = (line.partition(" ") for line in text.splitlines())
    return tuple(ReportedOperator(source == "delegate", name) for source, _, name in pairs)


def read_planned_operators(model: Path) -> tuple[PlannedOperator, ...]:
    """Return the operators of a TFLite file's first graph in order. Raises as ``load_file``."""
    tree = flatbuffer.load_file(model)
    graph = tree.subgraphs[0]
    return tuple(
        PlannedOperator(
            flatbuffer.operator_kind(tree, op),
            flatbuffer.tensor_name(graph.tensors[op.outputs[0]]) if len(op.outputs) else "",
            len(op.inputs),
        )
        for op in graph.operators
    )


def split_by_operator(
    marks: Sequence[Mark],
    reported: Sequence[ReportedOperator],
    planned: Sequence[PlannedOperator],
) -> tuple[OpInstructions, ...]:
    """Return the instructions of each operator of one inference, in the order of running.

    They are named after ``planned`` where XNNPACK took the whole graph or nothing of it; otherwise
    the order of running is not the graph's. The result is () where marks and reports do not fit
    together.
    """
    stretches = _stretches(marks)
    groups = [list(group) for _, group in groupby(reported, lambda r: r.delegated or id(r))]
    if len(stretches) != len(groups):
        return ()
    fan_in = iter([node.inputs for node in planned if node.op == "CONCATENATION"])
    found: list[tuple[str, InstructionsByClass]] = []
    for counts, group in zip(stretches, groups, strict=True):
        looks = [next(fan_in, 1) if _kind(r.name) == COPY else 1 for r in group]
        if sum(looks) != len(counts) - 1:
            return ()
        found += zip([r.name for r in group], _differences(counts, looks), strict=True)
    whole = all(r.delegated for r in reported) or not any(r.delegated for r in reported)
    names = name_operators([op for op, _ in found], planned) if whole else [""] * len(found)
    return tuple(
        OpInstructions(op, name, c.multiply_accumulate, c.load, c.store, c.other)
        for (op, c), name in zip(found, names, strict=True)
    )


def _stretches(marks: Sequence[Mark]) -> list[list[InstructionsByClass]]:
    """Return what was executed at the operators' ends: a list an operator or delegate's run.

    Inside of TFLite's own operators a matrix library looks at the clock for its own ends.
    """
    found: list[list[InstructionsByClass]] = []
    between, delegate = True, list[InstructionsByClass]()
    for mark in marks:
        if mark.name == "clock":
            if between:
                delegate.append(mark.executed)
            continue
        if delegate:
            found.append(delegate)
            delegate = []
        if mark.name == "op-begin":
            found.append([mark.executed])
        elif mark.name == "op-end":
            found[-1].append(mark.executed)
        between = mark.name != "op-begin"
    return found


def _differences(
    counts: Sequence[InstructionsByClass], looks: Sequence[int]
) -> Iterator[InstructionsByClass]:
    position = 0
    for number in looks:
        yield counts[position + number] - counts[position]
        position += number


def name_operators(ops: Sequence[str], planned: Sequence[PlannedOperator]) -> list[str]:
    """Return for each operator that ran the name of its node, "" for one that none became.

    Both are in the same order; a node may have been folded into another, and then is passed over.
    """
    names, position = [], 0
    for op in ops:
        wanted = BECOMES.get(_kind(op), (op,))
        places = (n for n in range(position, len(planned)) if planned[n].op in wanted)
        place = next(places, None)
        names.append("" if place is None else planned[place].name)
        position = position if place is None else place + 1
    return names


def _kind(op: str) -> str:
    return op.partition(" (")[0]
