"""examples/batch_inference.py: killed and started again, it goes on where it stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from conftest import DEADLINE_SECONDS, ROOT, Endpoint
from gate import gated
from images import jpeg

import bucketline as bl

IMAGES = 80
BEFORE = 30  # of these, the first run writes so many


@pytest.fixture
def images(bucket_url: str) -> str:
    with bl.Writer(bucket_url + "images/") as writer:
        for i in range(IMAGES):
            writer.put(f"{i:03}.jpg", jpeg(i, bright=i % 2 == 1, size=16))
    return bucket_url


@contextmanager
def inference(url: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [
            sys.executable,
            str(ROOT / "examples/batch_inference.py"),
            url + "images/",
            url + "out/",
            "--parallel",
            "1",
        ],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def predictions(url: str) -> dict[str, bl.Object]:
    return {each.key: each for each in bl.list(url + "out/")}


def test_killed_and_started_again_it_predicts_the_rest(versitygw: Endpoint, images: str) -> None:
    with (
        gated(versitygw, lambda method, path: method == "PUT" and "/out/" in path, BEFORE) as gate,
        inference(images, AWS_ENDPOINT_URL_S3=gate.endpoint.url) as process,
    ):
        assert process.stdout and process.stdout.readline() == f"{IMAGES} images, {IMAGES} to do\n"
        gate.closed()
    before = predictions(images)
    assert len(before) == BEFORE

    with inference(images) as process:
        out, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0
    todo = int(out.split()[2])
    assert todo == IMAGES - BEFORE
    assert out.endswith(f"written {todo}\n")
    after = predictions(images)
    assert len(after) == IMAGES and {key: after[key] for key in before} == before
    classes = [json.loads(bl.get(each.uri))["class"] for each in list(after.values())[:20]]
    assert classes == ["dark", "bright"] * 10

    with inference(images) as process:
        out, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0 and out == f"{IMAGES} images, 0 to do\n"
