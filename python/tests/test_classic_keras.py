"""A classic script trains the same with only its data part replaced."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Endpoint
from images import jpeg, put_all

for framework in ("tensorflow", "keras"):
    pytest.importorskip(framework)

SCRIPT = Path(__file__).with_name("classic_keras.py")
IMAGES = 400
DEADLINE_SECONDS = 400


@pytest.fixture(scope="module")
def bucket(versitygw: Endpoint) -> str:
    name = versitygw.new_bucket()
    objects = {}
    for number, (label, body) in enumerate(labelled_images()):
        objects[f"{number:03}/{label}/image.jpg"] = (
            body  # so that the classes take turns in the order of keys
        )
    put_all(versitygw, name, "train/", objects)
    return name


def labelled_images() -> list[tuple[str, bytes]]:
    """Photos where there are some, else noise."""
    samples = os.environ.get("BUCKETLINE_SAMPLE_DATA")
    if not samples:
        return [(("dark", "bright")[i % 2], jpeg(i, bright=i % 2 == 1)) for i in range(IMAGES)]
    folder = Path(samples) / "cifar2" / "train"
    planes, cars = (sorted((folder / name).iterdir())[: IMAGES // 2] for name in ("airplane", "automobile"))
    pairs = zip(planes, cars, strict=True)
    return [(path.parent.name, path.read_bytes()) for pair in pairs for path in pair]


@pytest.mark.parametrize(
    ("part", "backend"),
    [("generator", "tensorflow"), ("generator", "jax"), ("generator", "torch"), ("pipeline", "tensorflow")],
)
def test_losses_stay_the_same(
    bucket: str, versitygw: Endpoint, figure: Callable[[str], None], part: str, backend: str
) -> None:
    pytest.importorskip(backend)
    outcome = subprocess.run(
        [sys.executable, str(SCRIPT), part, bucket, "train/"],
        env={
            **os.environ,
            **versitygw.environment(),
            "AWS_DEFAULT_REGION": versitygw.region,
            "KERAS_BACKEND": backend,
        },
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )
    assert outcome.returncode == 0, outcome.stderr[-3000:]
    classic, ours = json.loads(outcome.stdout.splitlines()[-1])
    assert len(classic) == len(ours) == 10
    worst = max(abs(a - b) / a for a, b in zip(classic, ours, strict=True))
    figure(f"{part} on {backend}: losses differ by {worst:.2e} at most")
    assert worst < 0.01
