"""TensorFlow: tf.data pipelines on the engine.

    ds = bl.tf.dataset("s3://bucket/train/", labels="folder", batch_size=32, shuffle=True,
                       image=bl.Image((256, 256), parity="tensorflow"))
    model.fit(ds, epochs=10, steps_per_epoch=len(ds))

For pipelines that start from keys: `bl.tf.fetch` inside a `map`, or `keys.apply(bl.tf.fetch_ahead(...))`.
For TensorFlow's own readers and writers of s3:// paths: `bl.tf.register_filesystem()`.
"""

from __future__ import annotations

try:
    import tensorflow  # noqa: F401
except ImportError as missing:
    raise ImportError("bucketline.tf needs TensorFlow: pip install bucketline[tf]") from missing

from bucketline.tf._fetch import fetch
from bucketline.tf._fetch_ahead import fetch_ahead
from bucketline.tf._filesystem import register_filesystem
from bucketline.tf._loader_dataset import LoaderDataset, dataset

__all__ = ["LoaderDataset", "dataset", "fetch", "fetch_ahead", "register_filesystem"]
