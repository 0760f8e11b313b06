"""TLS beside TensorFlow, which shows a TLS library of its own to all that is loaded after it."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import missing, run_python
from one_object import ANYBODY, serve_one_object

pytest.importorskip("tensorflow")

SECONDS = 300  # TensorFlow takes its time to start on a busy machine


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
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with serve_one_object(b"over TLS", context) as server:
        yield f"https://127.0.0.1:{server.server_port}"


@pytest.mark.parametrize(
    "order", ["import tensorflow as tf, bucketline as bl", "import bucketline as bl, tensorflow as tf"]
)
def test_either_may_be_imported_first(
    endpoint: str, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL_S3": endpoint,
        **ANYBODY,
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
