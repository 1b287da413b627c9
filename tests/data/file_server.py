"""A server of one file on this machine, which can be told to misbehave."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

CONTENT = b"\x1f\x8b" + np.random.default_rng(0).bytes(699_998)
"""Begins as a gzip file does."""
NAME = "cifar-10-python.tar.gz"


class Server(ThreadingHTTPServer):
    """Serves its content at any address.

    ranges: the Range header of each request so far, None where there was none.
    breaks: bytes of the content after which to stop, one for each request; the connection is then closed ("drop") or
    kept ("stall").
    statuses: answers to the first requests, instead of the content.
    length: Content-Length, if it is not the right one; "" for none.
    """

    daemon_threads = True

    def __init__(self, content=CONTENT):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = content
        self.ranges = []
        self.knows_ranges = True
        self.wrong_range = False
        self.statuses = []
        self.silent = False
        self.breaks = []
        self.then = "drop"
        self.length = None
        self.endless = False
        self.seconds_per_chunk = 0
        self.bytes_per_chunk = 65_536
        self.released = threading.Event()
        self.sent = 0

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self.shutdown()
        self.thread.join()
        self.server_close()

    def handle_error(self, *_):
        pass  # a client that was killed


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        asked = self.headers["Range"]
        server.ranges.append(asked)
        if server.silent:
            server.released.wait()
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and server.knows_ranges else 0
        if server.statuses or start >= len(server.content):
            self.send_response(server.statuses.pop(0) if server.statuses else 416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            first = start + server.wrong_range
            self.send_header("Content-Range", f"bytes {first}-{len(server.content) - 1}/{len(server.content)}")
        if server.length != "":
            self.send_header("Content-Length", server.length or str(len(server.content) - start))
        self.end_headers()
        self._send(start, server.breaks.pop(0) if server.breaks else len(server.content))

    def _send(self, start, stop):
        server = self.server
        while server.endless:
            self.wfile.write(server.content)
            server.sent += len(server.content)
        for at in range(start, stop, server.bytes_per_chunk):
            self.wfile.write(server.content[at : min(at + server.bytes_per_chunk, stop)])
            server.released.wait(server.seconds_per_chunk)
        self.wfile.flush()
        if stop < len(server.content) and server.then == "stall":
            server.released.wait()
