"""Records survive the way to disk and back, and nothing else passes for one."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import types
import typing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ghostdeploy.errors import InputFileError
from ghostdeploy.files import write_atomic
from ghostdeploy.records import read_artifact, read_record, sessions_in
from ghostdeploy.schema import (
    Artifact,
    BenchParams,
    BenchRecord,
    DeviceIdentity,
    DeviceState,
    Evidence,
    LatencySummary,
    Launch,
    ModelSpec,
    Parity,
)
from ghostdeploy.typed_json import decode, show_value, to_json
from ghostdeploy.zoo.options import DfcOptions, SelfAttentionOptions

times = st.floats(0.001, 1e6)
counts = st.integers(0, 10**6)
words = st.text(max_size=12)
options = st.sampled_from(
    [
        None,
        DfcOptions(),
        DfcOptions(dfc_blocks=(1, 5), kernel=(9, 7, 5), ratio=0.25),
        SelfAttentionOptions(),
        SelfAttentionOptions((3,), (8,), (1,), 2),
    ]
)
specs = st.builds(
    ModelSpec,
    arch=words,
    width=st.floats(0.1, 4.0),
    resolution=st.tuples(st.integers(33, 4096), st.integers(33, 4096)),
    options=options,
    num_classes=st.integers(1, 10**6),
)


def strategy_of(hint):
    """Any value of a field's type: so a field added to the types is covered here at once."""
    if hint is ModelSpec:
        return specs
    if hint is LatencySummary:  # of no runs there is none
        return instances(hint, count=st.integers(1, 1000))
    if dataclasses.is_dataclass(hint):
        return instances(hint)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return st.none() | strategy_of(next(a for a in args if a is not type(None)))
    if origin is tuple and args[-1] is Ellipsis:
        return st.lists(strategy_of(args[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(strategy_of, args))
    if origin is dict:
        return st.dictionaries(words, strategy_of(args[1]), max_size=3)
    return {str: words, bool: st.booleans(), int: counts, float: times}[hint]


def instances(target, **fixed):
    hints = typing.get_type_hints(target)
    return st.builds(target, **{k: strategy_of(h) for k, h in hints.items()} | fixed)


summaries = strategy_of(LatencySummary)
parameters = st.builds(
    BenchParams,
    threads=st.integers(1, 8),
    cpus=st.sampled_from(["", "2,3", "big", "f0"]),
    xnnpack=st.booleans(),
    timeout_s=times,
)
launches = instances(Launch, summary=st.none() | summaries)
bench_records = instances(
    BenchRecord,
    params=parameters,
    launches=st.lists(launches, max_size=3).map(tuple),
    schema=st.just("ghostdeploy.bench/1"),
)


def example() -> BenchRecord:
    parity = Parity("fp32", "litert", 4, 1e-6, 1e-7, 1.0, 1e-5, True)
    spec = ModelSpec("ghostnetv2", options=DfcOptions())
    artifact = Artifact("a/b.tflite", "0" * 64, 5, "tflite", "fp32", spec, parity=(parity,))
    device = DeviceIdentity("local", "here", "PC", "cpu", "x86_64", "Linux", 2)
    evidence = Evidence("0" * 64, "litert", "2.1.0", "1" * 64, "0.1.0", "s", ("a", "a"), "t")
    summary = LatencySummary(2, 1.5, 1.0, 2.0, 1.5)
    launch = Launch(0, 0, "t", ("x",), summary, (1.0, 2.0), init_ms=3.0, cpus=(1,))
    return BenchRecord(artifact, device, BenchParams(), evidence, (launch, launch))


def put(folder: Path, data: object) -> Path:
    path = folder / "record.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def refusal(folder: Path, data: object) -> str:
    path = put(folder, data)
    with pytest.raises(InputFileError) as caught:
        read_record(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert len(message) < len(str(path)) + 250
    return message[len(f"{path}: ") :]


@settings(max_examples=60, deadline=None)
@given(bench_records)
def test_every_record_survives_a_round_trip(tmp_path_factory, record):
    path = tmp_path_factory.mktemp("trip") / "r.json"
    write_atomic(path, to_json(record))
    assert read_record(path) == record


@settings(max_examples=60, deadline=None)
@given(instances(Artifact))
def test_every_sidecar_survives_a_round_trip(tmp_path_factory, artifact):
    path = tmp_path_factory.mktemp("trip") / "m.tflite.json"
    write_atomic(path, to_json(artifact))
    assert read_artifact(path) == artifact


def places(data: object, at: tuple = ()) -> list[tuple]:
    """The paths to every value in ``data``."""
    found = [at]
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        inner = places(value, (*at, key)) if isinstance(value, (dict, list)) else [(*at, key)]
        found += inner
    return found


def changed(data: dict, place: tuple, value: object) -> object:
    if not place:
        return value
    data = copy.deepcopy(data)
    target = data
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    return data


def read_or_refuse(path: Path) -> BenchRecord | None:
    """The record, or None after the one exception that is allowed; any other fails the test."""
    try:
        return read_record(path)
    except InputFileError as error:
        refused = str(error)
    assert refused.startswith(f"{path}: ")
    assert "\n" not in refused
    return None


EXAMPLE = json.loads(to_json(example()))
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(places(EXAMPLE)), junk)
def test_a_changed_value_is_read_or_refused_but_never_crashes(tmp_path_factory, place, value):
    path = put(tmp_path_factory.mktemp("fuzz"), changed(EXAMPLE, place, value))
    again = read_or_refuse(path)
    if again:  # what was accepted is of the right types: it can be written and read again
        path.write_text(to_json(again))
        assert read_record(path) == again


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_changed_bytes_are_read_or_refused_but_never_crash(tmp_path_factory, data):
    raw = bytearray(to_json(example()).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("fuzz") / "r.json"
    path.write_bytes(bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    read_or_refuse(path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_record_is_refused(tmp_path, share):
    text = json.dumps(EXAMPLE)
    assert "cut short" in refusal(tmp_path, text[: int(len(text) * share)])


def launch_field(name: str) -> tuple:
    return ("launches", 0, name)


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (("schema",), "ghostdeploy.bench/99", 'has the schema "ghostdeploy.bench/99"'),
        (("schema",), 1, "has the schema 1"),
        (("device", "cores"), "2", 'device.cores: expected a whole number, not "2"'),
        (("device", "cores"), True, "device.cores: expected a whole number, not true"),
        (("device", "cores"), 2.0, "device.cores: expected a whole number, not 2.0"),
        (("device",), [], "device: expected an object, not a list"),
        (("device",), None, "device: expected an object, not nothing"),
        (("launches",), {}, "launches: expected a list, not an object"),
        (launch_field("valid"), 1, "launches[0].valid: expected true or false, not 1"),
        (launch_field("init_ms"), -1.0, "launches[0].init_ms: must not be negative, not -1.0"),
        (launch_field("samples_ms"), [1.0, -2.0], "samples_ms: must not be negative, not -2.0"),
        (launch_field("samples_ms"), [1.0, "a"], 'samples_ms[1]: expected a number, not "a"'),
        (launch_field("samples_ms"), [1.0, float("nan")], "expected a number, not NaN"),
        (launch_field("samples_ms"), [10**400], "expected a whole number"),
        (launch_field("stdout"), None, "launches[0].stdout: expected text, not nothing"),
        (("launches", 1, "summary", "mean_ms"), float("inf"), "launches[1].summary.mean_ms"),
        (("launches", 1, "summary", "median_ms"), 0.0, "launches[1].summary: a latency of 0 ms"),
        (("launches", 1, "summary", "count"), 0, "a latency of 0 ms, or of no runs"),
        (("artifact", "spec", "resolution"), [224], "resolution: expected 2 values, not 1"),
        (("artifact", "spec", "width"), 99.0, "artifact.spec: width must be between"),
        (("artifact", "spec", "options"), {"x": 1}, "artifact.spec.options: not the options"),
        (("artifact", "spec", "options", "down"), "best", "options: down must be one of"),
        (("artifact", "spec", "options", "dfc_blocks"), [1.5], "options.dfc_blocks[0]"),
        (("artifact", "op_counts"), {"CONV": "3"}, 'op_counts["CONV"]: expected a whole number'),
        (("params", "runs"), 0, "params: runs must be at least 1"),
        (("params", "colour"), "red", "params.colour: there is no such field"),
    ],
)
def test_the_first_wrong_field_is_named(tmp_path, place, value, says):
    assert says in refusal(tmp_path, changed(EXAMPLE, place, value))


def test_a_missing_field_is_named_and_one_with_a_default_may_be_absent(tmp_path):
    short = copy.deepcopy(EXAMPLE)
    del short["launches"][1]["argv"]
    assert refusal(tmp_path, short) == "launches[1].argv: is missing"
    short = copy.deepcopy(EXAMPLE)
    del short["launches"][1]["stderr"]
    assert read_record(put(tmp_path, short)) == example()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("[]", "expected a JSON object, not a list"),
        ("3", "expected a JSON object, not 3"),
        ("{}", "has no schema"),
        ("[" * 100_000, "not JSON"),
        ('{"schema": ' + "9" * 6000 + "}", ""),
        ("\x00\x01", "not JSON"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, text, says):
    assert says in refusal(tmp_path, text)


def test_unreadable_places_are_refused(tmp_path, monkeypatch):
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(InputFileError, match=r"no such file|is a folder"):
            read_record(path)
    binary = tmp_path / "b"
    binary.write_bytes(b"\xff\xfe\x80")
    with pytest.raises(InputFileError, match="it is not text"):
        read_record(binary)
    huge = tmp_path / "huge"
    for size, said in ((64_000_000, "not JSON"), (64_000_001, "larger than 64 MB")):
        huge.touch()
        os.truncate(huge, size)
        with pytest.raises(InputFileError, match=said):
            read_record(huge)


def test_a_record_is_text_of_a_line_for_each_value():
    state = DeviceState(max_temp_c=40.5)
    lines = to_json(state).splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("{", "}", 2 + len(dataclasses.fields(state)))
    assert ' "max_temp_c": 40.5' in (line.rstrip(",") for line in lines)


def test_a_record_that_cannot_be_json_is_not_written():
    summary = LatencySummary(1, float("nan"), 1.0, 1.0)
    with pytest.raises(ValueError, match="JSON"):
        to_json(summary)
    with pytest.raises(TypeError, match="not a dataclass"):
        to_json({"a": 1})


def test_a_path_that_is_not_text_survives(tmp_path):
    artifact = dataclasses.replace(example().artifact, path=os.fsdecode(b"caf\xe9.tflite"))
    write_atomic(tmp_path / "s.json", to_json(artifact))
    assert read_artifact(tmp_path / "s.json") == artifact


def test_sessions_come_newest_first_and_each_in_the_order_of_its_models(tmp_path):
    record = to_json(
        BenchRecord(
            Artifact("m.tflite", "0" * 64, 1, "tflite", "fp32"),
            DeviceIdentity("local", "", "m", "", "x86", "os", 1),
            BenchParams(),
            Evidence("", "", "", "", "", "", (), ""),
        )
    )
    names = [
        "20250101-000000-aaaaaa_1-m.json",
        "20250102-000000-bbbbbb_10-m.json",
        "20250102-000000-bbbbbb_2-m.json",
        "20250102-000000-bbbbbb_9-m.json",
        "20250103-000000-cccccc_1-m.json",
    ]
    for name in names:
        (tmp_path / name).write_text(record)
    for name in ("report.json", "20250104-000000-ABCDEF_1-m.json", "20250105-000000-aaaaaa.json"):
        (tmp_path / name).write_text(record)
    (tmp_path / names[-1]).write_text(record[:-20])  # cut short: the session is left out
    found = [[path.name for path, _ in session] for session in sessions_in(tmp_path)]
    assert found == [[names[2], names[3], names[1]], [names[0]]]
    assert list(sessions_in(tmp_path / "absent")) == []


def test_quantities_that_cannot_be_negative_and_those_that_can():
    here = Path("x.json")
    assert decode(here, DeviceState, {"max_temp_c": -5.0}).max_temp_c == -5.0
    with pytest.raises(InputFileError, match="load_1min: must not be negative"):
        decode(here, DeviceState, {"load_1min": -0.5})
    device = dataclasses.asdict(DeviceIdentity("local", "", "m", "", "x86", "os", 1))
    with pytest.raises(InputFileError, match="cores: must not be negative, not -1"):
        decode(here, DeviceIdentity, {**device, "cores": -1})


def test_whole_numbers_are_those_of_64_bits():
    device, most = EXAMPLE["device"], 2**63 - 1
    assert decode(Path("x.json"), DeviceIdentity, {**device, "cores": most}).cores == most
    with pytest.raises(
        InputFileError, match="cores: expected a whole number, not 9223372036854775808"
    ):
        decode(Path("x.json"), DeviceIdentity, {**device, "cores": most + 1})


def test_a_wrong_value_is_told_in_40_characters():
    assert show_value("x" * 38) == '"' + "x" * 38 + '"'
    assert show_value("x" * 39) == '"' + "x" * 36 + "…"
    assert show_value(["a\nb"]) == '["a\\nb"]'
    assert show_value(10**5000) == "a very long number"


def test_one_run_is_a_latency():
    one = {"count": 1, "mean_ms": 1.0, "min_ms": 1.0, "max_ms": 1.0}
    assert decode(Path("x.json"), LatencySummary, one).count == 1
    with pytest.raises(InputFileError, match="of no runs"):
        decode(Path("x.json"), LatencySummary, {**one, "count": 0})
