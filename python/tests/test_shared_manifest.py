"""A manifest in a bucket is read once a machine, and mapped by all processes there."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import scripted_bucket
import servers
from conftest import Command, wait_until

RECORDS = 100_000

# Tells what it read; then, when all are there, how its mapping of the copy is shared.
OPENS = """
import json, logging, os, sys
logging.basicConfig(stream=sys.stderr)
if len(sys.argv) > 2:  # what files may be large
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
import bucketline as bl
runtime = bl.Runtime()
dataset = bl.Dataset(sys.argv[1], runtime=runtime)
last = dataset.keys[:][-1]  # all of it is touched
stats = runtime.stats()
print(json.dumps({"records": len(dataset), "last": last, "bytes": stats["bytes_read"]}), flush=True)
sys.stdin.readline()
figures, ours = {}, False
for line in open("/proc/self/smaps"):
    first = line.split()[0]
    if not first.endswith(":"):
        ours = "/copy-" in line
    elif ours and line.rstrip().endswith("kB"):
        figures[first[:-1]] = figures.get(first[:-1], 0) + int(line.split()[1])
print(json.dumps(figures), flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def folder(bucketline: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("buckets")
    (root / "b").mkdir()
    make_manifest(bucketline, root / "b" / "big.manifest", RECORDS)
    assert (root / "b" / "big.manifest").stat().st_size > 2 * 2**20
    return root


def make_manifest(bucketline: Command, path: Path, records: int) -> None:
    """Of objects that nobody will read."""
    draws = random.Random(1)
    keys = sorted({f"p/{draws.getrandbits(128):032x}.jpg" for _ in range(records)})
    with scripted_bucket.serve(scripted_bucket.ManyKeys({}, keys=keys)) as bucket:
        command = bucketline.with_environment(bucket.environment())
        command.done("index", "s3://many/p/", "--output", path)


@pytest.fixture
def environment(bucketline: Command, folder: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    with servers.serve(bucketline.binary, folder) as endpoint:
        yield {**os.environ, **endpoint.environment(), "TMPDIR": str(tmp_path)}


def copies(tmp_path: Path) -> list[Path]:
    return list((tmp_path / f"bucketline-{os.geteuid()}").glob("copy-*"))


def start(environment: dict[str, str], *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OPENS, "s3://b/big.manifest", *map(str, words)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def line(process: subprocess.Popen[str]) -> dict[str, int]:
    assert process.stdout is not None
    text = process.stdout.readline()
    assert text, process.communicate(timeout=30)[1]
    figures: dict[str, int] = json.loads(text)
    return figures


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_processes_read_it_once_and_share_its_pages(
    environment: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    size = (folder / "b" / "big.manifest").stat().st_size
    processes = [start(environment) for _ in range(3)]
    try:
        opened = [line(process) for process in processes]
        assert {figures["records"] for figures in opened} == {RECORDS}
        assert len({figures["last"] for figures in opened}) == 1
        read = sorted(figures["bytes"] for figures in opened)
        assert size <= read[2] < 1.1 * size and read[1] < 0.01 * size, "one reads, the others look"
        (copy,) = copies(tmp_path)
        assert copy.stat().st_size == size and copy.stat().st_mode & 0o777 == 0o600
        for process in processes:
            go_on(process)
        for figures in [line(process) for process in processes]:
            assert figures["Rss"] * 1024 >= 0.9 * size, "all of it was touched"
            assert figures["Private_Clean"] == figures["Private_Dirty"] == 0, "its pages are shared"
            assert figures["Pss"] <= figures["Rss"] / 2
    finally:
        for process in processes:
            process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0, 0]


def test_a_killed_reader_leaves_nothing_wrong(
    bucketline: Command, build_dir: Path, folder: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    with (
        servers.serve(bucketline.binary, folder) as endpoint,
        servers.delayed(build_dir / "bin" / "delay_proxy", endpoint, "--delay", "500ms") as slow,
    ):
        slowly = {**environment, **slow.endpoint.environment()}
        first = start(slowly)
        wait_until(lambda: copies(tmp_path), "a copy begun", 60)
        waiting = start(slowly)
        first.send_signal(signal.SIGKILL)
        first.communicate(timeout=30)
        assert [path.suffix for path in copies(tmp_path)] == [".new"], "it was too fast to be killed"
        assert line(waiting)["records"] == RECORDS
        waiting.communicate(timeout=60)
    assert [path.suffix for path in copies(tmp_path)] == [""]


def test_without_room_for_a_file_it_is_read_all_the_same(
    environment: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    process = start(environment, 100_000)
    figures = line(process)
    assert figures["records"] == RECORDS
    go_on(process)
    assert line(process) == {}, "nothing is mapped"
    _, err = process.communicate(timeout=60)
    assert "big.manifest is read into the memory of this process alone" in err
    assert "find room for a copy" in err and copies(tmp_path) == []


def test_a_new_manifest_is_another_copy(
    bucketline: Command, environment: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    old = start(environment)
    assert line(old)["records"] == RECORDS
    before = copies(tmp_path)
    target = folder / "b" / "big.manifest"
    kept = target.read_bytes()
    try:
        make_manifest(bucketline, target, RECORDS // 2)
        new = start(environment)
        assert line(new)["records"] == RECORDS // 2
        assert len(copies(tmp_path)) == 1 and copies(tmp_path) != before
        go_on(old)
        assert line(old)["Rss"] > 0
        for process in (old, new):
            process.communicate(timeout=60)
            assert process.returncode == 0
    finally:
        target.write_bytes(kept)
