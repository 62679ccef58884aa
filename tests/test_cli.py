"""The command line's manners: one line for what is wrong, the right exit code, nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from sysconfig import get_path

import pytest

from ghostdeploy.cli.app import GROUPS
from ghostdeploy.commands.doctor import EXTRAS
from ghostdeploy.runners.arm.emulator_folder import locate_emulator
from tests import small_models
from tests.command_line import PROGRAM, ROOT, complaint, ghostdeploy

COMMANDS = (
    "models",
    "export",
    "verify",
    "lint",
    "bench",
    "compare",
    "gate",
    "report",
    "doctor",
)
HEAVY = {
    "rich",
    "torch",
    "numpy",
    "tensorflow",
    "onnx",
    "onnxruntime",
    "matplotlib",
    "ai_edge_litert",
}


def python(code: str, *args: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120)


# --- help ------------------------------------------------------------------------------------

HELP = """
import sys
from ghostdeploy.__main__ import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("modules:", *sys.modules)
"""


@pytest.mark.parametrize("words", [("--help",), ("-h",), *((c, "--help") for c in COMMANDS)])
def test_help_is_there_and_light(words):
    done = python(HELP, *words)
    assert (done.returncode, done.stderr) == (0, "")
    text, _, modules = done.stdout.partition("modules: ")
    assert text.startswith("Usage: ")
    assert not HEAVY & set(modules.split())


def test_every_command_is_in_the_help():
    text = ghostdeploy("--help").stdout
    assert all(f"  {command} " in text for command in (*COMMANDS, "completion"))
    headings = [line for line in text.splitlines() if line.endswith(":") and line[0] != " "]
    assert headings[1:] == [f"{heading}:" for heading in GROUPS]


@pytest.mark.parametrize(
    ("command", "headings"),
    [
        ("bench", ["Device and launches", "State of a phone", "Session", "Network", "Model file"]),
        ("compare", ["Options", "Device and launches", "Network", "Calibration and int8"]),
        ("gate", ["Options", "Budgets", "Policy of the verdict", "History and files", "Commands"]),
        ("export", ["Options", "Network", "Model file", "Calibration and int8"]),
    ],
)
@pytest.mark.parametrize("columns", ["80", "120"])
def test_options_stand_in_groups(command, headings, columns):
    text = ghostdeploy(command, "--help", env={"COLUMNS": columns}).stdout
    found = [
        line.rstrip(":") for line in text.splitlines() if line.endswith(":") and line[0] != " "
    ]
    assert set(headings) <= set(found)
    assert "General" in found
    assert "tflite-\n" not in text
    assert max(map(len, text.splitlines())) <= int(columns)


def test_no_command_prints_the_help():
    done = ghostdeploy()
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: ")


def test_version():
    from ghostdeploy import __version__

    assert ghostdeploy("--version").stdout == f"ghostdeploy, version {__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell):
    done = ghostdeploy("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert "_GHOSTDEPLOY_COMPLETE" in done.stdout


# --- wrong words -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("export --width 0", "width must be between 0.1 and 4.0, not 0.0"),
        ("export --width -1", "width must be between"),
        ("export --width nan", "width must be between"),
        ("export --width 1e9", "width must be between"),
        ("export --width wide", "'wide' is not a valid float. (see "),
        ("export ghostnetv2@0", "width must be between"),
        ("export ghostnetv2@x", "the width behind @ is not a number"),
        ("export --resolution 32", "resolution must be 33 to 4096 pixels a side, not 32x32"),
        ("export --resolution 1x1000000", "resolution must be 33 to 4096"),
        ("export --resolution abc", "write a resolution as 224 or 192x320"),
        ("export ghostnetv3", "no model is called 'ghostnetv3'; did you mean ghostnetv2"),
        ("export mobilenet", "did you mean mobilenext or mobilenetv2"),
        ("export zzz", "there are ghostnetv1, ghostnetv1_sa, ghostnetv2, mobilenetv1"),
        ("export --variant x", "ghostnetv2 has the variants official, paper, not 'x'"),
        ("export --format tf", "format must be one of onnx, tflite"),
        ("export --precision int4", "precision must be one of fp32, fp16"),
        ("export --set kernel", "write an option as NAME=VALUE, not 'kernel'"),
        ("export --set colour=red", "ghostnetv2 has no option 'colour'; it has dfc_blocks, kernel"),
        ("export --set kernel=4", "kernel must be three odd numbers"),
        ("export --set up=bicubic", "TFLite has no bicubic resize"),
        ("export --num-classes 0", "num-classes must be 1 to"),
        ("export --seed -1", "seed must be 0 to"),
        ("export --softmax --features", "feature maps have no classes"),
        ("export --no-opt wide-tile", "no rewrite is called 'wide-tile'; did you mean wide-tiles?"),
        ("export --no-opt nearest-floor", "nearest-floor mends the conversion"),
        ("export model.tflite", "a network is wanted here, not the file model.tflite"),
        ("export --speed 3", "No such option '--speed'"),
        ("export a b", "unexpected extra argument (b)"),
        ("improve", "No such command 'improve'"),
        ("lint", "Missing argument 'FILE|MODEL...'"),
        ("verify", "Missing argument 'FILE'"),
        ("bench --runs 0", "runs must be at least 1, not 0"),
        ("bench --launches -1", "launches must be at least 1, not -1"),
        ("bench --threads 0", "threads must be at least 1, not 0"),
        ("bench --warmup -1", "warmup must not be negative"),
        ("bench --timeout 0", "timeout must be positive"),
        ("bench --timeout nan", "timeout must be positive"),
        ("bench --device toaster", "no device is called 'toaster'"),
        ("bench --runtime javascript", "no runtime is called 'javascript'"),
        ("bench --xnnpack fp17", "'fp17' is not one of 'on', 'off', 'fp16'"),
        ("bench --xnnpack fp16", "--xnnpack fp16 needs TFLite's own program"),
        ("bench --device qemu:cortex-a75", "did you mean cortex-a7"),
        ("bench --cpus all", "--cpus takes core numbers such as 2,3 here, not 'all'"),
        ("bench --benchmark-model nowhere", "nowhere: there is no such program"),
        ("bench folder", "no model is called 'folder'"),
        ("compare --models ghostnetv1,ghostnet5", "no model is called 'ghostnet5'"),
        ("report nothing.json", "nothing.json: there is no such file"),
        ("completion tcsh", "'tcsh' is not one of 'bash', 'zsh', 'fish'"),
    ],
)
def test_a_wrong_word_gets_one_line(tmp_path, words, message):
    (tmp_path / "folder").mkdir()
    done = ghostdeploy(*words.split(), cwd=tmp_path)
    assert done.returncode == 2
    assert message in complaint(done)
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


# --- wrong files -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One bad file of every sort, by name."""
    folder = tmp_path_factory.mktemp("files")
    whole = {".tflite": small_models.tflite(), ".onnx": small_models.onnx()}
    noise = bytes((i * i * 37 + i // 7) % 256 for i in range(3000))
    for suffix, data in whole.items():
        (folder / f"empty{suffix}").write_bytes(b"")
        (folder / f"random{suffix}").write_bytes(noise)
        (folder / f"cut{suffix}").write_bytes(data[: len(data) // 2])
        (folder / f"folder{suffix}").mkdir()
    (folder / "named.tflite").write_bytes(noise[:4] + b"TFL3" + noise[8:])
    (folder / "other.txt").write_bytes(b"text")
    (folder / "labels.txt").write_bytes(b"cat\ndog\n")
    return folder


@pytest.mark.parametrize("command", ["lint", "verify", "bench"])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        *((f"{kind}.{f}", "") for kind in ("empty", "random", "cut") for f in ("tflite", "onnx")),
        ("named.tflite", "damaged"),
        ("folder.tflite", "is a folder"),
        ("folder.onnx", "is a folder"),
        ("missing.tflite", ""),
        ("missing.onnx", ""),
        ("./other.txt", ".tflite"),
    ],
)
def test_a_wrong_file_gets_one_line(files, command, name, message):
    more = ("--runtime", "onnxruntime") if command == "bench" and name.endswith(".onnx") else ()
    done = ghostdeploy(command, name, *more, cwd=files)
    assert done.returncode == 2
    text = complaint(done)
    assert name.removeprefix("./") in text
    assert message in text
    assert len(text) < 300


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--labels missing.txt", "missing.txt: there is no such file"),
        ("--labels folder.onnx", "folder.onnx: is a folder"),
        ("--labels empty.onnx", "must hold one class name a line"),
        ("--labels labels.txt", "2 labels do not fit 1000 classes"),
        ("--labels random.onnx", "is not a text file in UTF-8"),
        ("--weights missing.pth", "missing.pth: there is no such file"),
        ("--weights folder.onnx", "folder.onnx is a folder; --weights takes one checkpoint file"),
        ("--out other.txt", "cannot write other.txt"),
        ("--out other.txt/models", "cannot write other.txt/models"),
        ("--out /proc/models", "cannot write /proc/models"),
    ],
)
def test_a_wrong_place_gets_one_line(files, words, message):
    done = ghostdeploy("export", *words.split(), cwd=files)
    assert done.returncode == 2
    assert message in complaint(done)
    assert not (files / "models").glob("*.*") or not list((files / "models").glob("*"))


class Code:
    """What unpickling would run."""

    def __reduce__(self):
        return os.mkdir, ("pwned",)


def test_a_checkpoint_that_is_code_does_not_run(tmp_path):
    import torch

    torch.save({"conv_stem.weight": Code()}, tmp_path / "evil.pth")
    done = ghostdeploy("export", "--weights", "evil.pth", "--format", "onnx", cwd=tmp_path)
    assert done.returncode == 2
    assert complaint(done).startswith("evil.pth is not a readable checkpoint: it holds more than")
    assert not (tmp_path / "pwned").exists()
    assert list((tmp_path / "models").iterdir()) == []


def test_an_unreadable_checkpoint(files, tmp_path):
    (tmp_path / "noise.pth").write_bytes((files / "random.onnx").read_bytes())
    done = ghostdeploy("export", "--weights", "noise.pth", "--format", "onnx", cwd=tmp_path)
    assert done.returncode == 2
    assert complaint(done).startswith("noise.pth is not a readable checkpoint")


# --- what is not installed -------------------------------------------------------------------


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """``pip install ghostdeploy`` alone: Python's library, the base pins and this package."""
    import click
    import markdown_it
    import mdurl
    import packaging
    import pygments
    import rich

    folder = tmp_path_factory.mktemp("bare")
    for name in ("ghostdeploy", "click", "packaging", "rich"):
        (installed,) = Path(get_path("purelib")).glob(f"{name}-*.dist-info")
        (folder / installed.name).symlink_to(installed)
    base = (click, packaging, rich, pygments, markdown_it, mdurl)
    pins = (Path(module.__file__).parent for module in base)
    for package in (*pins, ROOT / "ghostdeploy", ROOT / "android_bench"):
        (folder / package.name).symlink_to(package)

    def run(*args: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-S", "-m", "ghostdeploy", *map(str, args)],
            env={"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=folder,
            capture_output=True,
            text=True,
        )

    return run


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("export",), "export"),
        (("export", "--format", "onnx"), "export"),
        (("lint", "{onnx}"), "local"),
        (("lint", "{tflite}"), "local"),
        (("verify", "{onnx}"), "export"),
        (("verify", "{tflite}"), "export"),
        (("quantize", "{tflite}"), "int8"),
        (("quantize", "{onnx}"), "local"),
        (("eval", "{tflite}", "--data", "."), "local"),
        (("bench", "{tflite}"), "local"),
        (("compare",), "report"),
    ],
)
def test_a_missing_extra_names_the_command_that_brings_it(bare, tmp_path, words, extra):
    paths = {name: str(tmp_path / f"tiny.{name}") for name in ("onnx", "tflite")}
    for name, path in paths.items():
        Path(path).write_bytes(getattr(small_models, name)())
    more = ("--out", tmp_path / "out") if words[0] in ("export", "compare") else ()
    if words[0] in ("bench", "compare"):
        more += ("--records", tmp_path / "records")
    done = bare(*(word.format(**paths) for word in words), *more)
    assert done.returncode == 3, done.stderr
    text = complaint(done)
    assert "is not installed" in text
    assert f"pip install 'ghostdeploy[{extra}]'" in text


def test_a_copy_that_is_not_installed_says_so():
    env = {"PYTHONPATH": os.pathsep.join((str(ROOT), get_path("purelib")))}
    code = "import sys, importlib.metadata as m\n"
    code += "m.Distribution.discover = classmethod(lambda *a, **k: iter(()))\n"
    code += "sys.argv[1:] = ['doctor']\nfrom ghostdeploy.cli.app import main; main()"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=env, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert complaint(done).startswith("ghostdeploy is not installed; in its folder run: pip")


def test_the_light_install_has_help_models_and_a_doctor(bare):
    assert bare("--help").returncode == 0
    assert "ghostnetv2_1.6_224" in bare("models").stdout
    done = bare("doctor")
    assert done.returncode == 1
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line}
    assert lines["base"].endswith(": complete")
    for extra in ("convert", "export", "int8", "local", "report", "adb"):
        assert lines[f"[{extra}]"].endswith(
            f"not installed; run: pip install 'ghostdeploy[{extra}]'"
        )
    assert "pip install 'ghostdeploy[convert,export,int8,local,report,adb]'" in lines["For"]
    assert done.stderr.startswith("error: ")


# --- doctor ----------------------------------------------------------------------------------


def test_doctor_here():
    done = ghostdeploy("doctor", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == (0 if all(p["installed"] for p in found["packages"]) else 1)
    assert found["python_ok"] is True
    packages = {p["package"]: p for p in found["packages"]}
    assert {"click", "torch", "onnx2tf", "ai-edge-litert", "matplotlib"} <= packages.keys()
    assert packages["numpy"].keys() == {"package", "extra", "wanted", "installed"}
    assert packages["numpy"]["installed"] == version("numpy")
    assert [one["extra"] for one in found["extras"]] == ["", *EXTRAS]
    assert found["adb"].keys() == {"adb", "phones", "problem"}
    assert "pytest" not in packages
    emulator = locate_emulator()
    assert found["qemu"] in (None, str(emulator.folder))
    shown = ghostdeploy("doctor").stdout
    assert ("run: ghostdeploy doctor --setup-qemu" in shown) != emulator.complete
    assert len(shown.splitlines()) < 24


# --- lint ------------------------------------------------------------------------------------


def test_lint_says_no_to_a_transpose(tmp_path):
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Transpose", ["x"], ["y"], perm=[0, 2, 1])],
        "g",
        [value("x", TensorProto.FLOAT, [1, 2, 3])],
        [value("y", TensorProto.FLOAT, [1, 3, 2])],
    )
    path = tmp_path / "transposed.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    assert ghostdeploy("lint", path).returncode == 0  # in a file of others, a warning
    done = ghostdeploy("lint", path, "--strict")
    assert done.returncode == 1
    assert "Transpose" in done.stdout
    assert done.stderr.startswith("error: 1 finding")
    found = json.loads(ghostdeploy("lint", path, "--json").stdout)
    (report,) = found.values() if str(path) in found else [found]
    assert "Transpose" in json.dumps(report)


@pytest.mark.parametrize("format", ["onnx", "tflite"])
def test_lint_has_nothing_against_our_own(whole, format):
    done = ghostdeploy("lint", whole.path(format))
    assert (done.returncode, done.stderr) == (0, "")
    assert "14 DFC branches" in done.stdout


# --- ends ------------------------------------------------------------------------------------

BROKEN = """
import sys
from ghostdeploy.commands import models
from ghostdeploy.quiet import capture_output

def list_models():
    with capture_output():
        print("a library's last words")
        return {}["no such key"]

models.list_models = list_models
sys.argv = ["ghostdeploy", "models"]
from ghostdeploy.cli.app import main
main()
"""


def test_a_bug_leaves_a_log_with_the_traceback(tmp_path):
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", BROKEN], env=env, cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (4, "")
    line, log = done.stderr.splitlines()
    assert line == "error: this is a bug in ghostdeploy: KeyError: 'no such key'"
    (path,) = tmp_path.iterdir()
    assert log == f"log: {path}"
    text = path.read_text()
    assert "Traceback (most recent call last)" in text
    assert "list_models" in text
    assert "a library's last words" in text


RAISES = """
import sys
from ghostdeploy import errors
from ghostdeploy.commands import models

error = eval(sys.argv.pop())

def list_models():
    raise error

models.list_models = list_models
from ghostdeploy.cli.app import main
main()
"""


def test_what_went_well_is_0_and_a_termination_143():
    fine = RAISES.replace("raise error", "return {}")
    done = python(fine, "models", "None")
    assert (done.returncode, done.stderr) == (0, "")
    ended = RAISES.replace("raise error", "import os; os.kill(os.getpid(), 15)")
    done = python(ended, "models", "None")
    assert (done.returncode, done.stderr) == (143, "")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ("errors.UsageError('a')", 2, "error: a\n"),
        ("errors.InputFileError('a')", 2, "error: a\n"),
        ("errors.MissingExtraError('x', 'y')", 3, "error: x is not installed; run: pip install"),
        ("errors.CheckFailed('a')", 1, "error: a\n"),
        ("errors.ConversionError('a')", 3, "error: a\n"),
        ("errors.ConversionError('a', log='b')", 3, "error: a\nlog: b\n"),
        ("errors.MeasurementError('a')", 3, "error: a\n"),
        (
            "errors.UsageError('a\\x1b[2J\\nb\\u202e\\udcff')",
            2,
            "error: a\ufffd[2J b\ufffd\ufffd\n",
        ),
        ("KeyboardInterrupt()", 130, "\ninterrupted\n"),
    ],
)
def test_exit_codes(error, code, said):
    done = python(RAISES, "models", error)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(said)


def test_a_reader_that_has_seen_enough():
    """As in ``ghostdeploy models | head -1``."""
    read, write = os.pipe()
    with os.fdopen(write, "wb") as out:
        os.close(read)
        done = subprocess.run([*PROGRAM, "completion", "zsh"], stdout=out, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b"")


def test_closed_output(tmp_path):
    """As in ``2>&-``: progress has nowhere to go, which is no reason to fail."""
    code = "import os; os.close(2)\nfrom ghostdeploy.cli.terminal import ProgressLine\n"
    done = python(f"{code}p = ProgressLine(); p(1, 2, 'x'); p.close(); print('fine')")
    assert done.stdout == "fine\n"


INTERRUPTED_IN_C = """
import ctypes
from ghostdeploy.cli import app

run = ctypes.pythonapi.PyRun_String
run.restype = ctypes.py_object
run.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.py_object, ctypes.py_object]
app.cli.main = lambda **_: run(b"raise KeyboardInterrupt", 257, {}, {})
app.main()
"""


def test_an_interruption_of_python_that_c_runs_is_130_too(tmp_path):
    """As in an import of torch; ``python -m`` would die of SIGINT although it was caught."""
    (tmp_path / "interrupted_in_c.py").write_text(INTERRUPTED_IN_C)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "interrupted_in_c"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


# --- special files ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def special(tmp_path_factory):
    """A pipe that nobody writes into, and a device without an end, under every ending."""
    folder = tmp_path_factory.mktemp("special")
    for ending in ("tflite", "onnx", "txt", "pth", "json", "toml"):
        os.mkfifo(folder / f"pipe.{ending}")
        (folder / f"zero.{ending}").symlink_to("/dev/zero")
    (folder / "m.tflite").write_bytes(small_models.tflite())
    return folder


@pytest.mark.parametrize(
    "words",
    [
        "lint pipe.tflite",
        "lint pipe.onnx",
        "lint --fix zero.tflite",
        "verify pipe.tflite",
        "bench zero.tflite",
        "bench m.tflite --benchmark-model pipe.txt",
        "export --weights pipe.pth",
        "export --labels zero.txt",
        "report pipe.json",
        "gate --suite pipe.toml",
        "gate --baseline pipe.json --candidate m.tflite",
        "gate --baseline m.tflite --candidate pipe.tflite",
    ],
)
def test_a_special_file_is_refused_at_once(special, words):
    done = ghostdeploy(*words.split(), cwd=special)
    assert done.returncode == 2, done.stderr
    assert next(w for w in words.split() if w.startswith(("pipe", "zero"))) in complaint(done)


# --- outputs that cannot be written ------------------------------------------------------------


@pytest.mark.parametrize("words", [("--help",), ("completion", "zsh"), ("--version",)])
def test_a_full_disk_behind_stdout_is_told_in_one_line(words):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT
        )
    assert done.returncode == 3
    assert done.stderr == "error: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize("words", ["completion zsh", "--help"])
def test_a_closed_stdout_is_told_in_one_line(words):
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m ghostdeploy {words} >&-', sys.executable],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 3
    assert done.stderr == "error: cannot write to standard output: Bad file descriptor\n"


@pytest.mark.parametrize("words", [("--help",), ("--version",)])
def test_a_closed_pipe_is_no_error_and_never_exit_code_1(words):
    read, write = os.pipe()
    with os.fdopen(write, "wb") as out:
        os.close(read)
        done = subprocess.run([*PROGRAM, *words], stdout=out, stderr=subprocess.PIPE, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-"])
def test_an_error_that_nobody_hears_keeps_its_exit_code(where):
    command = f'"$0" -m ghostdeploy lint nothing.tflite {where}'
    done = subprocess.run(["sh", "-c", command, sys.executable], capture_output=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"")


def test_progress_goes_on_where_nobody_hears_it():
    code = """
import os
read, write = os.pipe()
os.close(read)
os.dup2(write, 2)
from ghostdeploy.cli.terminal import ProgressLine
line = ProgressLine()
for number in range(3):
    line(number, 3, f"step {number}")
line.close()
print("fine")
"""
    assert python(code).stdout == "fine\n"


NO_TEMPORARY_FOLDER = """
import sys, tempfile
from ghostdeploy import errors
from ghostdeploy.commands import models

tempfile._candidate_tempdir_list = lambda: ["/proc/nowhere"]
error = sys.argv.pop()

def list_models():
    raise eval(error)

models.list_models = list_models
from ghostdeploy.cli.app import main
main()
"""


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ("KeyError('x')", 4, "error: this is a bug in ghostdeploy: KeyError: 'x'\nlog: none, "),
        ("OSError(28, 'No space left on device')", 3, "error: No space left on device\n"),
        ("BrokenPipeError(32, 'Broken pipe')", 3, "error: a program that was written to has ended"),
        ("PermissionError(13, 'Permission denied', '/x')", 3, "error: /x: Permission denied\n"),
        ("MemoryError()", 3, "error: this machine is out of memory\n"),
        ("__import__('tempfile').mkdtemp()", 3, "error: there is no usable temporary folder: "),
    ],
)
def test_what_the_machine_refuses_is_neither_a_bug_nor_a_no(error, code, said):
    done = python(NO_TEMPORARY_FOLDER, "models", error)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr


def test_a_broken_installation_does_not_end_like_a_check_that_said_no():
    done = python(
        "import sys; sys.modules['click'] = None\nfrom ghostdeploy.__main__ import main; main()"
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: ghostdeploy is not installed whole: ")
