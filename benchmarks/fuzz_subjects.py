"""What is fuzzed: sound files of every kind, and the commands that read them.

A subject is a folder with one file to damage and what the commands need beside it. Sound files are
made by the program itself (a record by bench, a baseline by gate accept) or by hand, small.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import fuzz_mutations as damage
from fuzz_mutations import Mutate

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "tests" / "android_bench" / "data"
MODEL = ROOT / "android_bench" / "session" / "selftest.tflite"
QUICK = "--runs 1 --warmup 0 --max-disturbance 1 --timeout 20"
BENCH = f"--launches 1 --records out {QUICK}"
GATE = "--max-pairs 3 --looks 3 --alpha 0.4 --wait 0.1 --history h.jsonl --records out"
NO_BASELINE = "--baseline none --max-size-mb 1 --max-pairs 2 --looks 2 --alpha 0.4 --wait 0.1"
TINY = "ghostnetv2@0.1 --resolution 64 --num-classes 10"
PIXELS = "--input-range 0,1"  # what a file of others does not say itself
IMAGE_SIDE, CLASSES = 64, 2

FAKE_ADB = """#!{python} -IS
import re, sys
from pathlib import Path
dump = Path(__file__).with_name("dump.txt").read_bytes()
if "devices" in sys.argv:
    print("List of devices attached\\nFUZZ\\tdevice")
elif "get-state" in sys.argv:
    print("device")
elif "shell" in sys.argv:
    line = sys.argv[-1]
    outer = re.search(r"echo gd:([0-9a-f]+):pid", line)[1]
    print(f"gd:{{outer}}:pid:1:0-0", flush=True)
    parts = dict(p.partition(b"\\n")[::2] for p in dump.split(b"@@ "))
    for nonce, name in re.findall(r"echo gd:([0-9a-f]+):([a-z]+)", line):
        if name != "pid":
            print(f"\\ngd:{{nonce}}:{{name}}", flush=True)
            sys.stdout.buffer.write(parts.get(name.encode(), b""))
            sys.stdout.flush()
    print(f"\\ngd:{{outer}}:0")
"""
SUITE = """time_budget_min = 0.01
[defaults]
device = "local"
threads = 1
xnnpack = "on"
[[gate]]
name = "size"
baseline = "none"
candidate = "s.tflite"
max_size_mb = 0.5
looks = [2]
alpha = 0.4
max_pairs = 2
[[gate]]
name = "ratio"
baseline = "s.tflite"
candidate = "s.tflite"
delta = "8%"
tolerance = 0.02
looks = [3]
alpha = 0.4
max_pairs = 3
runs = 1
max_ratio = { "s.tflite" = 1.25 }
"""
CONFIGS = {
    "setup.cfg": "[ghostdeploy-lint]\nseverity =\n    layout-ops = off\n    batch = error\n"
    "allow =\n    batch x* = known\n",
    "pyproject.toml": '[tool.ghostdeploy.lint.severity]\nlayout-ops = "off"\nbatch = "error"\n'
    '[[tool.ghostdeploy.lint.allow]]\nrule = "batch"\nnode = "x*"\nreason = "known"\n',
}
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"


# How often each kind is damaged: by what is written in it, less what its commands cost.
SHARES = {
    **{"tflite": 6.0, "onnx": 4.0, "log": 3.0, "record": 2.0, "sidecar": 2.0, "history": 2.0},
    **{"dump": 2.0, "baseline": 1.0, "http": 1.0, "suite": 0.4, "config": 1.0, "labels": 0.4},
    **{"image": 0.4, "answers": 0.4, "array": 0.05},
}


# These start runtimes in processes of their own, import torch, or convert.
SLOW = ("bench", "compare", "quantize", "eval", "verify", "gate accept", "gate --calibrate")


@dataclass(frozen=True)
class Subject:
    """A file to damage: ``target`` in ``folder``; ``commands`` are words by how often they run.

    ``served`` is a file whose content is sent, as it is, to whoever connects to ``URL``.
    """

    kind: str
    folder: Path
    target: str
    mutate: Mutate
    commands: Mapping[str, float]
    served: bool = False


def lint_commands(file: str) -> dict[str, float]:
    """Return the commands of the linter, whose formats all print what the file says."""
    formats = {f"lint {file} --no-measure --strict --format {f}": 1.0 for f in ("sarif", "junit")}
    return {
        **formats,
        f"lint {file} --no-measure --verbose": 3.0,
        f"lint {file} --no-measure --json --budget 0.001": 2.0,
        f"lint {file} --no-measure --html --out o.html": 2.0,
        f"lint {file} --no-measure --diff sound/{file}": 1.0,
        f"lint sound/{file} --no-measure --diff {file} --json": 1.0,
    }


def model_commands(file: str, seconds: float = 1.0) -> dict[str, float]:
    """Return every command that reads a model; ``seconds`` is what one run of it takes."""
    ending = file.rpartition(".")[2]
    runtime = "--runtime onnxruntime" if ending == "onnx" else ""
    int8 = "int8-qdq" if ending == "onnx" else "int8"
    slow = {
        f"bench {file} {BENCH} {runtime}": 0.5,
        f"compare --models sound/{file},{file} {BENCH} {runtime}": 0.05,
        f"gate --baseline sound/{file} --candidate {file} {GATE} {QUICK} {runtime}": 0.1,
        f"gate --candidate {file} {NO_BASELINE} {QUICK} {runtime} --history h --records o": 0.2,
        f"gate accept {file} --baselines b --wait 0.1 {QUICK} {runtime}": 0.1,
        f"quantize {file} --precision {int8} --calibration-size 8 {PIXELS} --out q.{ending}": 0.1,
        f"eval {file} {PIXELS} --data images --records out": 0.3,
        f"eval {file} {PIXELS} --against sound/{file} --data images --records out --json": 0.1,
        f"verify {file} --model {TINY} --layers": 0.05,
        f"verify {file} --json": 0.3,
    }
    tflite = {f"lint {file}": 1.0, f"lint --explain {file}": 4.0, f"lint --fix {file}": 3.0}
    weighted = {words: share / seconds for words, share in slow.items()}
    return {**lint_commands(file), **weighted, **(tflite if ending == "tflite" else {})}


def make_subjects(folder: Path, *, quick: bool) -> list[Subject]:
    """Make the sound files in ``folder``.

    ``quick`` leaves out the exported networks, which take a minute, what images go into, and the
    commands of SLOW. Raises CalledProcessError where a command fails on what is sound.
    """
    written = _written_by_us(folder)
    made = [*_models(folder), *written, *_texts(folder), *_downloads(folder, written[0].folder)]
    if quick:
        return [subject for subject in map(_quickened, made) if subject.commands]
    return [*made, *_images(folder), *_exports(folder)]


def _quickened(subject: Subject) -> Subject:
    """Return it without commands that start processes, but for those that nothing else reads."""
    quick = {w: n for w, n in subject.commands.items() if not w.startswith(SLOW)}
    return subject if subject.kind == "log" else replace(subject, commands=quick)


def _run(folder: Path, words: str) -> None:
    command = [sys.executable, "-m", "ghostdeploy", *words.split()]
    # the queue for the device is in the folder for temporary files: nobody else's is waited for
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


def _start(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir(parents=True)
    shutil.copy(MODEL, made / "s.tflite")
    return made


def _models(folder: Path) -> list[Subject]:
    from fuzz_models import make_onnx, make_tflite

    subjects = []
    sound = {
        **{f"{name}.tflite": data for name, data in make_tflite().items()},
        **{f"{name}.onnx": data for name, data in make_onnx().items()},
    }
    for name, data in sound.items():
        ending = name.rpartition(".")[2]
        case = _start(folder, name)
        (case / "sound").mkdir()
        for place in (case / f"m.{ending}", case / "sound" / f"m.{ending}"):
            place.write_bytes(data)
        _draw_images(case / "images")
        mutate = damage.damage_tflite if ending == "tflite" else damage.damage_onnx
        commands = model_commands(f"m.{ending}")
        subjects.append(Subject(ending, case, f"m.{ending}", mutate, commands))
    return subjects


def _draw_images(folder: Path) -> None:
    import numpy as np
    from PIL import Image

    random = np.random.RandomState(1)
    for name in map(str, range(CLASSES)):
        (folder / name).mkdir(parents=True)
        for number in range(2):
            pixels = random.randint(0, 256, (IMAGE_SIDE, IMAGE_SIDE, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


def _written_by_us(folder: Path) -> list[Subject]:
    case = _start(folder, "written")
    _run(case, f"bench s.tflite --launches 2 --records records {QUICK}")
    _run(case, f"gate accept s.tflite --baselines baselines {QUICK}")
    with contextlib.suppress(subprocess.CalledProcessError):  # its verdict is none of ours
        _run(case, f"gate --baseline s.tflite --candidate s.tflite {GATE} {QUICK}")
    (record,) = (case / "records").glob("*.json")
    record.rename(case / "r.json")
    shutil.copy(case / "r.json", case / "sound.json")
    (case / "baselines/local/s.json").rename(case / "b.json")
    (case / "b.json").write_text((case / "b.json").read_text().replace("../../", ""))
    (case / "suite.toml").write_text(SUITE)
    _write_sidecar(case / "s.tflite")
    json_, lines = damage.damage_json, damage.damage_json_lines
    suite = {"gate --suite suite.toml --history h.jsonl --wait 0.1 --records out": 1.0}
    record_commands = {
        "report r.json --out out": 1.0,
        "report sound.json r.json --out out --json": 1.0,
        f"bench s.tflite --resume --launches 2 --records . {QUICK}": 0.02,
    }
    sidecar = {
        "lint s.tflite --no-measure": 2.0,
        "verify s.tflite": 1.0,
        f"bench s.tflite {BENCH}": 0.1,
        "lint --explain s.tflite": 1.0,
        f"quantize s.tflite {PIXELS} --calibration-size 8": 0.05,
    }
    baseline = {
        f"gate --baseline b.json --candidate s.tflite {GATE}": 1.0,
        f"gate --calibrate --baseline b.json {GATE}": 0.2,
    }
    return [
        Subject("record", case, "r.json", json_, record_commands),
        Subject("history", case, "h.jsonl", lines, {
            "report --history h.jsonl --out out": 1.0,
            "report --history h.jsonl --out out --json": 1.0,
            **dict.fromkeys(suite, 0.3),
        }),
        Subject("suite", case, "suite.toml", damage.damage_toml, suite),
        Subject("sidecar", case, "s.tflite.json", json_, sidecar),
        Subject("baseline", case, "b.json", json_, baseline),
    ]  # fmt: skip


def _write_sidecar(path: Path) -> None:
    from ghostdeploy import zoo
    from ghostdeploy.digest import file_sha256
    from ghostdeploy.schema import Artifact
    from ghostdeploy.typed_json import to_json

    size, spec = path.stat().st_size, zoo.make_spec(width=0.1, resolution=(64, 64))
    known = Artifact(path.name, file_sha256(path), size, "tflite", "fp32", spec=spec)
    path.with_name(f"{path.name}.json").write_text(to_json(known))


def _texts(folder: Path) -> list[Subject]:
    subjects = []
    for name, text in CONFIGS.items():
        case = _start(folder, name)
        (case / name).write_text(text)
        words = {"lint s.tflite --no-measure": 1.0}
        subjects.append(Subject("config", case, name, damage.damage_toml, words))
    for name, text in _logs().items():
        case = _start(folder, f"log-{name}")
        (case / "log.txt").write_bytes(text)
        _script(case / "benchmark_model", '#!/bin/sh\ncat "${0%/*}/log.txt"\n')
        program = "--benchmark-model ./benchmark_model"
        words = {f"bench s.tflite {program} {BENCH}": 1.0}
        words[f"bench s.tflite {program} {BENCH} --profile --json"] = 1.0
        subjects.append(Subject("log", case, "log.txt", damage.damage_text, words))
    for path in sorted((DATA / "device").glob("*.txt")):
        case = _start(folder, f"dump-{path.stem}")
        (case / "dump.txt").write_text(_dump(path.read_text()))
        _script(case / "adb", FAKE_ADB.format(python=sys.executable))
        words = {"devices --adb ./adb": 1.0, "devices --adb ./adb --json": 1.0}
        subjects.append(Subject("dump", case, "dump.txt", damage.damage_text, words))
    return subjects


def _script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _logs() -> dict[str, bytes]:
    """Return what benchmark_model really printed: a plain launch, and profiled ones."""
    wanted = ("v2_fp32_threads1", "v2_fp32_opprof_xnnpack", "peak_mem")
    with tarfile.open(DATA / "benchmark_model_logs.tar.xz") as archive:
        names = [n for n in archive.getnames() if Path(n).name in {f"{w}.stdout" for w in wanted}]
        files = {name: archive.extractfile(name) for name in names}
        return {name.replace("/", "-"): file.read() for name, file in files.items() if file}


def _dump(text: str) -> str:
    """Return a phone's text, which goes by files, by the names of the sections that are asked."""
    found = dict(part.partition("\n")[::2] for part in text.split("@@ ")[1:])
    lines = [line.partition(": ") for line in found.get("files", "").splitlines()]

    def below(place: str, kind: str) -> str:
        taken = [(p.removeprefix(place), v) for p, _, v in lines if p.startswith(place)]
        return "".join(f"{path}:{value}\n" for path, value in taken if kind in path)

    cpu, zones = "/sys/devices/system/cpu/", "/sys/class/thermal/"
    parts = {
        "getprop": found.get("$ getprop", ""),
        "uname": found.get("$ uname -s -r -m", ""),
        "cpuinfo": found.get("/proc/cpuinfo", ""),
        "cpufreq": below(cpu, "cpufreq"),
        "capacity": below(cpu, "capacity"),
        "zones": below(zones, ""),
        "thermal": found.get("$ dumpsys thermalservice", ""),
        "battery": found.get("$ dumpsys battery", ""),
        "power": found.get("$ dumpsys power", ""),
        "load": "0.5 0.6 0.7 1/100 99\n",
        "memory": found.get("/proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\n"),
        "boot": "12345678-1234-1234-1234-123456789abc\n",
        "uptime": "123.45 678.9\n",
    }
    return "".join(f"@@ {name}\n{part}" for name, part in parts.items())


def _downloads(folder: Path, written: Path) -> list[Subject]:
    model, accepted = MODEL.read_bytes(), json.loads((written / "b.json").read_text())
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (model[:100], model[100:], b""))
    answers = {
        "whole": ANSWER + b"Content-Length: %d\r\n\r\n" % len(model) + model,
        "chunked": ANSWER + b"Transfer-Encoding: chunked\r\n\r\n" + chunked,
        "moved": b"HTTP/1.1 302 Found\r\nLocation: URL/x y\r\nContent-Length: 0\r\n\r\n",
        "denied": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\ndenied",
    }
    subjects = []
    for name, answer in answers.items():
        case = _start(folder, f"http-{name}")
        (case / "answer").write_bytes(answer)
        (case / "b.json").write_text(json.dumps(accepted | {"path": "", "url": "URL/m.tflite"}))
        words = {f"gate --baseline b.json --candidate s.tflite {GATE}": 1.0}
        subjects.append(Subject("http", case, "answer", damage.damage_text, words, served=True))
    return subjects


def _images(folder: Path) -> list[Subject]:
    """Make what eval and quantize read beside the model: photos, arrays, labels, kept answers."""
    import numpy as np
    from fuzz_models import make_tflite

    case = _start(folder, "images")
    (case / "s.tflite").write_bytes(make_tflite()["classifier"])
    _draw_images(case / "images")
    (case / "images/0/x.jpg").write_bytes(_jpeg())
    images = np.random.RandomState(2).randint(0, 256, (12, IMAGE_SIDE, IMAGE_SIDE, 3), np.uint8)
    archive = io.BytesIO()
    np.savez_compressed(archive, images=images)
    (case / "c.npz").write_bytes(archive.getvalue())
    np.save(case / "c.npy", images)
    (case / "labels.txt").write_text("0\n1\n")
    (case / "truth.txt").write_text("".join(f"{n}.png {n % 2}\n" for n in range(2)) + "x.jpg 1\n")
    evaluate = f"eval s.tflite {PIXELS} --data images --records out"
    quantize = f"quantize s.tflite {PIXELS} --calibration-size 8 --out q.tflite --calibration"
    _run(case, evaluate)
    (kept,) = (case / "out").glob("*.jsonl")
    labels, truth = f"{evaluate} --labels labels.txt", "--truth truth.txt"
    flat = f"eval s.tflite {PIXELS} --data images/0 --records out {truth} --labels labels.txt"
    byte, text = damage.damage_bytes, damage.damage_text
    answers = f"out/{kept.name}"
    return [
        Subject("image", case, "images/0/x.jpg", byte, {evaluate: 1.0}),
        Subject("image", case, "images/0/0.png", byte, {evaluate: 1.0}),
        Subject("array", case, "c.npz", byte, {f"{quantize} c.npz": 1.0}),
        Subject("array", case, "c.npy", byte, {f"{quantize} c.npy": 1.0}),
        Subject("labels", case, "labels.txt", text, {labels: 1.0}),
        Subject("labels", case, "truth.txt", text, {flat: 1.0}),
        Subject("answers", case, answers, damage.damage_json_lines, {evaluate: 1.0}),
    ]


def _jpeg() -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 100, 50)).save(file, "jpeg")
    return file.getvalue()


def _exports(folder: Path) -> list[Subject]:
    """Export a tiny network, whose files say what they are: verify goes the whole way."""
    case = _start(folder, "exported")
    _run(case, f"export {TINY} --format all --out sound")
    subjects = []
    for path in sorted((case / "sound").glob("ghostnet*")):
        if path.suffix not in (".tflite", ".onnx"):
            continue
        own = folder / f"exported-{path.suffix[1:]}"
        (own / "sound").mkdir(parents=True)
        name = f"m{path.suffix}"
        for place in (own, own / "sound"):
            shutil.copy(path, place / name)
            shutil.copy(f"{path}.json", place / f"{name}.json")
        _draw_images(own / "images")
        mutate = damage.damage_tflite if path.suffix == ".tflite" else damage.damage_onnx
        commands = model_commands(name, seconds=3.0)
        subjects.append(Subject(path.suffix[1:], own, name, mutate, commands))
        sidecar = {f"lint {name} --no-measure": 1.0, f"verify {name}": 0.02}
        subjects.append(Subject("sidecar", own, f"{name}.json", damage.damage_json, sidecar))
    return subjects
