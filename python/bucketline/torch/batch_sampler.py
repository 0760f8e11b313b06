"""BatchSampler: the batches of each epoch, for a DataLoader over a MapDataset."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence, Sized
from typing import Any

import numpy as np
import torch.utils.data

from bucketline._loader_options import ranks_of, rows_of
from bucketline._options import choice, flag, number
from bucketline.errors import InvalidArgumentError, UnsupportedError
from bucketline.torch.agreement import require_agreement
from bucketline.torch.bad_samples import Key
from bucketline.torch.map_dataset import Index, MapDataset
from bucketline.torch.plan import Course, OnCourse, Plan

_LAST = {name: name for name in ("drop", "partial", "pad")}


def make_plan(
    records: int,
    fingerprint: int,
    batch_size: int | None,
    global_batch_size: int | None,
    shuffle: bool | str,
    seed: int,
    last: str | None,
    rank: int | None,
    world_size: int | None,
    distributed: bool,
) -> Plan:
    """Of a loader's options, checked; in a process group also against those of the other ranks."""
    of_group = rank is None and distributed
    rank, world_size = ranks_of(rank, world_size, distributed)
    if shuffle == "window":
        raise UnsupportedError(
            'samples by number know of no shards: shuffle="window" is of bucketline.torch.Loader, which needs no workers; '
            "give shuffle=True here"
        )
    shuffle = flag(shuffle, "shuffle")
    plan = Plan(
        records=records,
        batch_size=rows_of(batch_size, global_batch_size, world_size),
        rank=rank,
        world_size=world_size,
        shuffle=shuffle,
        seed=number(seed, "seed", 0, 2**64 - 1, whole=True),
        last=("drop" if shuffle else "partial") if last is None else choice(last, "last", _LAST),
        fingerprint=fingerprint,
    )
    if records == 0:
        raise InvalidArgumentError("there is nothing to load: the dataset is empty")
    if plan.steps() == 0:
        raise InvalidArgumentError(
            f"{records} records do not fill one step of {world_size} ranks x {plan.batch_size} rows, and last='drop' "
            "leaves the tail out; use a smaller batch_size or last='partial'"
        )
    if of_group:
        require_agreement(
            fingerprint=fingerprint,
            seed=plan.seed,
            shuffle=shuffle,
            last=plan.last,
            batch_size=plan.batch_size,
        )
    return plan


class BatchSampler(OnCourse, torch.utils.data.Sampler[list[Index]]):
    """Batches of indices into `data`, in the order and dealt to the ranks as bl.Loader does it.

        sampler = bl.torch.BatchSampler(data, 32, shuffle=True, seed=0)
        loader = bl.torch.Resumable(DataLoader(data, batch_sampler=sampler, num_workers=4, persistent_workers=True))

    data: a MapDataset, or a torch Subset of one. An index brings its seed, epoch and position along, so that crops are
        new in each epoch and the same wherever they are made, in workers too. (A Subset's list of indices is replaced
        by an equal one that passes them on.)
    The other options are those of bl.Loader. Each `for` is the next epoch, also after a break; `set_epoch(n)` makes the
    next one epoch n. The state is that of a bl.torch.Loader with the same options.
    """

    def __init__(
        self,
        data: Sized,
        batch_size: int | None = None,
        *,
        global_batch_size: int | None = None,
        shuffle: bool = False,
        seed: int = 0,
        last: str | None = None,
        rank: int | None = None,
        world_size: int | None = None,
        distributed: bool = True,
    ) -> None:
        self._plan = make_plan(
            len(data),
            _pass_keys_on(data),
            batch_size,
            global_batch_size,
            shuffle,
            seed,
            last,
            rank,
            world_size,
            distributed,
        )
        self._course = Course(self._plan)

    @property
    def batch_size(self) -> int:
        """Rows per rank."""
        return self._plan.batch_size

    @property
    def drop_last(self) -> bool:
        return self._plan.last == "drop"

    def __iter__(self) -> Iterator[list[Index]]:
        return self._batches()

    def _batches(self) -> Iterator[list[Index]]:
        epoch, start = self._course.begin()  # only now: DataLoader makes iterators that it never asks
        for step in range(self._plan.steps(start)):
            yield [
                Index(row.record, Key(self._plan.seed, epoch, row.position))
                for row in self._plan.rows(epoch, start, step)
            ]


class _PassingOn(Sequence[int]):
    """A Subset's indices that hand an Index's key on to the Index that they give for it."""

    def __init__(self, indices: Sequence[int]) -> None:
        self._indices = indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: Any) -> Any:
        inner = self._indices[index]
        return Index(int(inner), index.key) if isinstance(index, Index) else inner


def _pass_keys_on(data: Any) -> int:
    """Through Subsets, down to the MapDataset; gives the fingerprint of the whole."""
    if isinstance(data, MapDataset):
        return data.fingerprint
    digest = hashlib.blake2b(digest_size=8)
    if isinstance(data, torch.utils.data.Subset):
        if not isinstance(data.indices, _PassingOn):
            data.indices = _PassingOn(data.indices)
        digest.update(np.fromiter(data.indices, dtype=np.int64).tobytes())
        digest.update(_pass_keys_on(data.dataset).to_bytes(8, "little"))
    else:  # only its length is known
        digest.update(len(data).to_bytes(8, "little"))
    return int.from_bytes(digest.digest(), "little")
