"""How the stretches of an inference become operators: from hand-made logs."""

from __future__ import annotations

from ghostdeploy.runners.arm.counter_log import parse_counter_log
from ghostdeploy.runners.arm.operator_split import (
    PlannedOperator,
    ReportedOperator,
    name_operators,
    split_by_operator,
)


def marks(*points: tuple[str, int]):
    text = "".join(f"{name} {count} 0 0 0\n" for name, count in points)
    (inference,) = parse_counter_log(
        f"begin 0 0 0 0\n{text}end 999 0 0 0\nexit 999 0 0 0\nmemory 0\n"
    ).inferences
    return inference


CONV = ReportedOperator(True, "Convolution (NHWC, F32) IGEMM")
COPY = ReportedOperator(True, "Copy (NC, X32)")
RESIZE = ReportedOperator(False, "RESIZE_NEAREST_NEIGHBOR")
NODES = [
    PlannedOperator("CONV_2D", "a", 3),
    PlannedOperator("PAD", "b", 2),
    PlannedOperator("CONCATENATION", "c", 3),
]


def test_a_concatenation_has_a_copy_for_each_input():
    found = split_by_operator(
        marks(("clock", 5), ("clock", 15), ("clock", 16), ("clock", 18), ("clock", 21)),
        [CONV, COPY],
        NODES,
    )
    assert [(op.name, op.total) for op in found] == [("a", 10), ("c", 6)]


def test_operators_of_both_kinds_in_turn_have_no_names():
    found = split_by_operator(
        marks(
            ("clock", 1), ("clock", 3), ("op-begin", 4), ("op-end", 9), ("clock", 9), ("clock", 11)
        ),
        [CONV, RESIZE, CONV],
        NODES,
    )
    assert [(op.op, op.name, op.total) for op in found] == [
        (CONV.name, "", 2),
        (RESIZE.name, "", 5),
        (CONV.name, "", 2),
    ]


def test_nothing_is_said_where_marks_and_reports_do_not_fit():
    assert split_by_operator(marks(("clock", 1), ("clock", 3)), [CONV, CONV], NODES) == ()
    assert split_by_operator(marks(("clock", 1), ("clock", 3)), [CONV, RESIZE], NODES) == ()
    assert split_by_operator(marks(), [], NODES) == ()


def test_builtin_operators_are_named_by_their_own_names():
    found = split_by_operator(
        marks(("op-begin", 0), ("clock", 1), ("op-end", 3), ("op-begin", 4), ("op-end", 9)),
        [ReportedOperator(False, "CONV_2D"), ReportedOperator(False, "PAD")],
        NODES,
    )
    assert [(op.name, op.total) for op in found] == [("a", 3), ("b", 5)]


def test_a_folded_node_is_passed_over_and_an_extra_operator_has_no_name():
    ops = ["Convolution (NHWC, F32) IGEMM", "Static Reshape (NC)", "Copy (NC, X32)"]
    assert name_operators(ops, NODES) == ["a", "", "c"]
