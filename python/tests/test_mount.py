"""`bucketline mount` through the kernel: bytes, names, ends good and bad."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import DEADLINE_SECONDS, Command, Endpoint
from images import put_all

MIB = 1 << 20


class Mounted:
    """A running `bucketline mount`."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process = process
        self.folder = folder
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            assert process.stderr
            error = process.stderr.read()
            process.wait(DEADLINE_SECONDS)
            if "FUSE" in error or "refuses to mount" in error:
                pytest.skip(error.strip())
            pytest.fail(error)
        self.said: dict[str, Any] = json.loads(line)

    def peak_bytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def end(self, number: int = signal.SIGTERM) -> tuple[int, list[dict[str, Any]], str]:
        """Its exit code, the lines after the first, and what it said on standard error."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=DEADLINE_SECONDS)
        return self.process.returncode, [json.loads(line) for line in out.splitlines()], err


Mount = Callable[..., Any]


@pytest.fixture
def mount(on_versitygw: Command, tmp_path: Path) -> Iterator[Mount]:
    """mount(uri, *options) is a context; whatever happens, nothing stays mounted."""
    folder = tmp_path / "mounted"

    @contextmanager
    def start(uri: str, *options: object, command: Command = on_versitygw) -> Iterator[Mounted]:
        process = command.start("mount", uri, folder, "--json", *options)
        try:
            yield Mounted(process, folder)
        finally:
            if process.poll() is None:
                process.terminate()
                process.communicate(timeout=DEADLINE_SECONDS)

    yield start
    subprocess.run(["umount", "-l", folder], stderr=subprocess.DEVNULL, check=False)


@pytest.fixture
def objects(versitygw: Endpoint) -> tuple[str, dict[str, bytes]]:
    source = random.Random(1)
    contents = {f"{i // 10}/{i}.bin": source.randbytes(20_000 + i) for i in range(30)}
    contents["large.bin"] = source.randbytes(5 * MIB + 7)
    bucket = versitygw.new_bucket()
    put_all(versitygw, bucket, "data/", contents)
    return f"s3://{bucket}/data", contents


def test_every_byte_is_the_objects(mount: Mount, objects: tuple[str, dict[str, bytes]]) -> None:
    uri, contents = objects

    def read(seed: int) -> None:
        places = random.Random(seed)
        for _ in range(60):
            name, content = places.choice(list(contents.items()))
            offset = places.randrange(len(content))
            length = places.randrange(1, 300_000)
            file = os.open(at.folder / name, os.O_RDONLY)
            try:
                assert os.pread(file, length, offset) == content[offset : offset + length]
            finally:
                os.close(file)

    with mount(uri) as at:
        assert at.said["files"] == 31 and at.said["folders"] == 3
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(read, range(8)))
        names = {path.relative_to(at.folder).as_posix() for path in at.folder.rglob("*.bin")}
        assert names == set(contents)
        assert all((at.folder / name).read_bytes() == content for name, content in contents.items())
        code, lines, _ = at.end()
    assert code == 0
    assert lines[0]["failed_reads"] == 0 and lines[0]["bytes_read"] > 0
    assert not os.path.ismount(at.folder)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_is_read_ends_it_soon(
    mount: Mount, objects: tuple[str, dict[str, bytes]], number: int
) -> None:
    with mount(objects[0]) as at:
        script = 'while cat "$1"/*/*.bin "$1"/large.bin; do :; done'
        reader = subprocess.Popen(
            ["sh", "-c", script, "sh", at.folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        code, _, _ = at.end(number)
        reader.wait(DEADLINE_SECONDS)
    assert code == 0
    assert not os.path.ismount(at.folder)


def test_a_killed_mount_is_named_with_the_command_that_removes_it(
    mount: Mount, on_versitygw: Command, objects: tuple[str, dict[str, bytes]]
) -> None:
    with mount(objects[0]) as at:
        at.end(signal.SIGKILL)
    again = on_versitygw.run("mount", objects[0], at.folder)
    assert again.code == 1
    assert f"fusermount3 -u '{at.folder}'" in again.err
    subprocess.run(["fusermount3", "-u", at.folder], check=True)
    with mount(objects[0]) as at:
        assert at.said["files"] == 31


def test_unmounting_it_ends_the_command(mount: Mount, objects: tuple[str, dict[str, bytes]]) -> None:
    with mount(objects[0]) as at:
        subprocess.run(["fusermount3", "-u", at.folder], check=True)
        assert at.process.wait(DEADLINE_SECONDS) == 0


def test_an_object_that_was_replaced_is_an_error_for_its_reader(
    mount: Mount, versitygw: Endpoint, objects: tuple[str, dict[str, bytes]]
) -> None:
    uri, contents = objects
    bucket = uri.split("/")[2]
    with mount(uri) as at:
        versitygw.client().put_object(Bucket=bucket, Key="data/0/3.bin", Body=b"x" * len(contents["0/3.bin"]))
        with pytest.raises(OSError) as failure:
            (at.folder / "0/3.bin").read_bytes()
        assert failure.value.errno == errno.EIO
        assert (at.folder / "0/4.bin").read_bytes() == contents["0/4.bin"]
        _, lines, err = at.end()
    assert lines[0]["failed_reads"] >= 1
    assert [line for line in err.splitlines() if f"{uri}/0/3.bin" in line and "EIO" in line]


def test_keys_that_cannot_be_paths_are_reported(mount: Mount, bucketline: Command, tmp_path: Path) -> None:
    server = bucketline.start("serve", "--memory", "--bucket", "hostile", "--json")
    try:
        assert server.stdout
        known = json.loads(server.stdout.readline())
        endpoint = Endpoint(known["endpoint_url"], known["access_key_id"], known["secret_access_key"])
        bad = ["a//b", "a/./b", "c/", "w/p", "n" * 256] + [f"{i}//x" for i in range(4)]
        put_all(endpoint, "hostile", "p/", {key: b"x" for key in ["ok", "w", *bad]})
        command = bucketline.with_environment(endpoint.environment())
        report = tmp_path / "left-out"
        with mount("s3://hostile/p/", "--report", report, command=command) as at:
            assert at.said["left_out"] == len(bad)
            assert sorted(os.listdir(at.folder)) == ["ok", "w"]
            _, _, err = at.end()
        told = [json.loads(line) for line in report.read_text().splitlines()]
        assert {line["key"] for line in told} == {f"p/{key}" for key in bad}
        assert all(line["reason"] for line in told)
        assert err.count("left out") == 6 and f"{len(bad) - 5} more keys" in err
    finally:
        server.terminate()
        server.communicate(timeout=DEADLINE_SECONDS)


def test_memory_stays_within_what_was_given(mount: Mount, versitygw: Endpoint) -> None:
    bucket = versitygw.new_bucket()
    content = random.Random(2).randbytes(24 * MIB)
    put_all(versitygw, bucket, "", {f"{i}.bin": content for i in range(3)})
    with mount(f"s3://{bucket}/", "--memory", "32MiB") as at:
        before = at.peak_bytes()
        readers = [
            subprocess.Popen(["cmp", at.folder / f"{i}.bin", "-"], stdin=subprocess.PIPE) for i in range(3)
        ]
        for reader in readers:
            reader.communicate(content, timeout=DEADLINE_SECONDS)
        assert [reader.returncode for reader in readers] == [0, 0, 0]
        assert at.peak_bytes() - before <= 40 * MIB


def test_wrong_usage_says_what_is_wrong(
    on_versitygw: Command, objects: tuple[str, Any], tmp_path: Path
) -> None:
    uri = objects[0]
    assert on_versitygw.run("mount", uri).code == 2
    little = on_versitygw.run("mount", uri, tmp_path / "little", "--memory", "1MiB")
    assert little.code == 1 and "16.0 MiB" in little.err
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    full = on_versitygw.run("mount", uri, tmp_path / "full")
    assert full.code == 1 and "not empty" in full.err
    partial = on_versitygw.run("mount", uri[:-1], tmp_path / "partial")
    assert partial.code == 1 and 'end it with "/"' in partial.err
