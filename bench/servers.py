"""Servers for benchmarks and Python tests: versitygw, the delay proxy in front of it, and `bucketline serve`."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

START_SECONDS = 120


@dataclass
class Endpoint:
    """Where an S3 server listens, and the keys to it."""

    url: str
    access_key_id: str
    secret_access_key: str

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **kept,
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
        }

    def at_port(self, port: int) -> Endpoint:
        return Endpoint(f"http://127.0.0.1:{port}", self.access_key_id, self.secret_access_key)


_leases: list[socket.socket] = []  # names of ports this process has, until it ends


def _ports_nobody_is_given() -> tuple[int, int]:
    """Outside of what the kernel gives to connections and to listeners on port 0."""
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    return max((10000, low - 1), (high + 1, 65535), key=lambda ends: ends[1] - ends[0])


def free_port() -> int:
    """A loopback port for a server to bind, which nobody else takes before it does.

    No connection gets it, and no other caller of this or of the C++ tests' FreePort does while this process lives.
    """
    low, high = _ports_nobody_is_given()
    for _ in range(1000):
        port = low + secrets.randbelow(high - low + 1)
        lease = socket.socket(socket.AF_UNIX)
        try:
            lease.bind(f"\0bucketline-port-{port}")
            with socket.socket() as listener:
                listener.bind(("127.0.0.1", port))
        except OSError:
            lease.close()
            continue
        _leases.append(lease)
        return port
    raise RuntimeError("no free loopback port")


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A loopback port which refuses connections, as it is bound but nobody listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])


def stop(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def versitygw(
    binary: str, folder: Path, *options: str, store_options: tuple[str, ...] = ()
) -> Iterator[Endpoint]:
    """versitygw over the buckets (folders) in `folder`; `store_options` are those of its store of files."""
    port, key, secret = free_port(), "bench" + secrets.token_hex(4), secrets.token_hex(20)
    process = subprocess.Popen(
        [
            binary,
            "--port",
            f"127.0.0.1:{port}",
            "--quiet",
            "--keep-alive",
            "--health",
            "/health",
            *options,
            "posix",
            *store_options,
            folder,
        ],
        env={**os.environ, "ROOT_ACCESS_KEY": key, "ROOT_SECRET_KEY": secret},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                    break
            except (urllib.error.URLError, OSError):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("versitygw did not start") from None
                time.sleep(0.05)
        yield Endpoint(f"http://127.0.0.1:{port}", key, secret)
    finally:
        stop(process)


@dataclass
class Proxied:
    """An endpoint behind the delay proxy; `cpu_seconds` is the proxy's own cost, known at the end."""

    endpoint: Endpoint
    cost: dict[str, float] = field(default_factory=dict)


@contextlib.contextmanager
def delayed(binary: Path, endpoint: Endpoint, *delay: str) -> Iterator[Proxied]:
    process = subprocess.Popen(
        [binary, "--to", endpoint.url.removeprefix("http://"), *delay],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout
    try:
        proxied = Proxied(endpoint.at_port(json.loads(process.stdout.readline())["port"]))
        yield proxied
        process.stdin.close()
        proxied.cost.update(json.loads(process.stdout.readline()))
        if process.wait(START_SECONDS) != 0:
            raise RuntimeError("the delay proxy failed")
    finally:
        stop(process)


@contextlib.contextmanager
def listed(binary: Path, objects: int) -> Iterator[Endpoint]:
    """A bucket "synthetic" of so many objects that can only be listed, by bucketline's own endpoint."""
    process = subprocess.Popen(
        [binary, str(objects)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin and process.stdout
    try:
        known = json.loads(process.stdout.readline())
        yield Endpoint(known["endpoint_url"], known["access_key_id"], known["secret_access_key"])
    finally:
        process.stdin.close()
        stop(process)


@contextlib.contextmanager
def serve(bucketline: Path, folder: Path, *options: str) -> Iterator[Endpoint]:
    """bucketline's own endpoint over the buckets (folders) in `folder`; options are faults, say."""
    process = subprocess.Popen(
        [bucketline, "serve", folder, "--json", *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        known = json.loads(process.stdout.readline())
        yield Endpoint(known["endpoint_url"], known["access_key_id"], known["secret_access_key"])
    finally:
        stop(process)
