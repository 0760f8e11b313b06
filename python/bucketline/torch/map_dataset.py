"""MapDataset: samples by number, for a DataLoader that you have already."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.utils.data

from bucketline import _core
from bucketline._options import byte_size, number
from bucketline.dataset import Dataset
from bucketline.errors import InvalidArgumentError
from bucketline.image import Image
from bucketline.torch.reopen import SAMPLE_KEYWORDS, Opener, dataset_options, open_dataset

_left_behind: list[Any] = []  # of a parent process


class Key(NamedTuple):
    """What a sample's crop, flip and jitter are drawn from."""

    seed: int
    epoch: int
    position: int


class Index(int):
    """A record's number that brings its Key along: into the workers of a DataLoader, say."""

    key: Key

    def __new__(cls, record: int, key: Key) -> Index:
        index = super().__new__(cls, record)
        index.key = key
        return index

    def __reduce__(self) -> Any:
        return Index, (int(self), self.key)


class MapDataset(torch.utils.data.Dataset[Any]):
    """Record `i` of `dataset` as (image, label), or as the image alone without labels.

    dataset: a bl.Dataset, or a URI (then with the Dataset's keywords too).
    image: how bytes become pixels; None: raw bytes.
    threads: that decode at a time; None: as many as this process has CPUs, shared by the workers of a DataLoader.
    max_requests: reads at a time. memory: bytes of records that are read and not yet decoded, at most.

    A DataLoader asks for a whole batch at once, and gets it read and decoded in parallel, with num_workers=0 too. In a
    worker process, forked or spawned, it opens itself anew from the manifest, without listing. Images are float32 or
    uint8 tensors (C, H, W) by default, labels int or tensors.

    Crops, flips and jitter: an index of a `BatchSampler` brings (seed, epoch, position) along, so they are those that
    bl.torch.Loader makes; a plain index draws from torch's generator, as torchvision's transforms do.
    """

    def __init__(
        self,
        dataset: Dataset | str | os.PathLike[str],
        image: Image | None = None,
        *,
        threads: int | None = None,
        memory: int | str = "256MiB",
        max_requests: int = 32,
        **options: Any,
    ) -> None:
        of_dataset = dataset_options(options, SAMPLE_KEYWORDS, "MapDataset")
        if image is not None and not isinstance(image, Image):
            raise InvalidArgumentError(f"image must be a bucketline.Image or None, not {image!r}")
        self._image = image
        self._threads = None if threads is None else number(threads, "threads", 1, 1024, whole=True)
        self._memory = byte_size(memory, "memory")
        self._requests = number(max_requests, "max_requests", 1, 1024, whole=True)
        opened = open_dataset(dataset, of_dataset)
        self._open = Opener(opened)
        self._count = len(opened)
        self._classes = opened.classes
        self._fingerprint = opened.fingerprint
        self._labels = None if opened.labels is None else torch.from_numpy(opened.labels)
        self._reader: tuple[int, Any] | None = None  # process id, reader
        self._own_reader()  # says now what does not fit; its threads start when it reads

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Any:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """The samples in this order, their pixels rows of one block of memory. Raises the error of the first that
        failed, naming the object."""
        records = [self._position(index) for index in indices]
        images = self.read(records, [_key_of(index) for index in indices])
        if self._labels is None:
            return list(images)
        return [(image, self._label(record)) for image, record in zip(images, records, strict=True)]

    def read(self, records: Sequence[int], keys: Sequence[Key]) -> Any:
        """Images of these records, augmented by these keys: a tensor (n, C, H, W) or (n, H, W, C), or a list where
        sizes differ or records stay raw."""
        read = self._own_reader().read(list(records), [tuple(key) for key in keys])
        if self._image is None:
            return read
        return [torch.from_numpy(row) for row in read] if isinstance(read, list) else torch.from_numpy(read)

    @property
    def dataset(self) -> Dataset:
        """This process's own."""
        return self._open()

    @property
    def classes(self) -> list[str]:
        """Names of the labels, by their number."""
        return self._classes

    @property
    def labels(self) -> torch.Tensor | None:
        """One a record: int64 (n,), float32 (n,) or (n, k); None without labels."""
        return self._labels

    @property
    def fingerprint(self) -> int:
        """The same for the same keys, sizes and ETags."""
        return self._fingerprint

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_reader": None}

    def __repr__(self) -> str:
        return f"MapDataset({self._open()!r}, image={self._image!r})"

    def _own_reader(self) -> Any:
        if self._reader is None or self._reader[0] != os.getpid():
            if self._reader is not None:
                _left_behind.append(self._reader)
            image = None if self._image is None else self._image.to_core("NCHW")
            reader = _core.SampleReader(
                self._open()._core, image, self._requests, self._decoders(), self._memory
            )
            self._reader = (os.getpid(), reader)
        return self._reader[1]

    def _decoders(self) -> int:
        if self._threads is not None:
            return int(self._threads)
        worker = torch.utils.data.get_worker_info()
        return max(1, len(os.sched_getaffinity(0)) // (1 if worker is None else worker.num_workers))

    def _position(self, index: int) -> int:
        record = index.__index__()
        if not -self._count <= record < self._count:
            raise IndexError(f"index {record} is out of range: there are {self._count} records")
        return int(record) % self._count

    def _label(self, record: int) -> Any:
        assert self._labels is not None
        label = self._labels[record]
        return label.item() if label.dtype == torch.int64 and label.ndim == 0 else label


def _key_of(index: int) -> Key:
    if isinstance(index, Index):
        return index.key
    return Key(int(torch.randint(2**62, ())), 0, 0)
