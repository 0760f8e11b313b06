"""An HTTP server in the test's own process."""

from __future__ import annotations

import sys
from http.server import ThreadingHTTPServer
from typing import Any


class HttpServer(ThreadingHTTPServer):
    # Of connections that come at once. A client that finds the queue full, usually 5, waits as long as for a lost packet.
    request_queue_size = 1024

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(
            sys.exc_info()[1], ConnectionError
        ):  # tests kill clients in the middle of an answer
            super().handle_error(request, client_address)
