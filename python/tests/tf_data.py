"""What the tests of Keras's and TensorFlow's adaptors share."""

from __future__ import annotations

from typing import Any

from conftest import Endpoint

import bucketline as bl

COUNT = 46  # objects in the bucket of tf_bucket.py
SIZE = (24, 20)
IMAGE = bl.Image(SIZE, scale=1, parity="tensorflow", antialias=False)


def their_pixels(body: bytes) -> Any:
    """TensorFlow's own."""
    import tensorflow as tf

    decoded = tf.io.decode_image(body, channels=3, expand_animations=False)
    return tf.image.resize(decoded, SIZE).numpy()


def body_of(endpoint: Endpoint, bucket: str, key: str) -> bytes:
    body: bytes = endpoint.client().get_object(Bucket=bucket, Key=key)["Body"].read()
    return body
