"""Channels read as `bucketline pipe` serves them from a bucket: the same batches as the bucket's own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import DEADLINE_SECONDS, Command, Endpoint
from images import labelled_objects
from pipe_channels import Job, described_bucket, pipe_of

import bucketline as bl

OBJECTS = labelled_objects(21)
CLASSES = ["bright", "dark"]
IMAGE = bl.Image(16, crop="random_resized", flip=0.5, dtype="uint8")


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    job = Job(tmp_path / "ml")
    job.describe(train=pipe_of())
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(job.base))
    return job


@pytest.fixture(scope="module")
def bucket(versitygw: Endpoint) -> str:
    return described_bucket(versitygw, OBJECTS)


@contextmanager
def served(on_versitygw: Command, job: Job, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    process = on_versitygw.start("pipe", *arguments, job.data, "--channel", "train", "--recordio", "--json")
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=DEADLINE_SECONDS)


def rows_of(loader: bl.Loader) -> list[tuple[Any, Any]]:
    return [(batch.images.copy(), batch.labels) for _ in range(2) for batch in loader]


def test_an_augmented_manifest_gives_what_the_bucket_gives(
    on_versitygw: Command, versitygw: Endpoint, bucket: str, job: Job
) -> None:
    labels = bl.Labels("folder", classes=CLASSES)
    reach: dict[str, Any] = {"endpoint_url": versitygw.url, "region": versitygw.region}
    options: dict[str, Any] = {"batch_size": 8, "image": IMAGE, "seed": 3, "distributed": False}
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ACCESS_KEY_ID", versitygw.access_key_id)
        patched.setenv("AWS_SECRET_ACCESS_KEY", versitygw.secret_access_key)
        with bl.Loader(bl.Dataset(f"s3://{bucket}/images/", labels=labels, **reach), **options) as loader:
            wanted = rows_of(loader)
    manifest = ("--augmented-manifest", "--attribute", "image-ref", "--attribute", "class", "--epochs", 2)
    with (
        served(on_versitygw, job, f"s3://{bucket}/train.jsonl", *manifest) as process,
        bl.Loader(bl.Dataset("channel:train", labels=labels), **options) as loader,
    ):
        given = rows_of(loader)
        out, err = process.communicate(timeout=DEADLINE_SECONDS)
        assert process.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["epochs"] == 2
    assert len(given) == len(wanted) == 6
    for (images, labels_given), (wanted_images, wanted_labels) in zip(given, wanted, strict=True):
        np.testing.assert_array_equal(images, wanted_images)
        np.testing.assert_array_equal(labels_given, wanted_labels)


def test_a_shuffled_channel_is_resumed_in_its_order(on_versitygw: Command, bucket: str, job: Job) -> None:
    """Epochs that were passed are dropped unread, so that each has the order that it had."""
    shuffled = (f"s3://{bucket}/images/", "--shuffle", 5)
    with served(on_versitygw, job, *shuffled), bl.Loader("channel:train", 4) as loader:
        orders = [[data for batch in loader for data in batch.images] for _ in range(3)]
        states = [batch.state_dict() for batch in loader]
    assert sorted(orders[0]) == sorted(OBJECTS.values())
    assert orders[0] != orders[1] != orders[2]
    (job.base / "pipe_state/.train-pipe_mode-state").unlink()  # as in a job that begins again
    state = {**states[1], "epoch": 2}
    with served(on_versitygw, job, *shuffled), bl.Loader("channel:train", 4) as loader:
        loader.load_state_dict(state)
        assert [data for batch in loader for data in batch.images] == orders[2][8:]


def test_a_loop_that_is_left_lets_its_writer_go_on(on_versitygw: Command, bucket: str, job: Job) -> None:
    with (
        served(on_versitygw, job, f"s3://{bucket}/images/", "--epochs", 4) as process,
        bl.Loader("channel:train", 4) as loader,
    ):
        for epoch in loader.epochs(4):
            for batch in loader:
                assert batch.keys[0].startswith(f"train_{epoch}#")
                if epoch % 2 == 0:
                    break
        loader.close()
        process.communicate(timeout=DEADLINE_SECONDS)
        assert process.returncode == 0
