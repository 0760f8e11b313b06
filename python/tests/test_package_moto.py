"""The package against a second implementation of S3: what a user does in a day, on moto."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from conftest import Endpoint
from images import labelled_objects, put_all
from moto.server import ThreadedMotoServer

import bucketline as bl

KEYS = 1_100


@pytest.fixture(scope="module")
def moto() -> Iterator[Endpoint]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = Endpoint(f"http://{host}:{port}", "moto", "moto-secret")
    try:
        with endpoint.reached():
            yield endpoint
    finally:
        server.stop()


@pytest.fixture(scope="module")
def images(moto: Endpoint) -> str:
    bucket = moto.new_bucket()
    put_all(moto, bucket, "images/", labelled_objects(30))
    return f"s3://{bucket}/images/"


def test_labels_are_true_and_epochs_whole(images: str) -> None:
    dataset = bl.Dataset(images, labels="folder")
    assert dataset.classes == ["bright", "dark"] and len(dataset) == 30
    with bl.Loader(dataset, 8, image=bl.Image(16), shuffle=True, last="partial") as loader:
        for _ in range(2):
            seen = [
                (key, label) for batch in loader for key, label in zip(batch.keys, batch.labels, strict=True)
            ]
            assert sorted(key for key, _ in seen) == list(dataset.keys)
            assert all(("/dark/" in key) == bool(label) for key, label in seen)


def test_a_state_goes_on(images: str) -> None:
    options: dict[str, Any] = {
        "labels": "folder",
        "image": bl.Image(16, dtype="uint8"),
        "shuffle": True,
        "seed": 5,
    }
    with bl.Loader(images, 4, **options) as loader:
        iterator = iter(loader)
        next(iterator)
        state = loader.state_dict()
        rest = [batch.images.copy() for batch in iterator]
    with bl.Loader(images, 4, **options) as resumed:
        resumed.load_state_dict(state)
        again = [batch.images.copy() for batch in resumed]
    assert len(rest) == 6 and all(np.array_equal(a, b) for a, b in zip(rest, again, strict=True))


def test_objects_of_more_than_a_page(moto: Endpoint) -> None:
    bucket = f"s3://{moto.new_bucket()}/"
    with bl.Writer(bucket) as writer:
        for number in range(KEYS):
            writer.put(f"{number:05}.txt", b"%d" % number)
    listed = list(bl.list(bucket))
    assert [found.key for found in listed] == [f"{number:05}.txt" for number in range(KEYS)]
    assert len(bl.Dataset(bucket, extensions=None)) == KEYS
    assert bl.get(listed[-1].uri) == b"%d" % (KEYS - 1)
    bl.delete(listed[0].uri)
    assert not bl.exists(listed[0].uri)
    with pytest.raises(bl.NotFoundError):
        bl.get(listed[0].uri)


def test_files(moto: Endpoint) -> None:
    uri = f"s3://{moto.new_bucket()}/data.npy"
    with bl.open(uri, "wb") as file:
        np.save(file, np.arange(1000))
    with bl.open(uri) as file:
        assert np.array_equal(np.load(file), np.arange(1000))
