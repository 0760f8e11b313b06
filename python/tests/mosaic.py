"""MosaicML Streaming's own reader, in a process of its own: what it says is in a folder of MDS shards."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

from conftest import DEADLINE_SECONDS, missing

# It imports transformers for text datasets alone; a name for anything in it is all that reading takes.
_READ = """
import importlib.machinery, pickle, sys, types
from unittest.mock import MagicMock
class Stub(types.ModuleType):
    __path__ = []
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock
class Finder:
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name.split(".")[0] == "transformers" else None
    def create_module(self, spec):
        return Stub(spec.name)
    def exec_module(self, module):
        pass
sys.meta_path.insert(0, Finder())
sys.path.append(sys.argv[2])
from streaming.base.local import LocalDataset
dataset = LocalDataset(local=sys.argv[1])
def plain(value):
    return (value.size, value.mode) if hasattr(value, "mode") else value
samples = [{name: plain(value) for name, value in dataset[i].items()} for i in range(len(dataset))]
sys.stdout.buffer.write(pickle.dumps(samples))
"""


def read(folder: Path) -> list[dict[str, Any]]:
    """Samples in order; an image as (size, mode)."""
    packages = os.environ.get("BUCKETLINE_STREAMING")
    if not packages:
        missing("mosaicml-streaming is not installed; ./run test sets BUCKETLINE_STREAMING to its folder")
    assert packages
    done = subprocess.run(
        [sys.executable, "-c", _READ, folder, packages], capture_output=True, timeout=DEADLINE_SECONDS
    )
    assert done.returncode == 0, done.stderr.decode()
    samples: list[dict[str, Any]] = pickle.loads(done.stdout)
    return samples
