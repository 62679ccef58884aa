"""Is this program one that we can trust on this phone? Seven that are, or are not."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from android_bench.errors import SelfTestError
from android_bench.session.phone_session import PhoneOptions, PhoneSession
from android_bench.session.selftest import MODEL, C, X, check_program
from tests.android_bench.session.selftest_model import selftest_model
from tests.fake_phone.fixtures import attach, replace_in_program


@pytest.fixture
def used(phone):
    options = PhoneOptions(cool_down_s=0.0)
    with PhoneSession(attach(phone), options, lambda _: None) as session:
        yield session


@pytest.fixture
def changed(standin_program):
    """The stand-in, with pieces of its source replaced."""

    def change(*replacements: tuple[str, str]):
        replace_in_program(standin_program, *replacements)
        return standin_program

    return change


def test_the_model_is_what_its_maker_makes():
    assert MODEL.read_bytes() == selftest_model()
    interpreter = Interpreter(str(MODEL))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.float32(X))
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    assert found.tolist() == [max(0.0, x + C) for x in X]


def test_a_program_that_fits(used, standin_program):
    assert check_program(used, used.install(standin_program)).writes_outputs


def test_an_old_one_that_cannot_write_its_outputs(used, changed):
    program = changed('    ("output_filepath", str, "", None),\n', "")
    program.write_text(program.read_text().replace('values["output_filepath"]', '""'))
    assert not check_program(used, used.install(program)).writes_outputs


def failure(used, program) -> str:
    with pytest.raises(SelfTestError) as error:
        check_program(used, used.install(program))
    assert "fails its self-test on" in str(error.value)
    return str(error.value)


def test_one_that_computes_something_else(used, changed):
    program = changed((".tobytes() for detail", ".tobytes()[::-1] for detail"))
    assert "it computes something else" in failure(used, program)


def test_one_that_runs_another_number_of_times(used, changed):
    program = changed(("len(samples_us) < least or", "len(samples_us) < least + 1 or"))
    assert "it ran 4 times where 3 were asked for" in failure(used, program)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("#!/bin/sh\nexit 7\n", "the program failed with exit code 7"),
        ("#!/bin/sh\necho Inference took 5 ms\n", ""),
        ("#!/no/such/loader\n", "exit code 12"),
        ("#!/bin/sh\nkill -SEGV $$\n", "SIGSEGV"),
    ],
)
def test_one_that_does_not_run(used, tmp_path, source, said):
    program = tmp_path / "program"
    program.write_text(source)
    assert said in failure(used, program)
