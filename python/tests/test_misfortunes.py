"""Data that changes or lies while it is used, and a machine that has no room: one clear line, nothing hanging."""

from __future__ import annotations

import json
import resource
import signal
import struct
import subprocess
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread

import pytest
from conftest import DEADLINE_SECONDS, Command, Endpoint
from http_server import HttpServer
from images import jpeg, labelled_objects, put_all
from test_cli_errors import assert_one_line


@pytest.fixture
def bucket(versitygw: Endpoint) -> str:
    name = versitygw.new_bucket()
    put_all(versitygw, name, "images/", labelled_objects(8))
    return name


def png_bomb(side: int) -> bytes:
    """A few hundred bytes that claim side x side pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def test_a_png_bomb_is_named_and_costs_no_memory(
    on_versitygw: Command, versitygw: Endpoint, bucket: str
) -> None:
    versitygw.client().put_object(Bucket=bucket, Key="images/bright/bomb.png", Body=png_bomb(65_500))
    outcome = on_versitygw.run("bench", f"s3://{bucket}/images/", "--batch-size", 3)
    assert outcome.code == 1
    assert_one_line(outcome.err, f"s3://{bucket}/images/bright/bomb.png", "65500 x 65500")
    skipped = on_versitygw.done(
        "bench",
        f"s3://{bucket}/images/",
        "--on-error",
        "mask",
        "--max-skipped",
        0.2,
        "--batch-size",
        3,
        "--json",
    )
    report = json.loads(skipped.out.splitlines()[-1])
    assert report["masked"] == 1
    assert report["peak_rss_bytes"] < 300 << 20


def test_an_empty_object_among_images_is_none(
    on_versitygw: Command, versitygw: Endpoint, bucket: str
) -> None:
    versitygw.client().put_object(Bucket=bucket, Key="images/dark/empty.jpg", Body=b"")
    report = json.loads(
        on_versitygw.done("bench", f"s3://{bucket}/images/", "--batch-size", 2, "--json").out.splitlines()[-1]
    )
    assert report["images"] == 8


def test_an_empty_object_is_read_as_one(
    on_versitygw: Command, versitygw: Endpoint, bucket: str, tmp_path: Path
) -> None:
    versitygw.client().put_object(Bucket=bucket, Key="notes/empty.txt", Body=b"")
    on_versitygw.done("get", f"s3://{bucket}/notes/", "--to", tmp_path)
    assert (tmp_path / "empty.txt").read_bytes() == b""


@pytest.fixture
def manifest(on_versitygw: Command, bucket: str, tmp_path: Path) -> Path:
    path = tmp_path / "saved.manifest"
    on_versitygw.done("index", f"s3://{bucket}/images/", "--output", path)
    return path


def test_an_object_deleted_after_listing(
    on_versitygw: Command, versitygw: Endpoint, bucket: str, manifest: Path
) -> None:
    versitygw.client().delete_object(Bucket=bucket, Key="images/dark/0002.jpg")
    outcome = on_versitygw.run(
        "bench", manifest, "--on-error", "skip"
    )  # no fault of its bytes: never skipped
    assert outcome.code == 1
    assert_one_line(outcome.err, f"s3://{bucket}/images/dark/0002.jpg")


def test_an_object_replaced_after_listing(
    on_versitygw: Command, versitygw: Endpoint, bucket: str, manifest: Path
) -> None:
    versitygw.client().put_object(Bucket=bucket, Key="images/dark/0002.jpg", Body=jpeg(99))
    outcome = on_versitygw.run("bench", manifest, "--on-error", "mask")
    assert outcome.code == 1
    assert_one_line(outcome.err, f"s3://{bucket}/images/dark/0002.jpg", "changed", "list")


def test_a_damaged_manifest(on_versitygw: Command, manifest: Path) -> None:
    whole = manifest.read_bytes()
    manifest.write_bytes(whole[: len(whole) // 2])
    outcome = on_versitygw.run("bench", manifest)
    assert outcome.code == 1
    assert_one_line(outcome.err, str(manifest))


def test_a_disk_without_room(on_versitygw: Command, bucket: str, tmp_path: Path) -> None:
    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    process = on_versitygw.start(
        "get", f"s3://{bucket}/images/", "--to", tmp_path / "out", preexec_fn=no_room, restore_signals=False
    )
    _, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 1
    *objects, summary = err.splitlines()
    assert len(objects) == 8
    for line in objects:
        assert_one_line(line, str(tmp_path / "out"), "cannot write")
    assert "8 of 8 objects failed" in summary
    left = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert left == []  # nothing half-written stands under a final name, or under any other


FULL = Path("/dev/full")  # every write fails as on a disk without room


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_quarantine_file_without_room(
    on_versitygw: Command, versitygw: Endpoint, bucket: str, tmp_path: Path
) -> None:
    versitygw.client().put_object(Bucket=bucket, Key="images/dark/cut.jpg", Body=jpeg(1)[:300])
    masked = ("bench", f"s3://{bucket}/images/", "--batch-size", 3, "--on-error", "mask", "--max-skipped", 1)
    on_versitygw.done(*masked, "--quarantine", tmp_path / "bad.jsonl")
    assert json.loads((tmp_path / "bad.jsonl").read_text())["uri"].endswith("/dark/cut.jpg")
    outcome = on_versitygw.run(*masked, "--quarantine", FULL)
    assert outcome.code == 1
    assert_one_line(outcome.err, str(FULL), "no space left")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_an_output_without_room(on_versitygw: Command, bucket: str) -> None:
    with FULL.open("w") as full:
        process = subprocess.run(
            [on_versitygw.binary, "ls", f"s3://{bucket}/images/"],
            env=on_versitygw.full_environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=DEADLINE_SECONDS,
        )
    assert process.returncode == 1
    assert_one_line(process.stderr, "standard output")


class Proxy(BaseHTTPRequestHandler):
    """Answers as a captive portal does."""

    def do_GET(self) -> None:  # noqa: N802
        page = b"<html><body>Please log in to the network</body></html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def portal() -> Iterator[str]:
    with HttpServer(("127.0.0.1", 0), Proxy) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_proxy_that_answers_html(on_versitygw: Command, portal: str, manifest: Path) -> None:
    listing = on_versitygw.run("ls", "s3://images/", "--endpoint-url", portal, "--max-attempts", 2)
    assert listing.code == 1
    assert_one_line(listing.err, "s3://images/", "not")
    reading = on_versitygw.run("bench", manifest, "--endpoint-url", portal, "--max-attempts", 2)
    assert reading.code == 1
    assert_one_line(reading.err, "s3://")
