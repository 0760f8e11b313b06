"""Keras 3, on any of its backends: batches for `model.fit`.

    train = bl.keras.S3DataGenerator("bucket", "train/", batch_size=32, image_size=(256, 256), shuffle=True)
    model.fit(train, epochs=10, shuffle=False)

Keras reads them by number, on its own threads; the engine reads ahead of it. `fit(shuffle=True)`, its default, asks for
them in a random order, which makes each a read of its own: let the generator shuffle, and give `fit(shuffle=False)`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from bucketline._any_order import AnyOrder
from bucketline._loader_options import LOADER_KEYWORDS, open_dataset
from bucketline._options import number
from bucketline.batch import FieldBatch
from bucketline.dataset import Dataset
from bucketline.errors import InvalidArgumentError, UnsupportedError
from bucketline.image import Image
from bucketline.stats import BadSample, Stats

try:
    import keras
except ImportError as missing:
    raise ImportError(
        "bucketline.keras needs Keras 3 and one of its backends: pip install bucketline[keras], and tensorflow, jax or "
        "torch"
    ) from missing

__all__ = ["Loader", "S3DataGenerator"]

_HINT = (
    "batches are asked for out of order, so that each is read by itself: give fit(..., shuffle=False), and shuffle=True "
    "here if the samples should be shuffled (every sample, not only the order of batches)"
)


class Loader(keras.utils.PyDataset):  # type: ignore[misc] # Keras has no types
    """Batches of a dataset as `model.fit`, `evaluate` and `predict` take them: (images, labels), or (images,) without
    labels, as numpy arrays. Where a transform gives dicts, `images` is a dict of arrays.

    dataset: a Dataset, or a URI (then with the Dataset's keywords too).
    image: a bl.Image, required; its layout is Keras's own (keras.config.image_data_format()) unless it names one.
    workers, max_queue_size: Keras's threads, of which none are needed: the engine has its own.
    options: those of bl.Loader: shuffle, seed, last, rank, world_size, threads, memory, on_error, ...

    `loader[i]` is batch i of the current epoch, in any order and from any thread; `on_epoch_end`, which Keras calls,
    goes on to the next one. Order is (seed, epoch)'s alone: `loader.epoch = 3` before `fit(initial_epoch=3)` resumes.
    """

    def __init__(
        self,
        dataset: Dataset | str | os.PathLike[str],
        batch_size: int | None = None,
        *,
        image: Image | None = None,
        workers: int = 1,
        max_queue_size: int = 10,
        use_multiprocessing: bool = False,
        **options: Any,
    ) -> None:
        if use_multiprocessing:
            raise InvalidArgumentError(
                "use_multiprocessing=True copies the loader into processes, which share no connections; leave it "
                "out: the engine reads and decodes on threads of its own, without the GIL"
            )
        if not isinstance(image, Image):
            raise InvalidArgumentError(f"image must be a bucketline.Image, not {image!r}")
        number(workers, "workers", 0, 1024, whole=True)
        super().__init__(workers=workers, max_queue_size=max_queue_size)
        self._dataset = open_dataset(
            dataset, {name: value for name, value in options.items() if name not in LOADER_KEYWORDS}
        )
        self._batches = AnyOrder(
            self._dataset,
            max(workers, 1),
            _HINT,
            {
                "batch_size": batch_size,
                "image": image if image.layout is not None else replace(image, layout=_layout()),
                **{name: value for name, value in options.items() if name in LOADER_KEYWORDS},
            },
        )

    def __len__(self) -> int:
        """Batches of this rank in an epoch."""
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Batch `index` of this epoch, 0 <= index < len(self). Raises IndexError, and what bl.Loader raises."""
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} is out of range: an epoch has {len(self)}")
        batch = self._batches.batch(int(index))
        inputs = dict(batch) if isinstance(batch, FieldBatch) else batch.images
        if isinstance(batch.labels, list):
            raise UnsupportedError(
                "Keras takes labels of one type and shape; these differ from sample to sample, which bl.Loader gives; a "
                "transform= can make arrays of them"
            )
        return (inputs,) if batch.labels is None else (inputs, batch.labels)

    def on_epoch_end(self) -> None:
        """Goes on to the next epoch. Keras calls it."""
        self.epoch += 1

    @property
    def epoch(self) -> int:
        """The current one, from 0. Setting it goes to that epoch's start."""
        return self._batches.epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._batches.start_epoch(number(epoch, "epoch", 0, 2**63, whole=True))

    @property
    def dataset(self) -> Dataset:
        return self._dataset

    @property
    def bad_samples(self) -> list[BadSample]:
        """The samples that were skipped or masked so far."""
        return self._batches.bad_samples

    def stats(self) -> Stats:
        """Figures of what was read ahead, as a dictionary that prints as a table."""
        return self._batches.loader.stats()

    def explain(self) -> str:
        """What limits the speed now, and what would help, in one sentence."""
        return self._batches.loader.explain()

    def close(self) -> None:
        """Ends the engine's threads and frees its memory, but for batches that were given."""
        self._batches.close()

    def __enter__(self) -> Loader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class S3DataGenerator(Loader):
    """Takes the place of the generator class that reads a bucket with boto3: same arguments, `len()`, `[i]`.

    bucket_name, prefix: all .jpg, .jpeg and .png objects below "s3://bucket_name/prefix", in the order of their keys.
    image_size: (height, width). Images are stretched to it; pixels are float32, 0..255, (B, H, W, 3), those of
        tf.io.decode_image and tf.image.resize. `image=` gives another bl.Image instead.
    labels: "folder": the first folder below the prefix; None: none; or what bl.Dataset takes.
    shuffle: True: a new order of all samples each epoch, drawn from (seed, epoch); "window": as that of bl.Loader.
    options: those of bl.Dataset (endpoint_url, region, profile, ...) and of bl.keras.Loader (workers, memory, ...).

    Samples that fill no whole batch are left out of the epoch.
    """

    def __init__(
        self,
        bucket_name: str,
        prefix: str = "",
        batch_size: int = 32,
        image_size: tuple[int, int] = (256, 256),
        labels: Any = "folder",
        shuffle: bool | str = False,
        *,
        image: Image | None = None,
        **options: Any,
    ) -> None:
        if "://" in bucket_name or "/" in bucket_name:
            raise InvalidArgumentError(
                f"bucket_name must be the name alone, not {bucket_name!r}; the rest of the URI is the prefix"
            )
        if image is None:
            image = Image(image_size, scale=1, parity="tensorflow", antialias=False, layout="NHWC")
        super().__init__(
            f"s3://{bucket_name}/{prefix}",
            batch_size,
            image=image,
            **{"labels": labels, "shuffle": shuffle, "last": "drop", **options},
        )


def _layout() -> str:
    return "NHWC" if keras.config.image_data_format() == "channels_last" else "NCHW"
