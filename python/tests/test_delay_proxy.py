"""The benchmarks' delay proxy: it changes no byte, and it keeps back the first byte of every answer and no other."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
from conftest import ROOT, missing

SECONDS = 300


def proxy_binary() -> Path:
    binary = Path(os.environ.get("BUCKETLINE_BUILD_DIR", ROOT / "build" / "release")) / "bin" / "delay_proxy"
    if not binary.exists():
        missing(f"{binary} is not built")
    return binary


def answer(connection: socket.socket) -> None:
    """Echoes each message (4 bytes of length first) with every byte turned over."""
    with connection, connection.makefile("rb") as stream:
        while header := stream.read(4):
            body = stream.read(int.from_bytes(header, "big"))
            connection.sendall(header + bytes(255 - byte for byte in body))


@pytest.fixture
def echo() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]


def delayed(target: int, *delay: str) -> contextlib.AbstractContextManager[servers.Proxied]:
    return servers.delayed(proxy_binary(), servers.Endpoint(f"http://127.0.0.1:{target}", "", ""), *delay)


def port_of(proxied: servers.Proxied) -> int:
    return int(proxied.endpoint.url.rpartition(":")[2])


def exchange(port: int, body: bytes, turns: int = 1) -> list[float]:
    """Seconds to the first byte of each answer; the answers are checked."""
    seconds = []
    with (
        socket.create_connection(("127.0.0.1", port), SECONDS) as connection,
        connection.makefile("rb") as stream,
    ):
        for _ in range(turns):
            start = time.monotonic()
            connection.sendall(len(body).to_bytes(4, "big") + body)
            header = stream.read(4)
            seconds.append(time.monotonic() - start)
            assert int.from_bytes(header, "big") == len(body)
            assert stream.read(len(body)) == bytes(255 - byte for byte in body)
    return seconds


def test_every_answer_of_a_connection_waits(echo: int) -> None:
    with delayed(echo, "--delay", "80ms") as proxied:
        seconds = exchange(port_of(proxied), b"x" * 100, turns=3)
    assert all(second >= 0.08 for second in seconds), seconds
    assert proxied.cost["turns"] == 3
    assert proxied.cost["bytes"] == 3 * 2 * 104


def test_the_bytes_are_the_same_however_many(echo: int) -> None:
    with delayed(echo) as proxied:
        exchange(port_of(proxied), os.urandom(5_000_000), turns=2)
    assert proxied.cost["bytes"] == 2 * 2 * 5_000_004


def test_delays_run_side_by_side(echo: int) -> None:
    with delayed(echo, "--delay", "2s") as proxied:
        start = time.monotonic()
        clients = [threading.Thread(target=exchange, args=(port_of(proxied), b"y")) for _ in range(20)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(SECONDS)
        assert time.monotonic() - start < 20 * 2
    assert proxied.cost["turns"] == 20


def test_a_lognormal_tail_is_drawn_anew_each_time(echo: int) -> None:
    with delayed(echo, "--median", "20ms", "--p99", "320ms", "--seed", "3") as proxied:
        seconds = exchange(port_of(proxied), b"z", turns=40)
    assert max(seconds) > 2 * min(seconds)


def test_a_target_that_is_no_address_is_refused() -> None:
    done = subprocess.run(
        [proxy_binary(), "--to", "nowhere"], capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 1
    assert "127.0.0.1:9000" in done.stderr
