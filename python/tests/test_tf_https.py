"""TLS beside TensorFlow, which shows a TLS library of its own to all that is loaded after it."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import missing, run_python

pytest.importorskip("tensorflow")

BODY = b"over TLS"
SECONDS = 120  # TensorFlow takes its time to start on a busy machine


class OneObject(BaseHTTPRequestHandler):
    """Every key is this object; signatures are not looked at."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._head(200)

    def do_GET(self) -> None:
        self._head(206 if "Range" in self.headers else 200)
        self.wfile.write(BODY)

    def _head(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(BODY)))
        self.send_header("ETag", '"one"')
        if status == 206:
            self.send_header("Content-Range", f"bytes 0-{len(BODY) - 1}/{len(BODY)}")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Of 127.0.0.1, and its key."""
    openssl = shutil.which("openssl")
    if not openssl:
        missing("openssl is not installed")
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    words = (
        f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -out {files[0]} -keyout {files[1]}"
    )
    subprocess.run(
        [str(openssl), *words.split(), "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )
    return files


@pytest.fixture
def endpoint(certificate: tuple[Path, Path]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), OneObject)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "order", ["import tensorflow as tf, bucketline as bl", "import bucketline as bl, tensorflow as tf"]
)
def test_either_may_be_imported_first(
    endpoint: str, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": "anybody",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_CA_BUNDLE": str(certificate[0]),
        "CUDA_VISIBLE_DEVICES": "",
    }.items():
        monkeypatch.setenv(name, value)
    code = """
import bucketline.tf
bl.tf.register_filesystem()
assert tf.io.gfile.GFile("s3://bucket/key", "rb").read() == b"over TLS"
assert bl.get("s3://bucket/key") == b"over TLS"
"""
    run_python(order + code, timeout=SECONDS)
