"""Exports that several tests look at, each made once, through the command line.

A conversion takes some 15 s on a core. Those that the selected tests ask for are made two at a
time, beside the tests that do not need them; pytest's processes (``-n 2``) share them.
"""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from ghostdeploy import flatbuffer
from ghostdeploy.records import read_artifact
from ghostdeploy.schema import Artifact, ModelSpec
from tests.command_line import ghostdeploy
from tests.fake_phone.fixtures import (  # noqa: F401
    adb,
    adb_server,
    adb_session,
    any_phone,
    make_phone,
    phone,
    phone_pool,
    standin_program,
)
from tests.optional_packages import absent_package

# A shell's background job ignores Ctrl-C, and every process below it: tests that press it would
# wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[Any]:
    """Skip a file that imports a package which is absent."""
    report = yield
    if report.failed and (package := absent_package(report.call.excinfo.value)):
        report.outcome, report.result = "skipped", []
        report.longrepr = (str(collector.path), 1, f"Skipped: {package} is not installed")
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    yield from skip_without_packages()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    yield from skip_without_packages()


def skip_without_packages() -> Iterator[None]:
    """Skip a test whose fixtures or body miss a package that is absent."""
    try:
        yield
    except Exception as error:
        if package := absent_package(error):
            pytest.skip(f"{package} is not installed")
        raise


LABELS = tuple(f"class number {n} – näme" for n in range(10))
SMALL = ("--width", "0.5", "--num-classes", "10")
OPTIONS = (*SMALL, "--resolution", "97", "--embed-preprocessing", "--softmax", "--labels", "LABELS")
REPOSITORY = Path(__file__).parent.parent
CHECKPOINT = REPOSITORY / "models" / "ghostnetv2_0.2_96_shapes.safetensors"
TRAINED = (
    "--width", "0.2", "--num-classes", "10", "--resolution", "96", "--weights", str(CHECKPOINT)
)  # fmt: skip

# fixture -> arguments of `ghostdeploy export`. At 160 pixels only the maps at stride 32 are odd.
EXPORTS: dict[str, tuple[str, ...]] = {
    "whole": ("--format", "all"),
    "optioned": (*OPTIONS, "--json"),
    "optioned_again": (*OPTIONS, "--json"),
    "half": (*SMALL, "--resolution", "97", "--precision", "fp16"),
    "features_v2": ("ghostnetv2:paper@0.5", "--features", "--resolution", "65x97"),
    "features_v1": ("ghostnetv1@0.5", "--features", "--resolution", "75", "--format", "tflite"),
    "trained": (*TRAINED, "--format", "all"),
    "trained_int8": (*TRAINED, "--precision", "int8", "--calibration", "SHAPES/calibration"),
    "trained_int8_fast": (
        *TRAINED, "--precision", "int8", "--calibration", "SHAPES/calibration", "--opt", "fast",
    ),
    "camera_int8": (
        *TRAINED, "--format", "tflite", "--precision", "int8", "--calibration",
        "SHAPES/calibration", "--embed-preprocessing", "--input-type", "uint8",
    ),
    "ablation": (
        *SMALL, "--resolution", "64", "--set", "scale=hard_sigmoid", "--set", "scale_where=after",
        "--set", "kernel=7", "--format", "tflite",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Exported:
    """A finished ``ghostdeploy export`` and what it left in ``folder``."""

    folder: Path
    done: subprocess.CompletedProcess[str]

    def path(self, format: str) -> Path:
        (path,) = self.folder.glob(f"*.{format}")
        return path

    def data(self, format: str) -> bytes:
        return self.path(format).read_bytes()

    def model(self, format: str) -> Any:
        """A ``ModelProto``, or a ``ModelT`` object tree."""
        if format == "onnx":
            import onnx

            return onnx.load(self.path(format))
        return flatbuffer.load(self.data(format), format)

    def artifact(self, format: str) -> Artifact:
        return read_artifact(self.path(format).with_suffix(f".{format}.json"))

    @property
    def spec(self) -> ModelSpec:
        """Told by any of its files."""
        path = next(iter(self.folder.glob("*.json")))
        spec = read_artifact(path).spec
        assert spec is not None
        return spec


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``test`` (120 images) and ``calibration`` (60) of the data the small networks learned."""
    folder = tmp_path_factory.mktemp("shapes")
    script = REPOSITORY / "benchmarks" / "small_data.py"
    subprocess.run([sys.executable, script, "shapes", folder, "120", "60"], check=True)
    return folder


@pytest.fixture(scope="session")
def _exports(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Exported]]]:
    asked = {name for item in request.session.items for name in _fixtures(item)}
    labels = tmp_path_factory.mktemp("labels") / "labels.txt"
    labels.write_text("\n".join(LABELS) + "\n", encoding="utf-8")

    calibrated = any(
        "SHAPES" in word for name in EXPORTS if name in asked for word in EXPORTS[name]
    )
    images = request.getfixturevalue("shapes") if calibrated else None

    shared = _shared_folder(tmp_path_factory)

    def make(name: str) -> Exported:
        """Once for all of pytest's processes: the others wait for it, and read it."""
        result = shared / f"{name}.pickle"
        with open(shared / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not result.exists():
                result.write_bytes(pickle.dumps(export(name)))
            return cast(Exported, pickle.loads(result.read_bytes()))

    def export(name: str) -> Exported:
        folder = shared / name
        folder.mkdir(exist_ok=True)
        words = [word.replace("LABELS", str(labels)) for word in EXPORTS[name]]
        words = [word.replace("SHAPES", str(images)) for word in words]
        # Hash order may not show in the files.
        env = {"PYTHONHASHSEED": "7"} if name == "optioned_again" else {}
        done = ghostdeploy("export", *words, "--out", folder, env=env, cwd=folder.parent)
        assert done.returncode == 0, done.stderr
        return Exported(folder, done)

    # Of two processes, the second begins at the other end.
    names = [name for name in EXPORTS if name in asked]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    with ThreadPoolExecutor(1 if worker else 2) as pool:
        ordered = names[::-1] if worker == "gw1" else names
        futures = {name: pool.submit(make, name) for name in ordered}
        try:
            yield futures
        finally:
            for future in futures.values():
                future.cancel()


def _shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What all processes of one run of pytest see."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "exports"
    folder.mkdir(exist_ok=True)
    return folder


def _fixtures(item: pytest.Item) -> set[str]:
    names = set(getattr(item, "fixturenames", ()))
    call = getattr(item, "callspec", None)  # names in parameters, for getfixturevalue
    return names | {str(v) for v in call.params.values()} if call else names


def _fixture(name: str) -> Any:
    @pytest.fixture(scope="session", name=name)
    def exported(_exports: dict[str, Future[Exported]]) -> Exported:
        return _exports[name].result()

    return exported


whole = _fixture("whole")
optioned = _fixture("optioned")
optioned_again = _fixture("optioned_again")
half = _fixture("half")
trained = _fixture("trained")
trained_int8 = _fixture("trained_int8")
trained_int8_fast = _fixture("trained_int8_fast")
camera_int8 = _fixture("camera_int8")
features_v2 = _fixture("features_v2")
features_v1 = _fixture("features_v1")
ablation = _fixture("ablation")


@dataclass(frozen=True)
class Converted:
    """What onnx2tf makes of GhostNetV2 0.5× at 160 pixels, untouched, and what it was made from."""

    spec: ModelSpec
    network: Any
    exported: Any
    raw: bytes

    @property
    def values(self) -> list[str]:
        return [name for node in self.exported.model.graph.node for name in node.output]


@pytest.fixture(scope="session")
def converted() -> Converted:
    from ghostdeploy import zoo
    from ghostdeploy.lowering.deploy import DeployNetwork
    from ghostdeploy.lowering.tflite import start_converter
    from ghostdeploy.lowering.to_onnx import to_onnx
    from ghostdeploy.schema import ExportOptions
    from ghostdeploy.zoo.weights import seed_weights

    spec = zoo.make_spec("ghostnetv2", width=0.5, resolution=(160, 160))
    network = zoo.build(spec)
    with start_converter() as converter:
        seed_weights(network, 0)
        exported = to_onnx(DeployNetwork(network, ExportOptions()), spec.resolution)
        converter.start(exported.model.SerializeToString(), "fp32")
        return Converted(spec, network, exported, converter.finish())


@pytest.fixture(scope="session")
def small_onnx(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The cheapest export that there is, to be copied and damaged."""
    folder = tmp_path_factory.mktemp("small_onnx")
    args = (*SMALL, "--resolution", "64", "--format", "onnx", "--json")
    done = ghostdeploy("export", *args, "--out", folder)
    assert done.returncode == 0, done.stderr
    assert not json.loads(done.stdout)[0]["reused"]
    return Exported(folder, done)


@pytest.fixture
def image() -> Any:
    """A maker of inputs (1, 3, H, W) of 0–1 that no export was proven with."""
    random = np.random.default_rng(987654321)

    def make(spec: ModelSpec) -> Any:
        low = random.random((3, 5, 7))  # coarse blocks under noise: neither averages out
        height, width = spec.resolution
        blocks = low[:, np.arange(height) * 5 // height][:, :, np.arange(width) * 7 // width]
        return (0.7 * blocks + 0.3 * random.random(blocks.shape))[None].astype(np.float32)

    return make
