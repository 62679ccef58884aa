"""The names that records get."""

from __future__ import annotations

from dataclasses import replace

from ghostdeploy.commands.bench.new_records import record_name
from ghostdeploy.schema import Artifact, ModelSpec
from tests.commands.bench.hand_made import DEVICE


def test_a_records_name_is_safe_and_says_what_it_is():
    ours = Artifact("x.tflite", "", 1, "tflite", "int8", ModelSpec("ghostnetv2"))
    assert (
        record_name("20250102-030405-abcdef", 1, ours, DEVICE)
        == "20250102-030405-abcdef_2-ghostnetv2_1.0_224-int8.tflite_adb-10.0.0.2-5555.json"
    )
    odd = Artifact("../é /" + "n" * 300 + ";rm.tflite", "", 1, "tflite", "unknown")
    name = record_name("s", 0, odd, replace(DEVICE, serial="../../x"))
    assert name.endswith("_adb-..-..-x.json")
    assert len(name) < 200
    assert name.isascii()
    assert not set(name) & set(" /;\\:")
