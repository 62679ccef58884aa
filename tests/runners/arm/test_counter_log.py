"""The plugin's log: hand-made and damaged ones."""

from __future__ import annotations

import pytest

from ghostdeploy.errors import MeasurementError
from ghostdeploy.runners.arm.counter_log import InstructionsByClass, parse_counter_log

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
    log = parse_counter_log(LOG)
    assert log.instructions() == (InstructionsByClass(5, 3, 2, 6), InstructionsByClass(5, 3, 2, 6))
    assert log.instructions()[0].total == 16
    assert [mark.name for mark in log.inferences[0]] == ["begin", "clock", "clock", "end"]
    assert log.whole == InstructionsByClass(30, 40, 50, 60)
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
        parse_counter_log(text)
