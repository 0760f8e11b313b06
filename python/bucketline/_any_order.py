"""AnyOrder: the batches of an epoch by their number, asked for in any order and from any thread."""

from __future__ import annotations

import threading
import warnings
from typing import Any

from bucketline.batch import Batch, FieldBatch
from bucketline.dataset import Dataset
from bucketline.errors import InvalidArgumentError, ResourceExhaustedError
from bucketline.loader import Loader
from bucketline.stats import BadSample

_NEAR = 4  # batches: a run that comes this close behind the stream will reach it soon


class AnyOrder:
    """Batch `index` of the current epoch is what a Loader gives as number `index`, however it is asked for.

    A stream, one Loader, serves who asks in order at full speed. Callers in parallel may be `window` batches apart: who
    comes early takes the stream that far, and what it passes waits for its own caller. Any other batch is read alone,
    its records in parallel, and nothing beside them; two that follow each other take the stream there. Held are
    the loader's memory, `window` batches that were passed, and for each caller that reads alone a batch and its records.
    """

    def __init__(self, dataset: Dataset, window: int, hint: str, options: dict[str, Any]) -> None:
        """`hint` is told once, as a warning, when batches are skipped: order costs speed then. `options` are a Loader's."""
        self._dataset = dataset
        self._window = window
        self._hint: str | None = hint
        self._options = options
        self._epochs = float("inf") if options.get("epochs") is None else options["epochs"]
        self._stream = Loader(dataset, **options)
        epoch_size = options.get("epoch_size")
        self._positions = len(dataset) if epoch_size is None else epoch_size  # of an epoch
        self._streaming = threading.Lock()  # held while the stream moves; guards the next three
        self._epoch = 0
        self._next = 0  # what the stream gives next
        self._passed: dict[int, Batch | FieldBatch] = {}
        self._deciding = threading.Lock()  # guards _last_alone; taken after _streaming
        self._last_alone = -2
        self._bad_samples: list[BadSample] = []  # of batches read alone

    def __len__(self) -> int:
        """Batches of this rank in an epoch."""
        return len(self._stream)

    @property
    def loader(self) -> Loader:
        """The stream."""
        return self._stream

    @property
    def epoch(self) -> int:
        return self._epoch

    @property
    def bad_samples(self) -> list[BadSample]:
        """Those that were skipped or masked so far."""
        return self._stream.bad_samples + self._bad_samples

    def batch(self, index: int) -> Batch | FieldBatch:
        """Raises what a Loader raises. Precondition: 0 <= index < len(self)."""
        # What is decided on may be old by the time that the stream is free, where it is looked at again.
        with self._deciding:
            epoch = self._epoch
            moved = self._follows_alone(index)
            streams = moved or 0 <= index - self._next < self._window or index in self._passed
            skips = index - self._next >= self._window
            if not streams:
                self._last_alone = index
        if epoch >= self._epochs:
            raise InvalidArgumentError(
                f"epochs={self._epochs} were asked for, and all are given; make it larger, or leave it out"
            )
        if skips and self._hint is not None:
            hint, self._hint = self._hint, None
            warnings.warn(hint, UserWarning, stacklevel=3)
        found = self._from_stream(epoch, index, moved) if streams else None
        return found if found is not None else self._alone(epoch, index)

    def start_epoch(self, epoch: int) -> None:
        """Goes to batch 0 of an epoch; from the end of the one before, what was read ahead is kept."""
        with self._streaming, self._deciding:
            ended = self._next == len(self) and epoch == self._epoch + 1
            if not ended or self._stream._next() is not None:
                self._move_stream(epoch, 0)
            self._passed.clear()
            self._epoch, self._next, self._last_alone = epoch, 0, -2

    def close(self) -> None:
        self._stream.close()

    def _follows_alone(self, index: int) -> bool:
        comes_to_the_stream = index <= self._next <= index + _NEAR
        return index == self._last_alone + 1 and not comes_to_the_stream

    def _from_stream(self, epoch: int, index: int, moved: bool) -> Batch | FieldBatch | None:
        """None if the stream has passed `index` and another caller took it, or the epoch changed."""
        with self._streaming:
            if epoch != self._epoch:
                return None
            if index in self._passed:
                return self._passed.pop(index)
            if moved:
                self._move_stream(epoch, index)
                self._next = index
            if not 0 <= index - self._next < self._window:
                return None
            while self._next <= index:
                batch: Any = self._stream._next()
                assert batch is not None, "the stream ends after len(self) batches"
                self._passed[self._next] = batch
                self._next += 1
            for number in [n for n in self._passed if n < self._next - self._window]:
                del self._passed[number]
            return self._passed.pop(index)

    def _alone(self, epoch: int, index: int) -> Batch | FieldBatch:
        try:
            loader = Loader(self._dataset, **{**self._options, **self._only(index), "epochs": epoch + 1})
        except ResourceExhaustedError:  # the Runtime's memory is all in use: the stream has its share
            with self._streaming:
                self._move_stream(epoch, index)
                self._next = index
            found = self._from_stream(epoch, index, moved=False)
            if found is None:
                raise
            return found
        with loader:
            loader._restore({**loader._state(), "epoch": epoch, "position": self._first(index)})
            batch: Any = loader._next()
            assert batch is not None, "there is a batch at every index"
            self._bad_samples += loader.bad_samples
            return batch

    def _only(self, index: int) -> dict[str, Any]:
        """Options of a loader for which batch `index` is all that is left of its epoch.

        An epoch's order is the same for any number of ranks: as rank 0 of as many ranks as there are batches left, the
        loader has one batch to give. Only the last one, which may be short or filled up, is dealt as it is.
        """
        if self._deals_tail(index):
            return {}
        rows = self._stream.batch_size
        left = (self._positions - self._first(index)) // rows
        return {
            "batch_size": rows,
            "global_batch_size": None,
            "rank": 0,
            "world_size": left,
            "last": "drop",
        }

    def _first(self, index: int) -> int:
        """The position that a loader with the options of `_only` starts at."""
        rank = 0 if self._deals_tail(index) else self._stream.rank
        return (index * self._stream.world_size + rank) * self._stream.batch_size

    def _deals_tail(self, index: int) -> bool:
        end = (index + 1) * self._stream.world_size * self._stream.batch_size
        return end > self._positions

    def _move_stream(self, epoch: int, index: int) -> None:
        position = index * self._stream.world_size * self._stream.batch_size
        self._stream._restore({**self._stream._state(), "epoch": epoch, "position": position})
