"""Ctrl-C ends every wait at once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
from conftest import DEADLINE_SECONDS, Command

INTERRUPTED = """
import os, sys, threading
import bucketline as bl

url, requests, call, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3], os.environ.get("FOLDER", "")
runtime = bl.Runtime()

def tell():
    pause = threading.Event()
    while runtime.stats()["requests"] < requests:
        pause.wait(0.01)
    print("waiting", flush=True)

threading.Thread(target=tell, daemon=True).start()
try:
    exec(compile(call, "call", "exec"))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


AT_ONCE_SECONDS = 15  # on a busy machine; a try at a silent endpoint takes 20, and there are many


def seconds_until_interrupted(url: str, requests: int, call: str, environment: dict[str, str]) -> float:
    """From SIGINT, sent when so many requests are under way, until the call has raised KeyboardInterrupt."""
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, url, str(requests), call],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout and process.stdout.readline() == "waiting\n"
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        seconds = time.monotonic() - begin
        assert process.wait(DEADLINE_SECONDS) == 0
        return seconds
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def silent() -> Iterator[str]:
    """An endpoint that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    "call",
    [
        "bl.Dataset(url, runtime=runtime)",
        "bl.index(url, os.environ['OUT'] + '/x.manifest', runtime=runtime)",
        "bl.index(folder, os.environ['OUT'] + '/x.manifest', since=url + 'old.manifest', runtime=runtime)",
        "bl.index(folder, url + 'x.manifest', runtime=runtime)",
        "bl.diff(url + 'a.manifest', url + 'b.manifest', runtime=runtime)",
        "list(bl.list(url, runtime=runtime))",
        "bl.Dataset(folder, runtime=runtime).save(url + 'x.manifest')",
        "bl.get(url + 'k', runtime=runtime)",
        "bl.put(url + 'k', b'x', runtime=runtime)",
        "bl.put(url + 'k', bytes(20_000_000), runtime=runtime)",
        "bl.delete(url + 'k', runtime=runtime)",
        "bl.exists(url + 'k', runtime=runtime)",
        "bl.open(url + 'k', runtime=runtime)",
        "bl.open(url + 'k', 'wb', runtime=runtime).close()",
        "w = bl.Writer(url, runtime=runtime); w.put('k', b'x'); w.flush()",
        "with bl.Writer(url, runtime=runtime) as w: w.put('k', b'x'); threading.Event().wait()",
        "w = bl.Writer(url, runtime=runtime, memory=1000); [w.put('k', bytes(400)) for _ in range(9)]",
    ],
)
def test_ctrl_c_ends_a_wait_for_a_silent_endpoint(
    silent: str, image_folder: Path, tmp_path: Path, call: str
) -> None:
    environment = {
        "AWS_ENDPOINT_URL_S3": silent,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "FOLDER": str(image_folder),
        "OUT": str(tmp_path),
    }
    assert seconds_until_interrupted("s3://bucket/", 1, call, environment) < AT_ONCE_SECONDS


@pytest.mark.parametrize(
    ("requests", "call"),
    [
        (2, "bl.Dataset(url, runtime=runtime)[0]"),
        (2, "list(bl.Loader(url, 4, image=bl.Image(16), runtime=runtime))"),
        (2, "bl.open(url + 'dark/0000.jpg', runtime=runtime).read()"),
        (2, "bl.Dataset(url, runtime=runtime).preview(2)"),
    ],
)
def test_ctrl_c_ends_a_wait_for_bytes(
    bucketline: Command, image_folder: Path, requests: int, call: str
) -> None:
    with servers.serve(bucketline.binary, image_folder.parent, "--stall", "1") as endpoint:
        url = f"s3://{image_folder.name}/"
        seconds = seconds_until_interrupted(url, requests, call, endpoint.environment())
        assert seconds < AT_ONCE_SECONDS


def test_ctrl_c_in_a_with_finishes_what_was_put(tmp_path: Path) -> None:
    call = (
        f"w = bl.Writer({str(tmp_path)!r})\n"
        "with w:\n"
        "    w.put('before', b'x')\n"
        "    print('waiting', flush=True)\n"
        "    threading.Event().wait()"
    )
    assert seconds_until_interrupted("", 10**9, call, {}) < AT_ONCE_SECONDS
    assert (tmp_path / "before").exists()
