"""Downloads from servers that send nearly HTTP, or send it without end."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from android_bench.errors import FetchError
from android_bench.program.download import download

OK = b"HTTP/1.1 200 OK\r\n"


class Server:
    """Answers each connection by ``pieces``, one every ``pause_s``."""

    def __init__(self, pieces, pause_s: float = 0.0) -> None:
        self.pieces, self.pause_s = pieces, pause_s
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/m.tflite"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        try:
            connection, _ = self.socket.accept()
            with connection:
                connection.recv(65536)
                for piece in self.pieces:
                    connection.sendall(piece)
                    time.sleep(self.pause_s)
        except OSError:
            pass


@pytest.fixture
def serve(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    made = []

    def make(pieces, pause_s: float = 0.0) -> str:
        made.append(Server(pieces, pause_s))
        return made[-1].url

    yield make
    for server in made:
        server.socket.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0\xff\x1b[31m garbage\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\nbody",
        b"HTTP/1.1 200 " + b"O" * 100_000 + b"\r\n\r\n",
        OK + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        OK + b"X: y\r\n" * 5000 + b"\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",
        OK + b"Content-Length: 100\r\n\r\nhello",
        b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://a b/\r\n\r\n",
        b"HTTP/1.1 500 \x1b[31mno\x07\r\n\r\n",
        b"HTTP/1.1 404 " + b"long " * 1000 + b"\r\n\r\n",
    ],
)
def test_a_malformed_answer_is_one_printable_line(serve, tmp_path, answer):
    with pytest.raises(FetchError) as error:
        download(serve([answer]), tmp_path / "m", 1000)
    said = str(error.value)
    assert said.isprintable()
    assert len(said) < 600


@pytest.mark.parametrize(
    "url",
    ["http://a b/", "http://a\nb/", "http://[/", "http://:x/", "http://" + "a" * 300 + "/",
     "http://\udcff/", "http://127.0.0.1:99999/", "http:///x", "http://.../"],
)  # fmt: skip
def test_a_malformed_address_is_one_printable_line(tmp_path, url):
    with pytest.raises(FetchError) as error:
        download(url, tmp_path / "m", 1000)
    assert str(error.value).isprintable()


def test_what_is_too_large_is_cut_off(serve, tmp_path):
    url = serve([OK + b"\r\n", *[b"n" * 10_000] * 1000])
    with pytest.raises(FetchError, match="is over 0 MB"):
        download(url, tmp_path / "m", 50_000)
    assert (tmp_path / "m").stat().st_size <= 50_000


@pytest.mark.parametrize("head", [b"", OK + b"X: ", OK + b"\r\n"], ids=["none", "header", "body"])
def test_a_byte_at_a_time_ends_with_the_total_time(serve, tmp_path, head):
    """The socket's own timeout begins anew with each byte."""
    url = serve([head, *[b"x"] * 2000], pause_s=0.02)
    started = time.monotonic()
    with pytest.raises(FetchError, match=r"did not end within 0\.3 s"):
        download(url, tmp_path / "m", 10_000, total_s=0.3)
    assert time.monotonic() - started < 20
