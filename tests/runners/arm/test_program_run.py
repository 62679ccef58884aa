"""benchmark_model in the emulator, by a stand-in that the setup compiles: it runs the model.

Faulty ones are the same program with a few letters changed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import InputFileError, MeasurementError, UsageError
from ghostdeploy.runners import open_runner
from ghostdeploy.runners.arm.emulator_folder import locate_emulator
from ghostdeploy.schema import BenchParams

# Two system calls for the time and a loop; the builtin kernels look at the clock themselves.
AROUND = 200

pytestmark = pytest.mark.usefixtures("emulated")


def launched(model: Path, program: Path | None, **changes: object):
    if program:
        changes |= {"runtime": "benchmark_model", "benchmark_model": str(program)}
    params = BenchParams(profile=True, **{"runtime": "litert", **changes})
    return open_runner("qemu:cortex-a76", params).launch(model, params)


@pytest.fixture(scope="module")
def launch(tiny):
    return launched(tiny, locate_emulator().standin)


def test_it_counts_an_inference_and_tells_no_time(launch):
    assert launch.valid
    assert launch.summary is None
    assert launch.peak_mem_mb > 0
    assert launch.instructions.rel_l2 < 1e-6
    assert launch.instructions.operators == ()
    assert "--num_runs=7" in launch.argv


def test_another_launch_counts_the_same(tiny, launch):
    assert launched(tiny, locate_emulator().standin).instructions == launch.instructions


@pytest.mark.parametrize("kernels", [{}, {"xnnpack": False}, {"fp16": True}])
def test_it_agrees_with_the_count_between_marks(tiny, kernels):
    around = launched(tiny, locate_emulator().standin, **kernels).instructions
    between = launched(tiny, None, **kernels).instructions
    assert around.multiply_accumulate == between.multiply_accumulate
    assert 0 < around.total - between.total < AROUND


def test_the_record_knows_the_program():
    params = BenchParams(runtime="benchmark_model", benchmark_model=str(locate_emulator().standin))
    found = open_runner("qemu", params).runtime(params)
    assert (found.name, found.sha256) == ("benchmark_model", file_sha256(locate_emulator().standin))
    assert found.version.startswith("build ")


def changed(tmp_path: Path, old: bytes, new: bytes) -> Path:
    data = locate_emulator().standin.read_bytes()
    assert data.count(old) >= 1
    assert len(new) == len(old)
    path = tmp_path / "benchmark_model"
    path.write_bytes(data.replace(old, new))
    path.chmod(0o755)
    return path


def test_one_that_cannot_write_its_outputs_is_counted_all_the_same(tiny, tmp_path, launch):
    """Builds of 2022 do not know the flag; that they ignore it, they only say."""
    old = launched(tiny, changed(tmp_path, b"output_filepath", b"output_filename"))
    assert old.instructions.rel_l2 is None
    assert old.instructions.multiply_accumulate == launch.instructions.multiply_accumulate


@pytest.mark.parametrize(
    ("old", "new", "error", "says"),
    [
        (b"libLiteRt.so\0", b"libAbsent.so\0", UsageError, "needs libAbsent.so, which is neither"),
        (b"GLIBC_2.17\0", b"GLIBC_9.99\0", UsageError, "needs GLIBC_9.99, newer than"),
        (b"xnnpack_force_fp16\0", b"xnnpack_force_fp61\0", UsageError, "of another kind"),
        (b"INFO: count=", b"INFO: mount=", MeasurementError, "benchmark_model's log"),
        (b"rb\0", b"??\0", InputFileError, "cannot run it.*input file cannot be read"),
    ],
)
def test_faulty_programs_are_told_in_a_line(tiny, tmp_path, old, new, error, says):
    with pytest.raises(error, match=rf"^[^\n]*{says}[^\n]*$"):
        launched(tiny, changed(tmp_path, old, new), fp16=True)


def test_what_is_no_program_for_it(tmp_path):
    path = tmp_path / "benchmark_model"
    path.write_bytes(locate_emulator().standin.read_bytes())
    params = BenchParams(runtime="benchmark_model", benchmark_model=str(path))
    for says in ("run: chmod", "is for x86_64"):
        with pytest.raises(UsageError, match=says):
            open_runner("qemu", params)
        path.write_bytes(locate_emulator().qemu.read_bytes())
        path.chmod(0o755)
