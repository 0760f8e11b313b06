"""A gate before an S3 server, which the test closes at a request of its choice: whoever comes then waits there.

A program that is to be killed in the middle of its work stands in the middle of it, however fast it or the test is.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler

from conftest import DEADLINE_SECONDS, Endpoint
from http_server import HttpServer

OF_A_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "content-length", "expect")


@dataclass
class Gate:
    """Its `endpoint` is the server's; of the requests that `counts(method, path)` it lets so many through."""

    endpoint: Endpoint
    counts: Callable[[str, str], bool]
    passing: int
    opened: bool = False
    reached: threading.Event = field(default_factory=threading.Event)  # somebody has come to the closed gate
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def closed(self) -> None:
        """Waits until somebody stands before it."""
        assert self.reached.wait(DEADLINE_SECONDS), "nobody came to the gate"

    def open(self) -> None:
        """For those who wait, and all who come."""
        self.opened = True
        self.over.set()

    def passes(self, method: str, path: str) -> bool:
        """False for those who still waited at the end of the test."""
        if self.opened or not self.counts(method, path):
            return True
        with self.lock:
            self.passing -= 1
            if self.passing >= 0:
                return True
        self.reached.set()
        self.over.wait()
        return self.opened


@contextmanager
def gated(endpoint: Endpoint, counts: Callable[[str, str], bool], passing: int) -> Iterator[Gate]:
    upstream = endpoint.url.removeprefix("http://")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            self.beyond = http.client.HTTPConnection(upstream, timeout=DEADLINE_SECONDS)

        def finish(self) -> None:
            self.beyond.close()
            super().finish()

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not gate.passes(self.command, self.path):
                self.close_connection = True
                return
            # The host is as it was signed, that of the gate.
            self.beyond.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in OF_A_CONNECTION:
                    self.beyond.putheader(name, value)
            self.beyond.putheader("Content-Length", str(len(body)))
            self.beyond.endheaders(body)
            answer = self.beyond.getresponse()
            data = answer.read()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in OF_A_CONNECTION:
                    self.send_header(name, value)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
            self.send_header("Content-Length", length or "0")
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on  # noqa: N815

        def log_message(self, *_: object) -> None:
            return

    with HttpServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        at_gate = replace(endpoint, url=f"http://127.0.0.1:{server.server_address[1]}")
        gate = Gate(at_gate, counts, passing)
        try:
            yield gate
        finally:
            gate.over.set()
            server.shutdown()
            thread.join()
