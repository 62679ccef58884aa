"""The plugin's log, and how its stretches become operators: hand-made and damaged ones."""

from __future__ import annotations

import pytest

from ghostdeploy.errors import MeasurementError
from ghostdeploy.runners.arm.counter_log import Count, parse_counts
from ghostdeploy.runners.arm.operator_split import Node, Reported, node_names, split

LOG = """\
clock 1 1 1 1
begin 10 20 30 40
clock 11 20 30 40
clock 14 22 31 45
end 15 23 32 46
begin 15 23 32 46
end 20 26 34 52
exit 30 40 50 60
memory 4096
"""


def test_an_inference_is_what_lies_between_its_marks():
    log = parse_counts(LOG)
    assert log.counts() == (Count(5, 3, 2, 6), Count(5, 3, 2, 6))
    assert log.counts()[0].total == 16
    assert [mark.name for mark in log.inferences[0]] == ["begin", "clock", "clock", "end"]
    assert log.whole == Count(30, 40, 50, 60)
    assert log.peak_mem_bytes == 4096


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cut short"),
        ("memory 4096\n", "cut short"),
        (LOG.rsplit("\n", 2)[0], "cut short"),
        (LOG.replace("exit 30 40 50 60\n", ""), "cut short"),
        (LOG.replace("clock 11", "clock x"), "damaged line"),
        (LOG.replace("clock 11 20", "clock 11"), "damaged line"),
        (LOG.replace("begin 10", "bogus 10"), "unknown line"),
        (LOG.replace("memory 4096", "memory -1"), "damaged line"),
    ],
)
def test_a_damaged_log_is_an_error(text, says):
    with pytest.raises(MeasurementError, match=says):
        parse_counts(text)


def marks(*points: tuple[str, int]):
    text = "".join(f"{name} {count} 0 0 0\n" for name, count in points)
    (inference,) = parse_counts(
        f"begin 0 0 0 0\n{text}end 999 0 0 0\nexit 999 0 0 0\nmemory 0\n"
    ).inferences
    return inference


CONV = Reported(True, "Convolution (NHWC, F32) IGEMM")
COPY = Reported(True, "Copy (NC, X32)")
RESIZE = Reported(False, "RESIZE_NEAREST_NEIGHBOR")
NODES = [Node("CONV_2D", "a", 3), Node("PAD", "b", 2), Node("CONCATENATION", "c", 3)]


def test_a_concatenation_has_a_copy_for_each_input():
    found = split(
        marks(("clock", 5), ("clock", 15), ("clock", 16), ("clock", 18), ("clock", 21)),
        [CONV, COPY],
        NODES,
    )
    assert [(op.name, op.total) for op in found] == [("a", 10), ("c", 6)]


def test_operators_of_both_kinds_in_turn_have_no_names():
    found = split(
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
    assert split(marks(("clock", 1), ("clock", 3)), [CONV, CONV], NODES) == ()
    assert split(marks(("clock", 1), ("clock", 3)), [CONV, RESIZE], NODES) == ()
    assert split(marks(), [], NODES) == ()


def test_builtin_operators_are_named_by_their_own_names():
    found = split(
        marks(("op-begin", 0), ("clock", 1), ("op-end", 3), ("op-begin", 4), ("op-end", 9)),
        [Reported(False, "CONV_2D"), Reported(False, "PAD")],
        NODES,
    )
    assert [(op.name, op.total) for op in found] == [("a", 3), ("b", 5)]


def test_a_folded_node_is_passed_over_and_an_extra_operator_has_no_name():
    ops = ["Convolution (NHWC, F32) IGEMM", "Static Reshape (NC)", "Copy (NC, X32)"]
    assert node_names(ops, NODES) == ["a", "", "c"]
