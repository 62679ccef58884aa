"""Fetching the published program from a real HTTP server, and all that one may send instead."""

from __future__ import annotations

import hashlib
import http.server
import json
import socket
import threading
from pathlib import Path

import pytest

from android_bench.errors import FetchError
from android_bench.program.cache import locate_pin, locate_program
from android_bench.program.fetch import URLS, fetch
from tests.android_bench.program.test_abi import elf

PROGRAM = elf(2, 183) + b"a program" * 5000
OTHER = PROGRAM + b"another build"
SHA256 = hashlib.sha256(PROGRAM).hexdigest()


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, body, length = {
            "/program": (200, PROGRAM, len(PROGRAM)),
            "/other": (200, OTHER, len(OTHER)),
            "/cut": (200, PROGRAM[:2000], len(PROGRAM)),
            "/unsized": (200, PROGRAM, None),
            "/page": (200, b"<!DOCTYPE html><p>Sign in to the network", 40),
            "/x86": (200, elf(2, 62), None),
            "/empty": (200, b"", 0),
            "/error": (503, b"busy", 4),
        }.get(self.path, (404, b"not here", 8))
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path


def remains(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def refused(cache: Path, *args: str) -> str:
    """The one line; nothing is left of what came."""
    before = remains(cache)
    with pytest.raises(FetchError) as error:
        fetch(*args)
    assert "\n" not in str(error.value)
    assert remains(cache) == before
    return str(error.value)


def test_it_is_fetched_once_and_pinned(site):
    heard = []
    done = fetch("arm64-v8a", f"{site}/program", progress=lambda *step: heard.append(step))
    assert done.fresh
    assert done.path == locate_program("arm64-v8a")
    assert done.path.read_bytes() == PROGRAM
    assert done.path.stat().st_mode & 0o111
    assert heard[-1] == (len(PROGRAM), len(PROGRAM))
    pin = json.loads(locate_pin(done.path).read_text())
    assert (pin["url"], pin["sha256"]) == (f"{site}/program", SHA256)
    again = fetch("arm64-v8a", f"{site}/program", SHA256)
    assert (again.fresh, again.sha256) == (False, SHA256)


def test_a_server_that_does_not_say_how_long_it_is(site):
    assert fetch("arm64-v8a", f"{site}/unsized", SHA256).sha256 == SHA256


def test_a_wrong_hash(site, cache):
    said = refused(cache, "arm64-v8a", f"{site}/other", SHA256)
    assert said.endswith(f"not {SHA256}; it was not kept")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/cut", "was cut off after 2000 of"),
        ("/absent", "the server says 404 Not Found"),
        ("/error", "the server says 503"),
        ("/page", "is no program but a web page: is there a proxy between?; it was not kept"),
        ("/x86", "is a program for x86_64, not arm64-v8a"),
        ("/empty", "is no program"),
    ],
)
def test_something_else_comes(site, cache, path, said):
    assert said in refused(cache, "arm64-v8a", f"{site}{path}")


def test_nobody_answers(cache):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # bound, but nobody listens
        port = sock.getsockname()[1]
        assert "refused" in refused(cache, "arm64-v8a", f"http://127.0.0.1:{port}/x")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("mips",), "; there is arm64-v8a, "),
        (("arm64-v8a", "file:///etc/passwd"), "is no web address"),
        (("arm64-v8a", "http://["), "http://["),
        (("arm64-v8a", "https://a.example/b", "123"), "is no SHA-256: 64 hex digits"),
    ],
)
def test_a_request_that_makes_no_sense(cache, args, said):
    assert said in refused(cache, *args)


class TestPinned:
    @pytest.fixture(autouse=True)
    def fetched(self, site) -> Path:
        return fetch("arm64-v8a", f"{site}/program").path

    def test_a_changed_file(self, site, cache, fetched):
        fetched.write_bytes(OTHER)
        assert "its SHA-256 differs; to fetch anew remove" in refused(
            cache, "arm64-v8a", f"{site}/program"
        )

    def test_another_origin(self, site, cache):
        assert "is pinned to" in refused(cache, "arm64-v8a", f"{site}/other")

    def test_another_hash(self, site, cache):
        assert f"has SHA-256 {SHA256}, not" in refused(
            cache, "arm64-v8a", f"{site}/program", "0" * 64
        )

    def test_a_lost_pin(self, site, cache, fetched):
        locate_pin(fetched).unlink()
        assert "is not of our fetching" in refused(cache, "arm64-v8a", f"{site}/program")


def test_the_published_addresses_are_of_tflite():
    assert all(
        url.startswith("https://storage.googleapis.com/tensorflow-") for url in URLS.values()
    )
    assert URLS["arm64-v8a"].endswith("/android_aarch64_benchmark_model")


def test_a_folder_that_cannot_be_written(site, cache):
    (cache / "ghostdeploy").write_text("a file where the folder should be")
    assert "Not a directory" in refused(cache, "arm64-v8a", f"{site}/program")
