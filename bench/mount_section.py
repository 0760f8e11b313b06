"""`bucketline mount` beside s3fs and rclone."""

from __future__ import annotations

import os
import random
import shutil
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import mounts
import servers
from measuring import MIB, Run

LARGE = 256 * MIB
SHARD, SHARDS = 32 * MIB, 16
VAST = 8 << 30  # beyond what a contender may fetch whole
SMALL, SMALL_FILES = 100_000, 200
READERS, READS, READ = 8, 24, 128 << 10
MANY = 100_000
Make = Callable[[str, Path, servers.Endpoint], AbstractContextManager[mounts.Mounted]]
OTHERS: dict[str, Make] = {"s3fs": mounts.s3fs, "rclone": mounts.rclone}


def mount(run: Run) -> None:
    """CPU, throughput and memory of mounts; readers are the same for all, caches of the kernel are cold."""
    folder = run.work / "buckets" / "bench" / "mount"
    folder.mkdir()
    (folder / "large.bin").write_bytes(os.urandom(LARGE))
    with (folder / "vast.bin").open("wb") as vast:
        vast.truncate(VAST)
    for number in range(SHARDS):
        (folder / f"shard-{number}.bin").write_bytes(os.urandom(SHARD))
    for number in range(SMALL_FILES):
        (folder / f"small-{number:04}.bin").write_bytes(os.urandom(SMALL))
    contenders: dict[str, Make] = {"bucketline": partial(mounts.bucketline, run.bucketline)}
    for name, make in OTHERS.items():
        if shutil.which(name):
            contenders[name] = make
        else:
            run.add(f"{name}", "not installed")
    figures = {name: measure(run, make) for name, make in contenders.items()}
    for name, of in figures.items():
        run.add(
            name,
            f"{of['cpu']:.2f} s CPU a GB; {of['near']:.0f} MB/s; at 50 ms {of['one']:.0f} MB/s one file, "
            f"{of['sequential']:.0f} MB/s shards, "
            f"{of['random']:.1f} MB/s random, {of['small']:.0f} small files/s; {of['memory'] / MIB:.0f} MiB",
        )
    judge(run, figures)
    many(run)


def measure(run: Run, make: Make) -> dict[str, float]:
    near, cpu, one, far = [], [], [], []
    small, memory, randoms = [], [], []
    for _ in range(3):
        with (
            run.delayed("--delay", "0ms") as proxied,
            make("mount/", run.work / "mounted", proxied.endpoint) as at,
        ):
            seconds, cost = timed(at, partial(mounts.read_through, at.folder / "large.bin"))
            near.append(LARGE / seconds / 1e6)
            cpu.append(cost / LARGE * 1e9)
    with run.delayed("--delay", "50ms") as proxied:
        for _ in range(2):
            with make("mount/", run.work / "mounted", proxied.endpoint) as at:
                seconds, _ = timed(at, partial(mounts.read_through, at.folder / "large.bin"))
                one.append(LARGE / seconds / 1e6)
            with make("mount/", run.work / "mounted", proxied.endpoint) as at:
                seconds, _ = timed(at, partial(read_shards, at.folder))
                far.append(SHARDS * SHARD / seconds / 1e6)
                memory.append(at.memory_bytes())
        with make("mount/", run.work / "mounted", proxied.endpoint) as at:
            seconds, _ = timed(at, partial(read_randomly, at.folder / "vast.bin"))
            randoms.append(READERS * READS * READ / seconds / 1e6)
        with make("mount/", run.work / "mounted", proxied.endpoint) as at:
            seconds, _ = timed(at, partial(read_small, at.folder))
            small.append(SMALL_FILES / seconds)
    return {
        "cpu": statistics.median(cpu),
        "near": statistics.median(near),
        "one": max(one),
        "sequential": max(far),
        "random": max(randoms),
        "small": max(small),
        "memory": max(memory),
    }


def timed(at: mounts.Mounted, work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds of the work, and of the mount's CPU."""
    cpu, start = at.cpu_seconds(), time.monotonic()
    work()
    return time.monotonic() - start, at.cpu_seconds() - cpu


def read_randomly(path: Path) -> None:
    def reader(number: int) -> int:
        places = random.Random(number)
        file = os.open(path, os.O_RDONLY)
        try:
            return sum(
                len(os.pread(file, READ, places.randrange(0, (VAST - READ) // 4096) * 4096))
                for _ in range(READS)
            )
        finally:
            os.close(file)

    mounts.in_threads(READERS, reader)


def read_shards(folder: Path) -> None:
    for number in range(SHARDS):
        mounts.read_through(folder / f"shard-{number}.bin")


def read_small(folder: Path) -> None:
    for path in sorted(folder.glob("small-*.bin")):
        path.read_bytes()


def judge(run: Run, figures: dict[str, dict[str, float]]) -> None:
    ours = figures["bucketline"]
    others = [of for name, of in figures.items() if name != "bucketline"]
    if not others:
        return
    cpu = ours["cpu"] / min(of["cpu"] for of in others)
    run.add("CPU / the least of the others'", f"{cpu:.2f}", "<= 0.5", cpu <= 0.5)
    for what, label, least in (
        ("one", "one file of 256 MiB at 50 ms", None),
        ("sequential", "16 shards of 32 MiB, one after another, at 50 ms", 3),
        ("random", "random 128 KiB by 8 readers at 50 ms", 2),
        ("small", "200 files of 100 KB in their order at 50 ms", 3),
    ):
        times = ours[what] / max(of[what] for of in others)
        target, holds = (f">= {least}", times >= least) if least else ("", None)
        run.add(f"{label} / the best of the others", f"{times:.1f}", target, holds)


def many(run: Run) -> None:
    """What a mount of many objects holds, and how soon it answers."""
    buckets = run.work / "mount-many"
    folder = buckets / "bench" / "many"
    folder.mkdir(parents=True)
    # Copies, not links of one file: a hundred thousand links are more than file systems give one inode.
    for number in range(MANY):
        path = (
            folder / f"training-set-{number // 1000:04}" / f"image-{number:08}-of-the-camera-in-the-hall.jpg"
        )
        if number % 1000 == 0:
            path.parent.mkdir()
        if number < 10:
            path.write_bytes(b"x" * 1000)
            first = path
        else:
            os.link(
                folder / "training-set-0000" / f"image-{number % 10:08}-of-the-camera-in-the-hall.jpg", path
            )
    with servers.serve(run.bucketline, buckets) as endpoint:
        with mounts.bucketline(
            run.bucketline, "many/training-set-0000/", run.work / "mounted", endpoint
        ) as at:
            few = at.memory_bytes("VmRSS")
        with mounts.bucketline(run.bucketline, "many/", run.work / "mounted", endpoint) as at:
            start = time.monotonic()
            (at.folder / first.relative_to(folder)).read_bytes()
            seconds = time.monotonic() - start + at.said["mount_seconds"]
            listed = sum(len(files) for _, _, files in os.walk(at.folder))
            memory = (at.memory_bytes("VmRSS") - few) / (MANY - 1000)
    if listed != MANY:
        raise RuntimeError(f"the mount lists {listed} files")
    run.add(
        "memory an object, 100,000 of them, all listed", f"{memory:.0f} bytes", "<= 128 bytes", memory <= 128
    )
    run.add("first byte after the listing's end", f"{seconds:.2f} s", "<= 2 s", seconds <= 2)
