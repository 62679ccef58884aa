"""The setup's pins, and what is said where it cannot be made."""

from __future__ import annotations

import re

import pytest

from ghostdeploy.errors import MeasurementError, UsageError
from ghostdeploy.runners.arm import pins, setup
from ghostdeploy.runners.arm.emulator_folder import locate_cache, locate_emulator, require_emulator


def test_every_package_is_pinned_and_has_a_digest():
    packages = pins.read_packages()
    assert {p.part for p in packages} == {"emulator", "guest", "compiler"}
    for package in packages:
        assert package.version
        assert re.fullmatch("[0-9a-f]{64}", package.sha256)
    assert len({p.package + p.architecture for p in packages}) == len(packages)
    assert {p.architecture for p in packages if p.part == "guest"} == {"arm64"}


def test_the_key_changes_with_what_could_change_a_count(monkeypatch, tmp_path):
    before = pins.compute_setup_key()
    for source in pins.NATIVE.glob("*.[ch]"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    assert key_of(monkeypatch, tmp_path) == before
    with (tmp_path / "tflite.h").open("a") as header:
        header.write("\n")
    assert key_of(monkeypatch, tmp_path) != before


def key_of(monkeypatch, sources):
    monkeypatch.setattr(pins, "NATIVE", sources)
    pins.compute_setup_key.cache_clear()
    try:
        return pins.compute_setup_key()
    finally:
        pins.compute_setup_key.cache_clear()


def test_it_lies_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert locate_emulator().folder.parent == tmp_path / "ghostdeploy/arm"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert locate_cache() == tmp_path / ".cache/ghostdeploy/arm"


def test_without_it_the_command_that_makes_it_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(UsageError, match=r"run: ghostdeploy doctor --setup-qemu$"):
        require_emulator()


def test_what_is_missing_is_listed_and_nothing_is_made(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match=r"apt-get \(.*\), dpkg \(.*\), cc \(.*\)") as caught:
        setup.set_up()
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_client_that_fails_is_quoted_and_leaves_nothing(monkeypatch, tmp_path):
    """apt-get that finds no package: a program of its name that says what apt-get says."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "apt-get").write_text(
        "#!/bin/sh\necho 'E: Version 1 for qemu-user was not found' >&2\nexit 100\n"
    )
    for name in ("dpkg", "cc"):
        (programs / name).write_text("#!/bin/sh\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(MeasurementError, match="apt-get update failed: E: Version 1 for qemu-user"):
        setup.set_up()
    assert not list((tmp_path / "cache/ghostdeploy/arm").iterdir())
