"""Where a phone's benchmark_model comes from, and what is checked before it is run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from android_bench import errors
from android_bench.device.identity import read_identity
from android_bench.program.cache import locate_pin, locate_program
from android_bench.program.install import ON_DEVICE, install


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def program(path: Path, content: bytes = b"#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    return path


class TestOrder:
    @pytest.fixture
    def fetched(self, cache) -> Path:
        path = program(locate_program("arm64-v8a"), b"#!/bin/sh\necho fetched\n")
        pin = {
            "url": "https://a.example/b",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "fetched_at": "2026-01-01",
        }
        locate_pin(path).write_text(json.dumps(pin))
        return path

    @pytest.fixture
    def there(self, phone) -> Path:
        return program(phone.host_path(ON_DEVICE), b"#!/bin/sh\necho there\n")

    @pytest.fixture
    def identity(self, adb):
        return read_identity(adb)

    def test_named_on_the_device_fetched(self, adb, identity, fetched, there, tmp_path):
        named = program(tmp_path / "named", b"#!/bin/sh\necho named\n")
        found = install(adb, identity, named)
        assert (found.origin, adb.check([found.path])) == (str(named), "named\n")
        assert found.sha256 == hashlib.sha256(named.read_bytes()).hexdigest()
        found = install(adb, identity)
        assert (found.path, found.origin) == (ON_DEVICE, "found on the device")
        assert found.sha256 == hashlib.sha256(there.read_bytes()).hexdigest()
        there.unlink()
        found = install(adb, identity)
        assert (found.origin, adb.check([found.path])) == ("https://a.example/b", "fetched\n")

    def test_none(self, adb, identity, cache):
        with pytest.raises(errors.BinaryNotFoundError) as error:
            install(adb, identity)
        assert str(error.value) == (
            "there is no benchmark_model for arm64-v8a: run ghostdeploy doctor"
            " --fetch-benchmark-model, or name one with --benchmark-model"
        )

    def test_one_on_the_device_that_may_not_be_run(self, adb, identity, there, fetched):
        there.chmod(0o644)
        assert install(adb, identity).origin == "https://a.example/b"

    @pytest.mark.parametrize("pin", [None, "{}", "[]", "no JSON", '{"sha256": "0"}'])
    def test_a_fetched_one_that_was_changed(self, adb, identity, fetched, pin):
        if pin is None:
            locate_pin(fetched).unlink()
        else:
            locate_pin(fetched).write_text(pin)
        with pytest.raises(errors.OptionError, match="is not the file that was fetched"):
            install(adb, identity)
