"""examples/ray_train.py on a real Ray cluster: ranks are Ray Train's, and another number of workers goes on."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from conftest import ROOT
from images import labelled_objects
from ray_cluster import ray_cluster

import bucketline as bl


def test_the_example_trains_on_two_workers_and_goes_on_with_one(tmp_path: Path) -> None:
    with bl.Writer(tmp_path / "images") as writer:
        for key, data in labelled_objects(24).items():
            writer.put(key, data)

    def run(workers: int, epochs: int) -> dict[str, float]:
        words = [ROOT / "examples" / "ray_train.py", tmp_path / "images", "--storage", tmp_path / "storage"]
        options = {"workers": workers, "epochs": epochs, "save-every": 1, "global-batch-size": 8, "size": 24}
        words += [word for name, value in options.items() for word in (f"--{name}", value)]
        done = subprocess.run(
            [sys.executable, *map(str, words)],
            env=cluster.environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        metrics: dict[str, float] = ast.literal_eval(done.stdout.strip().splitlines()[-1])
        return metrics

    with ray_cluster() as cluster:
        first = run(2, 1)
        assert (first["epoch"], first["step"]) == (0, 3), "24 images in global steps of 8"
        second = run(1, 2)
        assert (second["epoch"], second["step"]) == (1, 6), "it went on after the checkpoint"
