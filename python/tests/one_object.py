"""An S3 endpoint where every key is one object: it knows ranges, keeps account of reads and looks at no signature."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from http_server import HttpServer

ANYBODY = {"AWS_ACCESS_KEY_ID": "anybody", "AWS_SECRET_ACCESS_KEY": "anything", "AWS_REGION": "us-east-1"}


class OneObject(HttpServer):
    def __init__(self, body: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.body = body
        self.reads: list[tuple[int, int]] = []  # first byte, and the one after the last


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: OneObject

    def do_HEAD(self) -> None:
        self._head(200, len(self.server.body))

    def do_GET(self) -> None:
        size = len(self.server.body)
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        first, end = (int(asked[1]), min(int(asked[2]) + 1, size)) if asked else (0, size)
        self.server.reads.append((first, end))
        self._head(206 if asked else 200, end - first, f"bytes {first}-{end - 1}/{size}" if asked else "")
        self.wfile.write(self.server.body[first:end])

    def _head(self, status: int, length: int, content_range: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("ETag", '"one"')
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve_one_object(body: bytes, tls: ssl.SSLContext | None = None) -> Iterator[OneObject]:
    with OneObject(body) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
