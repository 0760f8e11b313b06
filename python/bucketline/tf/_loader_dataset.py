"""dataset(): the batches of a Loader as a tf.data.Dataset."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from bucketline.batch import Batch
from bucketline.channel import StreamDataset, is_sharded
from bucketline.dataset import Dataset
from bucketline.errors import InvalidArgumentError, UnsupportedError
from bucketline.image import Image
from bucketline.loader import Loader
from bucketline.tf._consumed import Consumed
from bucketline.tf._rank import rank_of_tf_config
from bucketline.tf._specs import image_spec


def dataset(
    data: Dataset | str | os.PathLike[str],
    batch_size: int | None = None,
    *,
    image: Image | None = None,
    **options: Any,
) -> LoaderDataset:
    """A tf.data.Dataset of batches, (images, labels), or images alone without labels.

    data: a Dataset, or a URI (then with the Dataset's keywords too). options: those of bl.Loader.
    image: how bytes become pixels, NHWC unless it names a layout; parity="tensorflow" gives those of tf.image.resize.
        None: the objects' bytes, a tf.string (B,).
    rank, world_size: where neither they nor a launcher tell, those of TF_CONFIG. Every rank reads its own samples, and
        tf.distribute shards nothing (AutoShardPolicy.OFF).

    Shapes are static (the batch's too, where all batches have it), `len(ds)` is the batches of an epoch, each new
    iterator is the next epoch, and batches are handed over without a copy.
    """
    if options.get("fields") is not None:
        raise UnsupportedError("a tf.data.Dataset has images and labels, and no fields=; bl.Loader has")
    unsaid = options.get("rank") is None and options.get("world_size") is None
    if unsaid and options.get("distributed", True) and not is_sharded(data):
        options.update(rank_of_tf_config())
    loader = _Loader(data, batch_size, image=image, **options)
    if isinstance(loader.dataset, StreamDataset):
        raise UnsupportedError(
            f"{loader.dataset!r} is a stream, and a tf.data.Dataset of batches knows its length and the type of its labels "
            "beforehand; use tf.data.Dataset.from_generator on a bl.Loader, or ask for input mode FastFile"
        )
    rows = None if loader._last == "partial" else loader.batch_size
    return LoaderDataset(loader, _signature(loader.dataset, image, rows))


class LoaderDataset(tf.data.Dataset):  # type: ignore[misc] # TensorFlow has no types
    """What `dataset` returns. Iterate one iterator at a time: a younger one ends the older with an error.

    To resume inside an epoch, save `state_dict()` and give it to `load_state_dict` of a dataset that is made anew, before
    map, prefetch and the like are called on it: the first iterator then gives the rest of that epoch. As pipelines take
    batches ahead of their use, somebody has to tell which were used: `fit(callbacks=[ds.callback()])`, or in a loop of
    your own `ds.used()` after each step.
    """

    def __init__(self, loader: Loader, signature: Any) -> None:
        self._loader = loader
        self._starting = threading.Lock()
        self._consumed = Consumed(loader.state_dict())
        self._signature = signature
        self._source = _source(self._epoch, signature)
        whole = self._source.apply(tf.data.experimental.assert_cardinality(len(loader)))
        super().__init__(whole._variant_tensor)

    @property
    def element_spec(self) -> Any:
        return self._signature

    def _inputs(self) -> list[Any]:
        return []

    def cardinality(self, name: str | None = None) -> Any:
        """Batches of a whole epoch."""
        return tf.constant(len(self._loader), tf.int64, name=name)

    def __len__(self) -> int:
        """Batches of a whole epoch."""
        return len(self._loader)

    @property
    def loader(self) -> Loader:
        """The engine's loader, for its stats(), explain(), bad_samples and close(). Do not iterate it."""
        return self._loader

    def used(self, batches: int = 1) -> None:
        """Tells that the next `batches` batches have been used. Raises InvalidArgumentError for more than were given."""
        self._consumed.use(batches)

    def callback(self) -> Any:
        """A keras.callbacks.Callback for fit() that tells which batches have been used."""
        from bucketline.tf._callback import UsedBatches

        self._consumed.expect_use()
        return UsedBatches(self)

    def state_dict(self) -> dict[str, Any]:
        """Where the run stands after the last batch that was used: plain JSON, the same on all ranks.

        Raises InvalidArgumentError if batches were given and nobody has told which were used.
        """
        return self._consumed.state()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues there, also at another world size or batch size: the first iterator gives the rest of that epoch.

        Raises InvalidArgumentError saying which of data, seed or shuffle differ.
        """
        with self._starting:
            self._loader.load_state_dict(state)
            if self._loader.remaining == 0:
                state = {**state, "epoch": state["epoch"] + 1, "position": 0}
                self._loader.load_state_dict(state)
            self._consumed.reset(state)
        super().__init__(self._source._variant_tensor)  # its first iterator has fewer batches than an epoch

    def _epoch(self) -> Iterator[Any]:
        """One iterator's elements."""
        loader = self._loader
        with self._starting:
            batches = iter(loader)
            state = loader.state_dict()
            count = loader.remaining
            run = self._consumed.begin(state, loader.batch_size * loader.world_size, count)
        for number in range(count):
            batch = next(batches, None)
            if batch is None:
                raise InvalidArgumentError(
                    "all epochs= that were asked for are given; make it larger, or leave it out"
                )
            self._consumed.give(run)
            if number == count - 1:
                next(batches, None)  # the epoch ends here, also if nobody asks for more
            yield _element(batch)


class _Loader(Loader):
    _layout = "NHWC"


def _source(elements: Any, signature: Any) -> Any:
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return tf.data.Dataset.from_generator(elements, output_signature=signature).with_options(options)


def _signature(data: Dataset, image: Image | None, rows: int | None) -> Any:
    images = tf.TensorSpec((rows,), tf.string)
    if image is not None:
        shape, dtype = image_spec(image)
        images = tf.TensorSpec((rows, *shape), dtype)
    labels = data.labels
    if labels is None:
        return images
    if not isinstance(labels, np.ndarray):
        raise UnsupportedError(
            "a tf.data.Dataset has labels of one type and shape; these differ from sample to sample, which bl.Loader gives"
        )
    return images, tf.TensorSpec((rows, *labels.shape[1:]), labels.dtype)


def _element(batch: Batch) -> Any:
    images, labels = batch
    if isinstance(images, list):
        images = np.array(images, object)
    return images if labels is None else (images, labels)
