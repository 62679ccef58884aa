"""Accepting, finding and refusing baselines; calibration."""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ghostdeploy.commands.gate.accept import name_baseline
from ghostdeploy.commands.gate.baselines import find_baseline, read_baseline
from ghostdeploy.lowering.rewrites import FORMS
from ghostdeploy.runners import Device
from ghostdeploy.schema import Artifact, ExportOptions, ForeignSpec, InputSpec, ModelSpec
from tests.commands.gate.scripted import PHONE

CANDIDATE = ("--candidate", "b.tflite")
JSON = "reports/baselines/scripted/a.json"


def accept(gate, *words):
    done = gate("accept", *(words or ("a.tflite",)))
    assert done.code == 0, done.err
    return done


def test_accept_pins_everything_and_gate_finds_it(gate, folder, script):
    git = partial(subprocess.run, cwd=folder, check=True, capture_output=True)
    git(["git", "init", "-q"])
    git(["git", "config", "user.name", "Ada"])
    git(["git", "config", "user.email", "ada@example.org"])
    git(["git", "commit", "-q", "--allow-empty", "-m", "x"])
    done = accept(gate, "a.tflite", "--reason", "first", "--runs", "20")
    (path,) = (folder / "reports/baselines/scripted").iterdir()
    assert f"wrote {path.relative_to(folder)}" in done.out
    kept = read_baseline(path)
    assert kept.sha256 == hashlib.sha256((folder / "a.tflite").read_bytes()).hexdigest()
    assert kept.identity == PHONE
    assert kept.runtime.sha256 == "ab" * 32
    assert (kept.params.runs, kept.reason, kept.path) == (20, "first", "../../../a.tflite")
    assert kept.inputs == ("float32 1x16x16x3",)
    assert kept.git.author == "Ada <ada@example.org>"
    assert len(kept.git.commit) == 40

    said = json.loads(gate(*CANDIDATE, "--json").out)
    assert (said["verdict"], said["baseline"]["sha256"]) == ("pass", kept.sha256)
    assert said["params"]["runs"] == 20


def test_accepting_again_says_what_it_replaces(gate, folder):
    accept(gate, "a.tflite", "--name", "v2")
    done = accept(gate, "b.tflite", "--name", "v2")
    assert "in place of ../../../a.tflite" in done.out
    assert len(list((folder / "reports/baselines/scripted").iterdir())) == 1


def test_baselines_of_one_network_in_several_forms_have_each_a_name_of_its_own():
    plain = Artifact("x.tflite", "0" * 64, 1, "tflite", "fp32", ModelSpec("ghostnetv2"))
    speed = FORMS["fast"].speed
    forms = [
        plain,
        replace(plain, precision="int8"),
        replace(plain, export=ExportOptions(speed=speed)),
        replace(plain, export=ExportOptions(softmax=True)),
        replace(plain, export=ExportOptions(features=True)),
    ]
    assert [name_baseline(each) for each in forms] == [
        "ghostnetv2_1.0_224",
        "ghostnetv2_1.0_224_int8",
        "ghostnetv2_1.0_224_fast",
        "ghostnetv2_1.0_224_softmax",
        "ghostnetv2_1.0_224_features",
    ]
    assert name_baseline(replace(plain, spec=None)) == "x"


def test_an_edited_network_takes_its_former_selfs_place():
    image = (InputSpec((1, 3, 64, 64), name="x"),)
    spec = ForeignSpec("net.py:build", image, ("logits",), ((1, 5),), "a" * 64)
    names = {
        name_baseline(Artifact("x.tflite", "", 1, "tflite", "int8", spec=each))
        for each in (spec, replace(spec, identity="b" * 64))
    }
    assert names == {"net_64_int8"}


def test_another_phone_is_invalid_not_a_regression(gate, script):
    accept(gate)
    script.identity = replace(PHONE, serial="S2")
    script.factor["b"] = 2.0
    done = gate(*CANDIDATE)
    assert done.code == 3
    assert done.complaint.startswith("invalid: another device than the accepted one: its serial")


def test_an_update_of_the_system_is_a_warning(gate, script):
    accept(gate)
    script.identity = replace(PHONE, fingerprint="build/2")
    done = gate(*CANDIDATE)
    assert done.code == 0
    assert (
        "the device's system changed since the baseline was accepted: build/1 → build/2" in done.out
    )


def only(file, /, **changes):
    data = json.loads(file.read_text())
    file.write_text(json.dumps({**data, **changes}))


@pytest.mark.parametrize(
    ("spoil", "words", "code", "says"),
    [
        (None, ("--threads", 4), 2, "accepted with threads 1, not 4"),
        (lambda f: (f / "a.tflite").write_bytes((f / "b.tflite").read_bytes()), (), 2,
         "is not the accepted baseline: its SHA-256"),
        (lambda f: (f / "a.tflite").unlink(), (), 2, "a.tflite: there is no such file"),
        (lambda f: (f / "a.tflite").write_text("version https://git-lfs.github.com/spec/v1\n"), (),
         2, "is a Git LFS pointer, not the model; run: git lfs pull"),
        (lambda f: (f / "a.tflite").write_text("x"), (), 2, "is not a TFLite model"),
        (lambda f: (f / JSON).write_text("{"), (), 2, "not JSON, or cut short"),
        (lambda f: (f / JSON).write_text("{}"), (), 2, "has not the schema"),
        (lambda f: only(f / JSON, sha256="../x"), (), 2, "a SHA-256 is 64 hexadecimal digits"),
        (lambda f: only(f / JSON, url="file:///etc/passwd", path=""), (), 2, "begins with https://"),
        (lambda f: only(f / JSON, surprise=1), (), 2, "there is no such field"),
        (lambda f: (f / JSON).with_name("c.json").write_bytes((f / JSON).read_bytes()), (), 2,
         "holds 2 baselines"),
    ],
)  # fmt: skip
def test_one_line_for_what_is_wrong(gate, folder, script, spoil, words, code, says):
    accept(gate)
    before = len(script.seen)
    if spoil:
        spoil(folder)
    done = gate(*CANDIDATE, *words)
    assert done.code == code
    assert says in done.complaint
    assert len(script.seen) == before


def test_another_runtime_needs_another_accept(gate, script):
    accept(gate)
    script.runtime = replace(script.runtime, sha256="cd" * 32)
    done = gate(*CANDIDATE)
    assert done.code == 2
    assert "run ghostdeploy gate accept again" in done.complaint


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (CANDIDATE, "no baseline is accepted for scripted: run ghostdeploy gate accept FILE"),
        (("--baseline", "none.tflite", *CANDIDATE), "none.tflite: there is no such file"),
        (("--baseline", "none.json", *CANDIDATE), "none.json: there is no such file"),
        (("--baseline", "a.tflite"), "a gate needs a --candidate"),
        (("--baseline", "wide.tflite", *CANDIDATE), "only models of one input size compare"),
        ((*CANDIDATE, "--max-ratio", "wide"), "--max-ratio takes NAME=1.25"),
        ((*CANDIDATE, "--max-latency-ms", "-1"), "a budget must be above 0"),
        ((*CANDIDATE, "--max-latency-ms", "nan"), "a budget must be above 0"),
        (("--baseline", "a.tflite", *CANDIDATE, "--looks", "5"), "can never decide at alpha"),
        (("--baseline", "a.tflite", *CANDIDATE, "--looks", "x"), "--looks takes pairs"),
        (("--baseline", "a.tflite", *CANDIDATE, "--delta", "5"), "--delta takes a share such as"),
        (("--baseline", "a.tflite", *CANDIDATE, "--delta", "1%"), "tolerance 0.02 and delta 0.01"),
        (("--baseline", "a.tflite", *CANDIDATE, "--wait", "-1"), "--wait takes minutes"),
        (("--baseline", "a.tflite", *CANDIDATE, "--runs", "0"), "runs must be at least 1"),
    ],
)
def test_wrong_words(gate, script, words, says):
    done = gate(*words)
    assert done.code == 2
    assert says in done.complaint
    assert script.seen == []


def test_options_before_accept_are_not_swallowed(gate):
    done = gate("--alpha", "1%", "accept", "a.tflite")
    assert (done.code, "--alpha belongs" in done.complaint) == (2, True)
    assert "belongs behind accept" in done.complaint


def test_a_model_at_a_url_is_fetched_once_and_checked(gate, folder, script, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    asked = []

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder / "web"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        (folder / "web").mkdir()
        (folder / "web/v2.tflite").write_bytes((folder / "a.tflite").read_bytes())
        url = f"http://127.0.0.1:{server.server_port}/v2.tflite"
        accept(gate, "a.tflite", "--url", url)
        (folder / "a.tflite").unlink()
        assert [gate(*CANDIDATE).code for _ in range(2)] == [0, 0]
        assert asked == ["/v2.tflite"]
        (kept,) = (folder / "cache/ghostdeploy/models").glob("*/*.tflite")
        kept.unlink()
        (folder / "web/v2.tflite").write_bytes(b"another file")
        done = gate(*CANDIDATE)
        assert (done.code, "SHA-256 differs" in done.complaint) == (2, True)
        assert list((folder / "cache/ghostdeploy/models").glob("*/*")) == []
    finally:
        server.shutdown()
        server.server_close()
    assert "cannot be fetched: " in gate(*CANDIDATE).complaint


def test_calibration_says_what_the_device_resolves_and_is_held_to(gate, folder, script):
    accept(gate)
    script.sd = 0.02
    done = gate("--calibrate")
    assert done.code == 0, done.err
    assert "resolves ≥" in done.out
    kept = json.loads((folder / "reports/baselines/scripted/calibration.json").read_text())
    assert kept["noise"] == pytest.approx(0.02, rel=0.6)
    assert kept["valid_pairs"] == 24
    assert find_baseline(Device("scripted"), folder / "reports/baselines").name == "a.json"
    finer = gate(*CANDIDATE, "--delta", "2.5%")
    assert finer.code == 2
    assert "scripted cannot tell 2.5%: in its calibration launches varied by" in finer.complaint
    assert gate(*CANDIDATE, "--delta", "9%").code == 0


def test_a_device_too_noisy_to_calibrate(gate, script):
    script.sd = 0.04
    done = gate("--calibrate", "--baseline", "a.tflite")
    assert done.code == 3
    assert "too noisy for delta 5.0%" in done.complaint or "cannot be calibrated" in done.complaint


def test_a_device_on_which_one_file_differs_from_itself(gate, script):
    count = iter(range(1000))
    slow = iter([0, 0] + [n % 4 in (1, 2) for n in range(200)])

    def spoil(number, launch):
        next(count)
        if not next(slow):
            return launch
        ms = 1.08 * launch.summary.median_ms
        return replace(launch, summary=replace(launch.summary, median_ms=ms))

    script.spoil = spoil
    done = gate("--calibrate", "--baseline", "a.tflite")
    assert done.code == 3
    assert "the same file differs from itself" in done.complaint
