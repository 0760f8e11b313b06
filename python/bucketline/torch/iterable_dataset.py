"""IterableDataset: whole batches, dealt to ranks and to the workers of a DataLoader."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
import torch.utils.data

from bucketline.dataset import Dataset
from bucketline.image import Image
from bucketline.stats import BadSample
from bucketline.torch.bad_samples import Key
from bucketline.torch.batch_sampler import make_plan
from bucketline.torch.map_dataset import MapDataset
from bucketline.torch.plan import Course, OnCourse
from bucketline.torch.reopen import SAMPLE_KEYWORDS, SAMPLER_KEYWORDS, dataset_options

_AHEAD = 2  # batches that are read or wait while one is used
_RESUMED = 0x9E3779B97F4A7C15  # tells the epochs of persistent workers apart, which share one seed


class IterableDataset(OnCourse, torch.utils.data.IterableDataset[Any]):
    """Batches of tensors for `DataLoader(data, batch_size=None, num_workers=...)`: they are made here.

    dataset: a bl.Dataset, or a URI (then with the Dataset's keywords too). batch_size, shuffle, seed, last, rank,
    world_size, distributed: those of bl.Loader; image, threads, memory, max_requests, on_error, max_skipped: those of
    MapDataset.

    Gives (images, labels), or the images alone without labels, and with on_error="mask" a bool tensor (B,) more: the batches of bl.torch.Loader with the same options, in
    the same order, with any number of workers: batch k is the work of worker k mod num_workers. Each `for` is the next
    epoch; `set_epoch(n)`, called in the main process, makes the next one epoch n.
    """

    def __init__(
        self,
        dataset: Dataset | str | os.PathLike[str],
        batch_size: int | None = None,
        *,
        global_batch_size: int | None = None,
        image: Image | None = None,
        shuffle: bool = False,
        seed: int = 0,
        last: str | None = None,
        rank: int | None = None,
        world_size: int | None = None,
        distributed: bool = True,
        threads: int | None = None,
        memory: int | str = "256MiB",
        max_requests: int = 32,
        on_error: str = "raise",
        max_skipped: float = 0.01,
        **options: Any,
    ) -> None:
        of_dataset = dataset_options(options, (*SAMPLE_KEYWORDS, *SAMPLER_KEYWORDS), "IterableDataset")
        self._samples = MapDataset(
            dataset,
            image,
            threads=threads,
            memory=memory,
            max_requests=max_requests,
            on_error=on_error,
            max_skipped=max_skipped,
            **of_dataset,
        )
        self._plan = make_plan(
            len(self._samples),
            self._samples.fingerprint,
            batch_size,
            global_batch_size,
            shuffle,
            seed,
            last,
            rank,
            world_size,
            distributed,
        )
        self._course = Course(self._plan, shared=True)
        self._begun: tuple[int, int] = (0, 0)  # in a worker: its process id, and the epochs begun there

    @property
    def bad_samples(self) -> list[BadSample]:
        """Those of MapDataset."""
        return self._samples.bad_samples

    @property
    def classes(self) -> list[str]:
        """Names of the labels, by their number."""
        return self._samples.classes

    def __iter__(self) -> Iterator[Any]:
        worker = torch.utils.data.get_worker_info()
        if worker is None:
            return self._batches(*self._course.begin(), 0, 1)
        begun = self._begun[1] if self._begun[0] == os.getpid() else 0
        self._begun = (os.getpid(), begun + 1)
        token = (worker.seed - worker.id + _RESUMED * (begun + 1)) % 2**63
        return self._batches(*self._course.begin(token), worker.id, worker.num_workers)

    def _batches(self, epoch: int, start: int, worker: int, workers: int) -> Iterator[Any]:
        pending: deque[Future[Any]] = deque()
        ahead = ThreadPoolExecutor(1, thread_name_prefix="bl-ahead")
        try:
            for step in range(worker, self._plan.steps(start), workers):
                pending.append(ahead.submit(self._batch, epoch, start, step))
                if len(pending) > _AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            ahead.shutdown(wait=True, cancel_futures=True)

    def _batch(self, epoch: int, start: int, step: int) -> Any:
        rows = self._plan.rows(epoch, start, step)
        keys = [Key(self._plan.seed, epoch, row.position) for row in rows]
        read = self._samples.read_rows([row.record for row in rows], keys)
        labels = self._samples.labels_of(read.records)
        parts = [read.images] if labels is None else [read.images, labels]
        if self._samples.on_error == "mask":
            parts.append(torch.tensor(read.valid))
        return parts[0] if len(parts) == 1 else tuple(parts)
