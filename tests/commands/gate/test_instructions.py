"""The gate on an emulated core: counts as they come, one look, no statistics."""

from __future__ import annotations

import json

import pytest

from ghostdeploy import runners
from ghostdeploy.runners import RuntimeEvidence
from ghostdeploy.schema import DeviceIdentity, Instructions, Launch

CORE = DeviceIdentity("qemu", "cortex-a76", "emulated", "cortex-a76", "aarch64", "qemu", 1, "key")


class Counter:
    """As the emulator: b counts ``factor`` times what a counts."""

    factor = 1.0

    def __init__(self, target, params, access):
        pass

    def identity(self):
        return CORE

    def runtime(self, params):
        return RuntimeEvidence("litert", "2.1.0", "ab" * 32)

    def warnings(self):
        return ()

    def launch(self, path, params, name=""):
        total = round(1_000_000 * (self.factor if path.stem == "b" else 1.0))
        counted = Instructions(100, 200, 300, total - 600, max_abs=0.0, rel_l2=0.0)
        return Launch(0, 0, "2026-01-01T00:00:00+00:00", ("run",), None, instructions=counted)

    def close(self):
        pass


@pytest.fixture
def counting(gate, monkeypatch):
    monkeypatch.setattr(runners, "RUNNERS", {**runners.RUNNERS, "qemu": f"{__name__}:Counter"})

    def run(factor, *words):
        monkeypatch.setattr(Counter, "factor", factor)
        arms = ("--baseline", "a.tflite", "--candidate", "b.tflite")
        return gate(*arms, *words, device="qemu:cortex-a76")

    return run


@pytest.mark.parametrize(
    ("factor", "words", "verdict", "code"),
    [
        (1.0, (), "pass", 0),
        (1.004, (), "pass", 0),
        (1.006, (), "regressed", 1),
        (0.99, (), "improved", 0),
        (1.006, ("--tolerance", "1%"), "pass", 0),
        (1.09, ("--tolerance", "10%"), "pass", 0),
        (1.0, ("--max-size-mb", "0.000001"), "regressed", 1),
    ],
)
def test_verdicts(counting, factor, words, verdict, code):
    done = counting(factor, *words, "--json")
    found = json.loads(done.out)
    assert (found["verdict"], done.code) == (verdict, code)
    assert found["baseline"]["instructions"] == 1_000_000
    assert found["candidate"]["instructions"] == round(1e6 * factor)


def test_it_never_speaks_of_time(counting):
    done = counting(1.02)
    assert "2.00% more instructions" in done.out
    assert "1.020 M instructions" in done.out
    assert "tolerance 0.5 % of the instructions" in done.out
    assert " ms" not in done.out


def test_budgets_of_time_are_refused(counting):
    done = counting(1.0, "--max-latency-ms", "40")
    assert done.code == 2
    assert "an emulated core has no times" in done.complaint
