"""Mounts of the bucket `bench`: bucketline's, s3fs's and rclone's, each a process whose CPU and memory can be read."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from servers import Endpoint, stop

START_SECONDS = 120


@dataclass
class Mounted:
    folder: Path
    pid: int
    said: dict[str, Any] = field(default_factory=dict)  # bucketline's first line

    def cpu_seconds(self) -> float:
        """Of the process that serves the mount: the reader's own is the same for all."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self, name: str = "VmHWM") -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition(name + ":")[2].split()[0]) * 1024


@contextlib.contextmanager
def served(words: list[Any], folder: Path, environment: dict[str, str], says: bool) -> Iterator[Mounted]:
    """Runs the command that mounts `folder` in its foreground, and unmounts it whatever happens."""
    folder.mkdir()
    process = subprocess.Popen(
        list(map(str, words)),
        env=environment,
        stdout=subprocess.PIPE if says else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        said = json.loads(process.stdout.readline()) if process.stdout else {}
        deadline = time.monotonic() + START_SECONDS
        while not os.path.ismount(folder):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{words[0]} did not mount")
            time.sleep(0.01)
        yield Mounted(folder, process.pid, said)
    finally:
        stop(process)
        if os.path.ismount(folder):
            subprocess.run(["umount", "-l", folder], check=False)
        folder.rmdir()


def bucketline(program: Path, prefix: str, folder: Path, endpoint: Endpoint) -> Any:
    words = [program, "mount", f"s3://bench/{prefix}", folder, "--json"]
    return served(words, folder, endpoint.environment(), says=True)


def s3fs(prefix: str, folder: Path, endpoint: Endpoint) -> Any:
    options = f"url={endpoint.url},use_path_request_style,endpoint=us-east-1,ro"
    words = ["s3fs", f"bench:/{prefix.rstrip('/')}", folder, "-f", "-o", options]
    keys = {"AWSACCESSKEYID": endpoint.access_key_id, "AWSSECRETACCESSKEY": endpoint.secret_access_key}
    return served(words, folder, {**endpoint.environment(), **keys}, says=False)


def rclone(prefix: str, folder: Path, endpoint: Endpoint) -> Any:
    words = ["rclone", "mount", f":s3:bench/{prefix}", folder, "--read-only", "--config", os.devnull]
    settings = {
        "RCLONE_S3_PROVIDER": "Other",
        "RCLONE_S3_ENDPOINT": endpoint.url,
        "RCLONE_S3_ACCESS_KEY_ID": endpoint.access_key_id,
        "RCLONE_S3_SECRET_ACCESS_KEY": endpoint.secret_access_key,
        "RCLONE_S3_REGION": "us-east-1",
    }
    return served(words, folder, {**endpoint.environment(), **settings}, says=False)


def read_through(path: Path, chunk: int = 1 << 20) -> int:
    """Reads the file from its begin to its end; gives its bytes."""
    total, buffer = 0, bytearray(chunk)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            total += count
    return total


def in_threads(count: int, work: Callable[[int], int]) -> int:
    """The sum of work(0), ..., work(count - 1), each in a thread of its own."""
    results: list[int] = [0] * count

    def run(number: int) -> None:
        results[number] = work(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not all(results):
        raise RuntimeError("a reader failed")
    return sum(results)
