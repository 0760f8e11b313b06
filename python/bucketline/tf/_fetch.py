"""fetch(): one object inside the user's own map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from bucketline.image import Image
from bucketline.tf._reader import Reader


def fetch(base: str = "", image: Image | None = None, **connection: Any) -> Callable[[Any], Any]:
    """A function from a key, a scalar tf.string, to the image or bytes of the object `base` + key.

        fetch = bl.tf.fetch("s3://bucket/", image=bl.Image((256, 256), parity="tensorflow"))
        ds = tf.data.Dataset.from_tensor_slices((keys, labels))
        ds = ds.map(lambda key, label: (fetch(key), label), num_parallel_calls=16).batch(32)

    base: what keys are relative to; a key that is a URI itself needs none. connection: endpoint_url, region, profile,
        anonymous, requester_pays, runtime, as of bl.Dataset.
    image: (H, W, C) with static sides; None: the bytes, a scalar tf.string.

    The GIL is free while it reads and decodes. How many calls run at a time is TensorFlow's matter: num_parallel_calls,
    and never more than its inter-op threads, by default one a CPU; `fetch_ahead` has no such limit.
    """
    reader = Reader(base, image, "fetch", connection)

    def read(key: Any) -> Any:
        value = tf.numpy_function(reader, [key], reader.dtype)
        value.set_shape(reader.shape)
        return value

    return read
