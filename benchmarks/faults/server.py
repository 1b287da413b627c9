"""A server of one file on this machine, which sends it slowly and from any byte on."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

CHUNK = 1 << 16


class Server(ThreadingHTTPServer):
    """Context manager that serves a content at any address.

    Parameters
    ----------
    content : bytes
    seconds : float
        Time for the whole content.
    """

    daemon_threads = True

    def __init__(self, content: bytes, seconds: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content, self.pause = content, seconds * CHUNK / len(content)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    @property
    def address(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a client that was killed."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        """Answer with the content, or with its end if a range is asked for."""
        content, asked = self.server.content, self.headers["Range"]
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if start >= len(content):
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        pause = threading.Event()
        for at in range(start, len(content), CHUNK):
            self.wfile.write(content[at : at + CHUNK])
            pause.wait(self.server.pause)
