"""Pipe channels: how much of what a FIFO and the network can carry comes through."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import statistics
import subprocess
import time
from pathlib import Path

from measuring import DEADLINE_SECONDS, MIB, TRANSFERS, Run

READ = 256 << 10
START_SECONDS = 120


def pipe(run: Run) -> None:
    """One epoch into a reader that drops it, beside a writer from memory and a download that is dropped."""
    for name, objects, size, label in TRANSFERS:
        run.fill(name, objects, size)
        rates: dict[str, list[float]] = {"pipe": [], "memory": [], "get": []}
        cpu = []
        for _ in range(5):
            seconds, came, used = through_the_channel(run, name)
            rates["pipe"].append(came / seconds)
            cpu.append(used / (came / 1e9))
            rates["memory"].append(came / through_a_fifo(run.work / "floor", came))
            rates["get"].append(came / downloaded(run, name))
        best = {what: statistics.median(figures) for what, figures in rates.items()}
        ratio = best["pipe"] / min(best["memory"], best["get"])
        run.add(f"{label}", f"{best['pipe'] / 1e6:.0f} MB/s; {statistics.median(cpu):.2f} s CPU a GB")
        run.add("from memory through a FIFO", f"{best['memory'] / 1e6:.0f} MB/s")
        run.add("bucketline get --discard", f"{best['get'] / 1e6:.0f} MB/s")
        run.add(f"{label} / the lower of these", f"{ratio:.2f}", ">= 0.90", ratio >= 0.9)


def drain(path: Path) -> tuple[float, int]:
    """Reads a FIFO to its end: seconds and bytes."""
    buffer, size = bytearray(READ), 0
    start = time.monotonic()
    fd = os.open(path, os.O_RDONLY)
    try:
        while got := os.readv(fd, [buffer]):
            size += got
    finally:
        os.close(fd)
    return time.monotonic() - start, size


def through_the_channel(run: Run, name: str) -> tuple[float, int, float]:
    """Seconds, bytes and the command's CPU seconds for one epoch."""
    folder = run.work / "fifos"
    words = ["pipe", f"s3://bench/{name}/", str(folder), "--channel", name, "--epochs", "1", "--json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(
        [run.bucketline, *words], env=run.endpoint.environment(), stdout=subprocess.PIPE, text=True
    )
    wait_for(folder / f"{name}_0", process)
    seconds, size = drain(folder / f"{name}_0")
    output, _ = process.communicate(timeout=DEADLINE_SECONDS)
    if process.returncode != 0 or json.loads(output.splitlines()[-1])["bytes"] != size:
        raise RuntimeError(f"the channel {name} was not read whole")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, size, sum(after[:2]) - sum(before[:2])


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{path} did not appear")
        time.sleep(0.01)


def through_a_fifo(path: Path, size: int) -> float:
    """Seconds for as many bytes from memory, written a MiB at a time."""
    os.mkfifo(path)
    child = os.fork()
    if child == 0:
        write_zeros(path, size)
        os._exit(0)
    try:
        seconds, came = drain(path)
    finally:
        os.waitpid(child, 0)
        path.unlink()
    if came != size:
        raise RuntimeError("the FIFO was not read whole")
    return seconds


def write_zeros(path: Path, size: int) -> None:
    block = bytes(MIB)
    fd = os.open(path, os.O_WRONLY)
    fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, MIB)
    while size > 0:
        size -= os.write(fd, memoryview(block)[:size])


def downloaded(run: Run, name: str) -> float:
    figures = run.command("get", f"s3://bench/{name}/", "--extensions", "", "--discard")
    return float(figures["seconds"])
