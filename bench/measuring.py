"""What the sections of the benchmark share: the programs, the server and the rows so far."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import servers

HERE = Path(__file__).resolve().parent
MIB = 1 << 20
STREAM = ("--crop", "random_resized", "--size", 224, "--batch-size", 32, "--flip", 0.5, "--labels", "none")
DEADLINE_SECONDS = 1800
# What whole prefixes are moved with: a name, how many objects of what size, and what they are called.
TRANSFERS = (
    ("few", 8, 64 * MIB, "8 objects of 64 MiB"),
    ("many", 5000, 100_000, "5,000 objects of 100 KB"),
)


@dataclass
class Row:
    section: str
    figure: str
    value: str
    target: str = ""
    holds: bool | None = None


@dataclass
class Run:
    """What the sections share: the programs, the server with the images in bucket `bench`, and the rows so far."""

    build: Path
    folder: Path
    endpoint: servers.Endpoint
    work: Path
    rows: list[Row] = field(default_factory=list)
    section: str = ""

    @property
    def bucketline(self) -> Path:
        return self.build / "bin" / "bucketline"

    def add(self, figure: str, value: str, target: str = "", holds: bool | None = None) -> None:
        self.rows.append(Row(self.section, figure, value, target, holds))
        mark = "" if holds is None else ("  holds" if holds else "  DOES NOT HOLD")
        print(f"  {figure}: {value}{f'   (target {target})' if target else ''}{mark}", flush=True)

    def command(self, *words: Any, endpoint: servers.Endpoint | None = None) -> dict[str, Any]:
        """Runs the bucketline command with --json and gives its last line."""
        done = subprocess.run(
            [self.bucketline, *map(str, words), "--json"],
            env=(endpoint or self.endpoint).environment(),
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
        )
        if done.returncode != 0:
            raise RuntimeError(f"bucketline {' '.join(map(str, words))}: {done.stderr.strip()}")
        figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return figures

    def ranks(self, count: int, *words: Any) -> dict[str, Any]:
        """The same command in so many processes that train together; the last line of rank 0."""
        meeting = {
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(servers.free_port()),
            "WORLD_SIZE": str(count),
        }
        running = [
            subprocess.Popen(
                [self.bucketline, *map(str, words), "--json"],
                env={**self.endpoint.environment(), **meeting, "RANK": str(rank), "GLOO_SOCKET_IFNAME": "lo"},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in range(count)
        ]
        said = [process.communicate(timeout=DEADLINE_SECONDS) for process in running]
        for process, (_, err) in zip(running, said, strict=True):
            if process.returncode != 0:
                raise RuntimeError(f"bucketline {' '.join(map(str, words))}: {err.strip()}")
        figures: dict[str, Any] = json.loads(said[0][0].splitlines()[-1])
        return figures

    def stream(self, *words: Any, endpoint: servers.Endpoint | None = None) -> dict[str, Any]:
        return self.command("bench", "s3://bench/images/", *STREAM, *words, endpoint=endpoint)

    def contender(self, *words: Any) -> dict[str, Any]:
        """One of contenders.py."""
        return self.script("contenders.py", *words)

    def loop(self, contender: str, *options: Any, endpoint: servers.Endpoint | None = None) -> dict[str, Any]:
        """A Python training loop of python_contenders.py over the images in bucket `bench`."""
        words = (contender, "bench", "images/", *options)
        return self.script("python_contenders.py", *words, endpoint=endpoint)

    def script(self, name: str, *words: Any, endpoint: servers.Endpoint | None = None) -> dict[str, Any]:
        """One of the Python programs beside this one."""
        path = os.pathsep.join(
            filter(None, [os.environ.get("BUCKETLINE_BENCH_PACKAGES"), os.environ.get("PYTHONPATH")])
        )
        environment = {
            **(endpoint or self.endpoint).environment(),
            "PYTHONPATH": path,
            "OMP_WAIT_POLICY": "passive",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        return self.json(sys.executable, "-W", "ignore", HERE / name, *words, env=environment)

    def json(self, *words: Any, env: dict[str, str] | None = None) -> dict[str, Any]:
        done = subprocess.run(
            list(map(str, words)),
            env=env,
            stdout=subprocess.PIPE,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=True,
        )
        figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return figures

    def fill(self, name: str, objects: int, size: int) -> str:
        """The URI of a prefix with so many objects of random bytes, made once."""
        folder = self.work / name
        if not folder.exists():
            folder.mkdir()
            data = os.urandom(size)
            for number in range(objects):
                (folder / f"{number:05}").write_bytes(data)
            self.command("put", folder, f"s3://bench/{name}/")
        return f"s3://bench/{name}/"

    @contextlib.contextmanager
    def delayed(self, *delay: str) -> Iterator[servers.Proxied]:
        with servers.delayed(self.build / "bin" / "delay_proxy", self.endpoint, *delay) as proxied:
            yield proxied


def median(figures: list[dict[str, Any]], name: str) -> float:
    return statistics.median(figure[name] for figure in figures)
