"""Resumable: counts the batches that a training loop has really used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

from bucketline.errors import InvalidArgumentError
from bucketline.torch.batch_sampler import BatchSampler
from bucketline.torch.iterable_dataset import IterableDataset

T = TypeVar("T")


class Resumable(Generic[T]):
    """A DataLoader over a `BatchSampler` or an `IterableDataset`, with a state: what the loop has used, however far
    workers and frameworks have read ahead.

        loader = bl.torch.Resumable(DataLoader(data, batch_sampler=sampler, num_workers=4))

    loader: that DataLoader, or what Accelerate's prepare made of it in a single process. Give Lightning's Trainer the
    Resumable itself; register it with Accelerate's register_for_checkpointing. With several processes the sampler deals
    batches to ranks by itself: do not prepare the DataLoader, which would deal them twice.
    """

    def __init__(self, loader: Iterable[T]) -> None:
        self._loader = loader
        self._source = _source_of(loader)
        self._steps = 0  # batches given in the present `for`
        self._iterators = 0  # of which the last one made is alive

    def __iter__(self) -> Iterator[T]:
        self._iterators += 1
        return self._batches(self._iterators)

    def __len__(self) -> int:
        """Batches of this rank in a whole epoch."""
        return len(self._source)

    @property
    def epoch(self) -> int:
        """Of the next `for`."""
        return self._source.next_epoch

    def set_epoch(self, epoch: int) -> None:
        """The next `for` is this epoch, from its start; of a restored state in the middle of it, its rest."""
        self._source.set_epoch(epoch)

    def epochs(self, count: int) -> Iterator[int]:
        """`for epoch in loader.epochs(90): for batch in loader: ...`, from where a restored state stands."""
        while self.epoch < count:
            yield self.epoch

    def state_dict(self) -> dict[str, Any]:
        """Where the run stands after the last batch that was given: plain JSON, the same on all ranks."""
        begun = self._source._course.begun  # not after load_state_dict or set_epoch
        return self._source.state_dict(steps=self._steps if begun else 0)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues there, also at another world size or batch size: the next `for` gives the rest of that epoch.

        Raises InvalidArgumentError saying which of data, seed or shuffle differ.
        """
        self._source.load_state_dict(state)
        self._iterators += 1

    def _batches(self, number: int) -> Iterator[T]:
        # Accelerate counts epochs by itself, from 0 in every process, and tells them to the sampler.
        if callable(set_epoch := getattr(self._loader, "set_epoch", None)):
            set_epoch(self._source.next_epoch)
        self._steps = 0
        for batch in self._loader:
            if number != self._iterators:
                raise InvalidArgumentError(
                    "this iterator is over: another one was made, or a state was loaded; iterate a loader once at a time"
                )
            self._steps += 1
            yield batch


def _source_of(loader: Any) -> BatchSampler | IterableDataset:
    for source in (getattr(loader, "batch_sampler", None), getattr(loader, "dataset", None)):
        if isinstance(source, IterableDataset) and getattr(loader, "batch_size", None) is not None:
            raise InvalidArgumentError(
                "an IterableDataset makes the batches itself: give batch_size to it, and batch_size=None to the DataLoader"
            )
        if isinstance(source, (BatchSampler, IterableDataset)):
            return source
    raise InvalidArgumentError(
        "Resumable needs a DataLoader with batch_sampler=bucketline.torch.BatchSampler(...) or over a "
        f"bucketline.torch.IterableDataset, not {type(loader).__name__}"
        " (of one that Accelerate prepared for several processes, leave out prepare: the sampler deals to ranks itself)"
    )
