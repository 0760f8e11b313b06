"""A Ray cluster of this machine alone, on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

# Titles of Ray's processes that are in no task.
IN_NO_TASK = (b"ray::IDLE", b"ray::DashboardAgent", b"ray::RuntimeEnvAgent")

# A process of its own: Ray and TensorFlow do not share one well.
HEAD = """
import sys, ray
context = ray.init(address="local", num_cpus=2, include_dashboard=False, object_store_memory=80 * 2**20,
                   logging_level="error")
print(context.address_info["gcs_address"], flush=True)
sys.stdin.read()
ray.shutdown()
"""


@dataclass
class RayCluster:
    address: str
    pid: int  # of the process whose descendants are the cluster
    environment: dict[str, str]

    def python(self, code: str, *words: object, timeout: float = 300) -> str:
        """What a process prints that may import ray. It must end well."""
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, words)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def workers(self) -> list[int]:
        """Processes that are in the middle of a task."""
        parents: dict[int, int] = {}
        busy: list[int] = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                stat = (folder / "stat").read_text()
                title = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
            if title.startswith(b"ray::") and not title.startswith(IN_NO_TASK):
                busy.append(int(folder.name))

        def is_ours(pid: int) -> bool:
            while pid in parents:
                if pid == self.pid:
                    return True
                pid = parents[pid]
            return False

        return [pid for pid in busy if is_ours(pid)]


@contextmanager
def ray_cluster(**environment: str) -> Iterator[RayCluster]:
    """Two CPUs of it; `environment` is what its workers see."""
    packages = os.environ.get("BUCKETLINE_RAY", "")
    if not packages:
        pytest.skip("a real Ray cluster is part of ./run soak ray, which sets BUCKETLINE_RAY to Ray's folder")
    folder = tempfile.mkdtemp(prefix="bl-ray-", dir="/tmp")  # its sockets' names must be short
    seen = {
        **os.environ,
        **environment,
        "HOME": folder,
        "PYTHONPATH": os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), packages))),
        "RAY_TMPDIR": folder,
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_agent_register_timeout_ms": "300000",  # a busy machine takes its time
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # so it takes the loopback address
    }
    head = subprocess.Popen(
        [sys.executable, "-c", HEAD], env=seen, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert head.stdout is not None
        address = head.stdout.readline().strip()
        assert address.startswith("127.0.0.1:"), f"Ray did not start, or not on loopback: {address!r}"
        yield RayCluster(address, head.pid, {**seen, "RAY_ADDRESS": address})
    finally:
        head.communicate(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)
