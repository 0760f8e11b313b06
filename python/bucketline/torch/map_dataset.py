"""MapDataset: samples by number, for a DataLoader that you have already."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch
import torch.utils.data

from bucketline import _core
from bucketline._options import byte_size, number
from bucketline.dataset import Dataset
from bucketline.errors import InvalidArgumentError
from bucketline.image import Image
from bucketline.reopening import Opener
from bucketline.stats import BadSample
from bucketline.torch.bad_samples import BadSamples, Key, Rows
from bucketline.torch.reopen import SAMPLE_KEYWORDS, dataset_options, open_dataset

_left_behind: list[Any] = []  # of a parent process


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
    on_error: what an undecodable sample does: "raise" | "skip": another takes its place, the same as in bl.Loader for an
        index of a `BatchSampler` | "mask": its image is zero, and samples have a third part (without labels a second):
        False for it, True for all others. max_skipped: the share of all samples that may go that way in each process.

    A DataLoader asks for a whole batch at once, and gets it read and decoded in parallel, with num_workers=0 too. In a
    worker process, forked or spawned, it opens itself anew from the manifest, without listing. Images are float32 or
    uint8 tensors (C, H, W) by default, labels int or tensors; labels that are neither names nor numbers are what they
    are, and mostly want a collate_fn of yours in the DataLoader.

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
        on_error: str = "raise",
        max_skipped: float = 0.01,
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
        self._bad = BadSamples(on_error, max_skipped, self._count, image)
        labels: Any = opened.labels
        self._labels = labels if labels is None or isinstance(labels, list) else torch.from_numpy(labels)
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
        rows = self.read_rows(records, [_key_of(index) for index in indices])
        parts = [rows.images]
        if self._labels is not None:
            parts.append([self._label(record) for record in rows.records])
        if self._bad.on_error == "mask":
            parts.append(rows.valid)
        return list(rows.images) if len(parts) == 1 else list(zip(*parts, strict=True))

    def read(self, records: Sequence[int], keys: Sequence[Key]) -> Any:
        """Images of these records, augmented by these keys: a tensor (n, C, H, W) or (n, H, W, C), or a list where
        sizes differ or records stay raw."""
        return self.read_rows(records, keys).images

    def read_rows(self, records: Sequence[int], keys: Sequence[Key]) -> Rows:
        """What `read` gives, with the records that are really there where on_error="skip" replaced some."""
        images, faults = self._read(list(records), list(keys))
        rows = Rows(images, list(records), [True] * len(records))
        if faults:
            uris = self._open().uris
            self._bad.mend(rows, keys, faults, self._read, lambda record: uris[record])
        if self._image is not None:
            as_list = isinstance(images, list)
            rows.images = [torch.from_numpy(row) for row in images] if as_list else torch.from_numpy(images)
        return rows

    def labels_of(self, records: list[int]) -> Any:
        """Of a batch of these records: a tensor, or a list of what is no number; None without labels."""
        if self._labels is None or isinstance(self._labels, torch.Tensor):
            return None if self._labels is None else self._labels[records]
        return [self._labels[record] for record in records]

    @property
    def bad_samples(self) -> list[BadSample]:
        """The samples that were skipped or masked in this process so far; those of a DataLoader's workers are logged
        there, as warnings of the logger "bucketline"."""
        return self._bad.samples

    @property
    def on_error(self) -> str:
        return self._bad.on_error

    @property
    def dataset(self) -> Dataset:
        """This process's own."""
        return self._open()

    @property
    def classes(self) -> list[str]:
        """Names of the labels, by their number."""
        return self._classes

    @property
    def labels(self) -> torch.Tensor | list[Any] | None:
        """One a record: int64 (n,), float32 (n,) or (n, k), or a list; None without labels."""
        return self._labels

    @property
    def fingerprint(self) -> int:
        """The same for the same keys, sizes and ETags."""
        return self._fingerprint

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_reader": None}

    def __repr__(self) -> str:
        return f"MapDataset({self._open()!r}, image={self._image!r})"

    def _read(self, records: list[int], keys: list[Key]) -> tuple[Any, list[Any]]:
        """(samples, faults), as a SampleReader gives them."""
        read: tuple[Any, list[Any]] = self._own_reader().read(records, keys, self._bad.tolerated)
        return read

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
        is_number = isinstance(label, torch.Tensor) and label.dtype == torch.int64 and label.ndim == 0
        return label.item() if is_number else label


def _key_of(index: int) -> Key:
    if isinstance(index, Index):
        return index.key
    return Key(int(torch.randint(2**62, ())), 0, 0)
