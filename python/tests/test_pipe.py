"""`bucketline pipe` against a real S3 server, read as training containers read their channels."""

from __future__ import annotations

import gzip
import json
import os
import select
import signal
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import DEADLINE_SECONDS, Command, Endpoint, wait_until

OBJECTS = {f"data/train-{number}": bytes([number]) * (50_000 + number) for number in range(12)}


@pytest.fixture(scope="module")
def bucket(versitygw: Endpoint) -> str:
    name = versitygw.new_bucket()
    client = versitygw.client()
    lines = []
    for number, (key, data) in enumerate(OBJECTS.items()):
        client.put_object(Bucket=name, Key=key, Body=data)
        client.put_object(Bucket=name, Key=key.replace("data/", "gz/"), Body=gzip.compress(data))
        lines.append(json.dumps({"label": number, "source-ref": f"s3://{name}/{key}"}))
    client.put_object(Bucket=name, Key="lines", Body="\n".join(lines).encode())
    manifest = [{"prefix": f"s3://{name}/data/train-"}, "3", "1", "2"]
    client.put_object(Bucket=name, Key="manifest", Body=json.dumps(manifest).encode())
    return name


@contextmanager
def serving(command: Command, *words: object) -> Iterator[subprocess.Popen[str]]:
    process = command.start("pipe", *words, "--channel", "train")
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=DEADLINE_SECONDS)
    return process.returncode, out, err


def opened(path: Path) -> int:
    """As soon as the FIFO is there. Reading it never waits in open(), as its writer has it open."""
    wait_until(path.is_fifo, f"{path}")
    return os.open(path, os.O_RDONLY)


def read_to_end(path: Path) -> bytes:
    fd = opened(path)
    try:
        data = b""
        while True:
            ready, _, _ = select.select([fd], [], [], 60)  # ml-io gives up after as many seconds
            assert ready, f"nothing came from {path}"
            piece = os.read(fd, 64 << 10)
            if not piece:
                return data
            data += piece
    finally:
        os.close(fd)


def records(stream: bytes) -> list[bytes]:
    """RecordIO, by its description."""
    found = []
    while stream:
        magic, length = struct.unpack("<II", stream[:8])
        assert magic == 0xCED7230A
        assert length < 1 << 29
        found.append(stream[8 : 8 + length])
        assert not stream[8 + length : 8 + (length + 3) // 4 * 4].strip(b"\0")
        stream = stream[8 + (length + 3) // 4 * 4 :]
    return found


def epochs(
    command: Command, folder: Path, count: int, *words: object
) -> tuple[list[bytes], dict[str, object]]:
    with serving(command, *words[:1], folder, "--epochs", count, "--json", *words[1:]) as process:
        read = [read_to_end(folder / f"train_{epoch}") for epoch in range(count)]
        code, out, err = finished(process)
    assert code == 0, err
    assert not list(folder.iterdir())
    return read, json.loads(out)


def test_every_epoch_is_the_objects_in_order(on_versitygw: Command, bucket: str, tmp_path: Path) -> None:
    whole = b"".join(OBJECTS[key] for key in sorted(OBJECTS))
    read, summary = epochs(on_versitygw, tmp_path / "new" / "folder", 3, f"s3://{bucket}/data/tr")
    assert read == [whole] * 3
    assert summary["bytes"] == 3 * len(whole)
    assert (summary["epochs"], summary["epochs_left_early"], summary["pieces_per_epoch"]) == (3, 0, 12)


def test_hosts_share_a_shuffled_epoch_of_records(on_versitygw: Command, bucket: str, tmp_path: Path) -> None:
    shares = []
    for host in range(2):
        words = ("--recordio", "--shuffle", 7, "--host", f"{host}/2")
        read, _ = epochs(on_versitygw, tmp_path / str(host), 2, f"s3://{bucket}/data/", *words)
        shares.append([records(epoch) for epoch in read])
    for epoch in range(2):
        dealt = shares[0][epoch] + shares[1][epoch]
        assert sorted(dealt) == sorted(OBJECTS.values())
    assert shares[0][0] != shares[0][1]


def test_gzip_is_inflated(on_versitygw: Command, bucket: str, tmp_path: Path) -> None:
    read, _ = epochs(on_versitygw, tmp_path, 1, f"s3://{bucket}/gz/", "--gzip", "--memory", "1MiB")
    assert read == [b"".join(OBJECTS[key] for key in sorted(OBJECTS))]


def test_manifests(on_versitygw: Command, bucket: str, tmp_path: Path) -> None:
    listed, _ = epochs(on_versitygw, tmp_path, 1, f"s3://{bucket}/manifest", "--manifest")
    assert listed == [b"".join(OBJECTS[f"data/train-{number}"] for number in (3, 1, 2))]
    words = ("--augmented-manifest", "--attribute", "source-ref", "--attribute", "label", "--recordio")
    samples, _ = epochs(on_versitygw, tmp_path, 1, f"s3://{bucket}/lines", *words)
    expected: list[bytes] = []
    for number, data in enumerate(OBJECTS.values()):
        expected += [data, str(number).encode()]
    assert records(samples[0]) == expected


def test_readers_that_leave_early_go_on_with_the_next_epoch(
    on_versitygw: Command, bucket: str, tmp_path: Path
) -> None:
    with serving(on_versitygw, f"s3://{bucket}/data/", tmp_path, "--epochs", 3) as process:
        for epoch in range(2):
            fd = opened(tmp_path / f"train_{epoch}")
            os.close(fd)
        assert len(read_to_end(tmp_path / "train_2")) == sum(map(len, OBJECTS.values()))
        code, out, _ = finished(process)
    assert code == 0
    assert "epochs: 1 whole, 2 left early; 12 pieces each" in out


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_endless_channel_ends_on_a_signal(
    on_versitygw: Command, bucket: str, tmp_path: Path, stop: signal.Signals
) -> None:
    with serving(on_versitygw, f"s3://{bucket}/data/", tmp_path) as process:
        read_to_end(tmp_path / "train_0")
        process.send_signal(stop)
        code, out, err = finished(process)
    assert (code, err) == (0, "")
    assert "epochs: 1 whole, 0 left early" in out
    assert not list(tmp_path.iterdir())


def test_a_signal_within_an_epoch_is_told(on_versitygw: Command, bucket: str, tmp_path: Path) -> None:
    big = f"s3://{bucket}/big/"
    on_versitygw.done("put", folder_of(tmp_path / "big", 8_000_000), big)
    with serving(on_versitygw, big, tmp_path / "fifos") as process:
        fd = opened(tmp_path / "fifos" / "train_0")
        assert os.read(fd, 10)
        process.send_signal(signal.SIGINT)
        code, _, err = finished(process)
        os.close(fd)
    assert code == 130
    assert "not all of it" in err


def folder_of(folder: Path, size: int) -> Path:
    folder.mkdir()
    (folder / "one").write_bytes(bytes(size))
    return folder


def test_a_reader_never_takes_a_failure_for_the_end(
    on_versitygw: Command, versitygw: Endpoint, tmp_path: Path
) -> None:
    bucket = versitygw.new_bucket()
    client = versitygw.client()
    client.put_object(Bucket=bucket, Key="p/1", Body=b"as it was listed")
    with serving(on_versitygw, f"s3://{bucket}/p/", tmp_path) as process:
        wait_until((tmp_path / "train_0").is_fifo, "the FIFO")
        client.put_object(Bucket=bucket, Key="p/1", Body=b"what replaced it")
        fd = opened(tmp_path / "train_0")
        assert process.stderr
        told = process.stderr.readline() + process.stderr.readline()
        assert not select.select([fd], [], [], 0)[0]  # neither bytes nor an end
        assert process.poll() is None
        os.close(fd)
        code, _, err = finished(process)
    assert code == 1
    assert f"s3://{bucket}/p/1" in told
    assert "kept waiting" in told
    assert f"s3://{bucket}/p/1" in err
    assert not list(tmp_path.iterdir())


def test_wrong_usage(bucketline: Command, tmp_path: Path) -> None:
    for words, said in (
        (("--channel", "a/b"), "1 to 64"),
        (("--channel", "a", "--host", "2/2"), "i from 0 to n - 1"),
        (("--channel", "a", "--augmented-manifest"), "--attribute"),
        (("--channel", "a", "--attribute", "x"), "--augmented-manifest"),
        (("--channel", "a", "--manifest", "--augmented-manifest", "--attribute", "x"), "excludes"),
        ((), "--channel"),
    ):
        outcome = bucketline.run("pipe", "s3://bucket/", tmp_path, *words)
        assert outcome.code == 2, words
        assert said in outcome.err


def test_a_file_in_the_way_is_an_error(on_versitygw: Command, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "train_0").write_text("")
    outcome = on_versitygw.run("pipe", f"s3://{bucket}/data/", tmp_path, "--channel", "train")
    assert outcome.code == 1
    assert "train_0" in outcome.err
    assert "remove it" in outcome.err
