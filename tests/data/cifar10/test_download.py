import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from anynet.data import DownloadError
from anynet.data.cifar10 import download

CONTENT = np.random.default_rng(0).bytes(700_000)
NAME = "cifar-10-python.tar.gz"


class Server(ThreadingHTTPServer):
    """Serves CONTENT at any address; what it does otherwise is set through its attributes.

    ranges: the Range header of each request so far, None where there was none.
    break_at: stop after this byte of the content, once, and then close the connection ("drop") or keep it ("stall").
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges = []
        self.knows_ranges = True
        self.wrong_range = False
        self.status = None
        self.silent = False
        self.break_at = None
        self.then = "drop"
        self.released = threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_):
        pass

    def do_GET(self):
        asked = self.headers["Range"]
        self.server.ranges.append(asked)
        if self.server.silent:
            self.server.released.wait()
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.server.knows_ranges else 0
        if self.server.status or start >= len(CONTENT):
            self.send_response(self.server.status or 416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            first = start + self.server.wrong_range
            self.send_header("Content-Range", f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        if self.server.break_at:
            self.wfile.write(CONTENT[start : self.server.break_at])
            self.wfile.flush()
            self.server.break_at = None
            if self.server.then == "stall":
                self.server.released.wait()
        else:
            self.wfile.write(CONTENT[start:])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch):
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("no_proxy", "*")
        monkeypatch.setattr(download, "URL", f"http://127.0.0.1:{server.server_port}/{NAME}")
        monkeypatch.setattr(download, "MD5", hashlib.md5(CONTENT).hexdigest())
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def check_advice(message: str, cache: Path) -> None:
    assert "\n" not in message
    assert "--data synthetic" in message
    assert "--data DIR" in message
    assert f"put {NAME} into {cache}" in message


def test_constants_are_the_official_ones():
    assert download.URL == "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    assert download.MD5 == "c58f30108f718f92721af3b95e74349a"
    assert download.ANSWER_SECONDS < 10


def test_file_is_downloaded_once_into_a_cache_that_is_made(server, tmp_path, capfd):
    cache = tmp_path / "deep" / "cache"
    for _ in range(2):
        file = download.fetch(cache)
        assert file == cache / NAME
        assert file.read_bytes() == CONTENT
    assert server.ranges == [None]
    assert os.listdir(cache) == [NAME]
    assert capfd.readouterr() == ("", "")  # no progress bar where no terminal is


def test_file_in_the_cache_needs_no_network(monkeypatch, tmp_path):
    (tmp_path / NAME).write_bytes(CONTENT)
    monkeypatch.setattr(download, "MD5", hashlib.md5(CONTENT).hexdigest())
    monkeypatch.setattr(socket, "getaddrinfo", None)
    assert download.fetch(tmp_path).read_bytes() == CONTENT


def test_damaged_file_in_the_cache_is_downloaded_again(server, tmp_path):
    (tmp_path / NAME).write_bytes(CONTENT[:-1])
    assert download.fetch(tmp_path).read_bytes() == CONTENT


def test_dropped_download_goes_on_where_it_stopped(server, tmp_path):
    server.break_at = 393_216
    with pytest.raises(DownloadError, match="broke off after 393216 bytes") as caught:
        download.fetch(tmp_path)
    check_advice(str(caught.value), tmp_path)
    assert os.listdir(tmp_path) == [f"{NAME}.part"]
    assert (tmp_path / f"{NAME}.part").read_bytes() == CONTENT[:393_216]

    assert download.fetch(tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=393216-"]
    assert os.listdir(tmp_path) == [NAME]


def test_download_dropped_twice_goes_on_twice(server, tmp_path):
    for stop in (131_072, 327_680):
        server.break_at = stop
        with pytest.raises(DownloadError, match=f"broke off after {stop} bytes"):
            download.fetch(tmp_path)
    assert download.fetch(tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=131072-", "bytes=327680-"]


def test_server_that_ignores_ranges_starts_anew(server, tmp_path):
    server.knows_ranges = False
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:1000])
    assert download.fetch(tmp_path).read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-"]


def test_server_that_sends_another_range_is_asked_anew(server, tmp_path):
    server.wrong_range = True
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:1000])
    assert download.fetch(tmp_path).read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-", None]


def test_part_beyond_the_end_is_discarded(server, tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT + b"more")
    assert download.fetch(tmp_path).read_bytes() == CONTENT
    assert server.ranges == ["bytes=700004-", None]


def test_wrong_md5_is_an_error_and_leaves_nothing(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "MD5", "0" * 32)
    with pytest.raises(DownloadError, match=f"{NAME}: expected md5 {'0' * 32}") as caught:
        download.fetch(tmp_path)
    check_advice(str(caught.value), tmp_path)
    assert os.listdir(tmp_path) == []


def test_error_status_is_named_and_keeps_the_part(server, tmp_path):
    server.status = 503
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:1000])
    with pytest.raises(DownloadError, match="answered 503 Service Unavailable") as caught:
        download.fetch(tmp_path)
    check_advice(str(caught.value), tmp_path)
    assert (tmp_path / f"{NAME}.part").read_bytes() == CONTENT[:1000]


def test_server_that_does_not_answer_is_given_up(server, tmp_path, monkeypatch):
    server.silent = True
    monkeypatch.setattr(download, "ANSWER_SECONDS", 0.2)
    started = time.monotonic()
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1 did not answer within 0\.2 seconds") as caught:
        download.fetch(tmp_path)
    assert time.monotonic() - started < 5
    check_advice(str(caught.value), tmp_path)


def test_name_lookup_that_hangs_is_given_up(tmp_path, monkeypatch):
    released = threading.Event()

    def hang(*_, **__):
        released.wait()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "ANSWER_SECONDS", 0.2)
    started = time.monotonic()
    with pytest.raises(DownloadError, match=r"www\.cs\.toronto\.edu did not answer") as caught:
        download.fetch(tmp_path)
    assert time.monotonic() - started < 5
    check_advice(str(caught.value), tmp_path)
    released.set()


def test_stall_midway_ends_and_keeps_the_part(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "STALL_SECONDS", 0.2)
    server.break_at, server.then = 131_072, "stall"
    with pytest.raises(DownloadError, match="broke off after 131072 bytes"):
        download.fetch(tmp_path)
    assert download.fetch(tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=131072-"]


def test_unreachable_host_is_an_error_that_says_what_else_can_be_done(tmp_path, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        monkeypatch.setenv("no_proxy", "*")
        monkeypatch.setattr(download, "URL", f"http://127.0.0.1:{closed.getsockname()[1]}/{NAME}")
        with pytest.raises(DownloadError, match=r"127\.0\.0\.1 could not be reached") as caught:
            download.fetch(tmp_path)
    check_advice(str(caught.value), tmp_path)
    assert isinstance(caught.value, OSError)


def test_a_cache_that_cannot_be_made_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match=r"file/cache: cannot be written to; set \$ANYNET_CACHE to another folder"):
        download.fetch(tmp_path / "file" / "cache")


def test_default_cache_can_be_set(monkeypatch, tmp_path):
    monkeypatch.delenv("ANYNET_CACHE", raising=False)
    assert download.default_cache().name == "anynet"
    monkeypatch.setenv("ANYNET_CACHE", str(tmp_path))
    assert download.default_cache() == tmp_path


def test_import_loads_no_network_library():
    code = "import sys, anynet.data.cifar10.download; print([m for m in ('pooch', 'requests') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_without_pooch_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    for needs_it in (download.default_cache, lambda: download.fetch(tmp_path)):
        with pytest.raises(DownloadError, match=r"needs pooch; run pip install '\.\[app\]'"):
            needs_it()
