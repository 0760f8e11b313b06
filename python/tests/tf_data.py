"""A bucket for tests of TensorFlow's adaptors: COUNT small images below "train/", in two folders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Endpoint
from images import labelled_objects, put_all

import bucketline as bl

COUNT = 46
SIZE = (24, 20)
IMAGE = bl.Image(SIZE, scale=1, parity="tensorflow", antialias=False)


@pytest.fixture(scope="module")
def bucket(versitygw: Endpoint) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in versitygw.environment().items():
            patch.setenv(name, value)
        name = versitygw.new_bucket()
        put_all(versitygw, name, "train/", labelled_objects(COUNT))
        yield name


def their_pixels(body: bytes) -> Any:
    """TensorFlow's own."""
    import tensorflow as tf

    decoded = tf.io.decode_image(body, channels=3, expand_animations=False)
    return tf.image.resize(decoded, SIZE).numpy()


def body_of(endpoint: Endpoint, bucket: str, key: str) -> bytes:
    body: bytes = endpoint.client().get_object(Bucket=bucket, Key=key)["Body"].read()
    return body
