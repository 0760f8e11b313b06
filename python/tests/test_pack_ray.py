"""Packs whose shards are tasks of a real Ray cluster: the same bytes as of one process, whatever happens to the workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import servers
from conftest import Command, run_python, wait_until
from images import jpeg
from ray_cluster import RayCluster, ray_cluster

import bucketline as bl

COUNT = 40
SHARD = 12_000  # bytes: two records or three


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of buckets; "raw" holds the images."""
    root = tmp_path_factory.mktemp("buckets")
    for i in range(COUNT):
        path = root / "raw" / ("cat", "dog")[i % 2] / f"{i:03}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(i, size=64))
    return root


@pytest.fixture(scope="module")
def cluster(bucketline: Command, build_dir: Path, folder: Path) -> Iterator[RayCluster]:
    """Its workers find a slow store with those buckets."""
    with (
        servers.serve(bucketline.binary, folder) as endpoint,
        servers.delayed(build_dir / "bin" / "delay_proxy", endpoint, "--delay", "200ms") as slow,
        ray_cluster(**slow.endpoint.environment()) as started,
    ):
        yield started


def shards(place: Path) -> dict[str, str]:
    """What was written: a digest says enough of bytes that differ."""
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in place.glob("shard-*.tar")}
    assert found
    return found


PACK = """
import json, sys
import bucketline as bl
raw, out, address, connected, shard = sys.argv[1:]
told = []
if connected == "connected":
    import ray
    ray.init(address=address)
    address = None
dataset = bl.Dataset(raw, labels="folder").filter(lambda key: not key.endswith("007.jpg"))
report = bl.pack(dataset, out, shard_size=int(shard), parallel=2, ray=True, ray_address=address,
                 progress=lambda records, size: told.append((records, size)))
print(json.dumps({**report.__dict__, "told": told}))
if connected == "connected":
    assert ray.is_initialized()
else:
    import ray
    assert not ray.is_initialized()
"""


@pytest.mark.parametrize("connected", ["connected", "by itself"])
def test_its_bytes_are_those_of_one_process(
    cluster: RayCluster, folder: Path, tmp_path: Path, connected: str
) -> None:
    raw, out = folder / "raw", tmp_path / "ray"
    done = json.loads(cluster.python(PACK, raw, out, cluster.address, connected, SHARD))
    dataset = bl.Dataset(raw, labels="folder").filter(lambda key: not key.endswith("007.jpg"))
    alone = bl.pack(dataset, tmp_path / "alone", shard_size=SHARD)
    assert shards(out) == shards(tmp_path / "alone")
    assert (done["records"], done["shards"], done["kept_shards"]) == (COUNT - 1, alone.shards, 0)
    assert (done["bytes_read"], done["bytes_written"]) == (alone.bytes_read, alone.bytes_written)
    assert done["told"] and done["told"][-1] == [COUNT - 1, alone.bytes_read]
    packed = bl.Dataset(done["index"])
    assert list(packed.keys) == list(dataset.keys) and packed.classes == ["cat", "dog"]
    again = json.loads(cluster.python(PACK, raw, out, cluster.address, connected, SHARD))
    assert (again["kept_shards"], again["bytes_read"]) == (alone.shards, 0)


def test_a_task_whose_worker_is_killed_is_done_again(cluster: RayCluster, tmp_path: Path) -> None:
    code = """
import sys, bucketline as bl
out, shard, ray = sys.argv[1:]
print(bl.pack("s3://raw/", out, shard_size=int(shard), parallel=1, ray=ray == "ray").shards)
"""
    count = int(cluster.python(code, tmp_path / "alone", SHARD, "alone"))
    words = [sys.executable, "-c", code, str(tmp_path / "ray"), str(SHARD), "ray"]
    process = subprocess.Popen(
        words, env=cluster.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: cluster.workers() or process.poll() is not None, "a task", 120)
    victims = cluster.workers()
    assert victims, "it was too fast to be killed"
    os.kill(victims[0], signal.SIGKILL)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    made = shards(tmp_path / "ray")
    assert made == shards(tmp_path / "alone") and len(made) == count


def test_what_a_task_raises_is_raised_here(cluster: RayCluster, folder: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    for i in range(6):
        (raw / f"{i}.jpg").write_bytes(b"this is no image" if i == 4 else jpeg(i, size=64))
    code = """
import sys, bucketline as bl
try:
    bl.pack(sys.argv[1], sys.argv[2], shard_size=12000, resize=16, ray=True)
except bl.CorruptDataError as error:
    print(error.uri)
report = bl.pack(sys.argv[1], sys.argv[2], shard_size=12000, resize=16, ray=True, on_error="skip", max_skipped=0.5)
print(report.records, report.skipped, report.bad[0][0])
"""
    lines = cluster.python(code, raw, tmp_path / "out").splitlines()
    assert lines[0].endswith("raw/4.jpg")
    assert lines[1].startswith("5 1 ") and lines[1].endswith("raw/4.jpg")


def test_the_command(cluster: RayCluster, folder: Path, tmp_path: Path, bucketline: Command) -> None:
    raw = folder / "raw"
    environment = {**cluster.environment, "BUCKETLINE_PYTHON": sys.executable}
    command = Command(bucketline.binary, bucketline.home, environment)
    words = ("pack", raw, tmp_path / "ray", "--labels", "folder", "--shard-size", SHARD)
    done = json.loads(command.done(*words, "--ray", "--ray-cpus", 2, "--json", timeout=300).out)
    alone = json.loads(bucketline.done("pack", raw, tmp_path / "alone", *words[3:], "--json").out)
    assert done.keys() == alone.keys()
    same = ("records", "skipped", "shards", "kept_shards", "bytes_read", "bytes_written", "shard_bytes")
    assert {name: done[name] for name in same} == {name: alone[name] for name in same}
    assert shards(tmp_path / "ray") == shards(tmp_path / "alone")
    text = command.done(*words, "--ray", timeout=300).out
    assert f"{COUNT} records in {done['shards']} shards" in text and "were there" in text
    other = command.run(*words, "--format", "mds", "--ray", "--json", timeout=300)
    assert other.code == 1 and json.loads(other.out)["error"] and "another pack is here" in other.err
    assert not list(Path(os.environ.get("TMPDIR", "/tmp")).glob("bucketline-ray-*"))


WITHOUT = """
import sys
sys.modules["ray"] = None
import bucketline as bl
try:
    bl.pack(sys.argv[1], sys.argv[2], ray=True)
except bl.UnsupportedError as error:
    print(error)
"""


def test_without_ray_it_names_the_package(folder: Path, tmp_path: Path, bucketline: Command) -> None:
    said = run_python(WITHOUT, folder / "raw", tmp_path / "out")
    assert "needs the package ray" in said and "pip install 'bucketline[ray]'" in said
    assert not (tmp_path / "out").exists()
    for python, says in (
        ("/no/such/python", "/no/such/python cannot be run"),
        ("/usr/bin/env", "pip install 'bucketline[ray]'"),
    ):
        if python == "/usr/bin/env":  # any Python without the package
            lacking = tmp_path / "python"
            lacking.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
            lacking.chmod(0o755)
            python = str(lacking)
        command = bucketline.with_environment({"BUCKETLINE_PYTHON": python})
        refused = command.run("pack", folder / "raw", tmp_path / "out", "--ray")
        assert refused.code == 1 and says in refused.err and "bucketline[ray]" in refused.err


def test_options_that_do_not_go_together(folder: Path, tmp_path: Path, bucketline: Command) -> None:
    with pytest.raises(bl.InvalidArgumentError, match="give no shards= with it"):
        bl.pack(folder / "raw", tmp_path / "out", ray=True, shards="0/2")
    with pytest.raises(bl.InvalidArgumentError, match="ray_address is of ray=True"):
        bl.pack(folder / "raw", tmp_path / "out", ray_address="auto")
    with pytest.raises(bl.InvalidArgumentError, match="ray_cpus must be"):
        bl.pack(folder / "raw", tmp_path / "out", ray=True, ray_cpus=0)
    words = ("pack", folder / "raw", tmp_path / "out")
    assert bucketline.run(*words, "--ray", "--shards", "0/2").code == 2
    assert bucketline.run(*words, "--ray-address", "auto").code == 2
    refused = bucketline.run(*words, "--ray", "--max-attempts", 3)
    assert refused.code == 1 and "leave the others out" in refused.err
