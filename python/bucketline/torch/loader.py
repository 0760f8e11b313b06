"""Loader: batches as tensors, without workers and without a copy."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import torch

from bucketline import loader as base
from bucketline._options import number
from bucketline.channel import is_sharded
from bucketline.dataset import Dataset
from bucketline.errors import UnsupportedError
from bucketline.torch.agreement import require_agreement
from bucketline.torch.batch import Batch, FieldBatch


class Loader(base.Loader):
    """bl.Loader with tensors, for `for images, labels in loader`; takes the same options.

    device: where images and labels go; None: they stay on the CPU, in the engine's own memory. For CUDA the engine
        decodes into pinned memory, and they are copied on a stream of their own, while the device still computes on
        the batch before.

    Without labels the loop gets the image tensor alone, and `last_batch` has the rest; with fields=, or a transform that
    gives dicts, it gets one dict of tensors, with the labels as `.labels`. Ranks come from
    torch.distributed when it is initialised: then all of them make the loader, and one that found other data or was
    given other options than rank 0 is an error for all, at once. `state_dict` and `load_state_dict` are those of a stateful loader, which
    Lightning and Accelerate save and restore. A state taken after the last batch of an epoch continues with the next
    epoch: `for epoch in loader.epochs(90)` counts right.
    """

    _batch = Batch
    _fields_batch = FieldBatch

    def __init__(
        self,
        dataset: Dataset | str | os.PathLike[str],
        batch_size: int | None = None,
        *,
        device: torch.device | str | int | None = None,
        **options: Any,
    ) -> None:
        self._restored = False  # and not iterated since
        self._last_batch: Batch | FieldBatch | None = None
        self._mover = None if device is None else _Mover(torch.device(device))
        super().__init__(dataset, batch_size, **options)
        if options.get("rank") is None and options.get("distributed", True) and not is_sharded(self.dataset):
            require_agreement(**self._facts())

    def __iter__(self) -> Iterator[Any]:
        iterator = super().__iter__()
        self._restored = False
        return iterator

    @property
    def last_batch(self) -> Batch | FieldBatch | None:
        """The batch that was given last, with keys, indices, valid and state; None before the first, after
        load_state_dict and after close()."""
        return self._last_batch

    def set_epoch(self, epoch: int) -> None:
        """The next `for` is this epoch, from its start; of a restored state in the middle of it, its rest."""
        number(epoch, "epoch", 0, whole=True)
        self._check_process()
        state = self._state()
        begins = self._restored or (state["position"] == 0 and not self._ended_early)
        over = self._ended_early and self._at_end()
        if (begins and epoch == state["epoch"]) or (over and epoch == state["epoch"] + 1):
            return  # where it stands, with what was read ahead
        super().load_state_dict({**state, "epoch": epoch, "position": 0})
        self._restored = False

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues there, also at another world size or batch size: the first `for` gives the rest of that epoch, or
        the next one when nothing is left.

        Raises InvalidArgumentError saying which of data, seed or shuffle differ.
        """
        super().load_state_dict(state)
        self._last_batch = None
        if self._at_end():
            self._core.next()
        self._restored = True

    def close(self) -> None:
        """Ends the threads and frees the memory, but for batches that you hold."""
        self._last_batch = None
        if self._mover is not None:
            self._mover.close()
        super().close()

    def __reduce__(self) -> Any:
        raise UnsupportedError(
            "a Loader holds threads and is not pickled; make it in the process that uses it, or give a DataLoader a "
            "bucketline.torch.IterableDataset"
        )

    def _allocator(self) -> Callable[[int], torch.Tensor] | None:
        return None if self._mover is None else self._mover.allocator

    def _convert(self, array: Any) -> torch.Tensor:
        return torch.from_numpy(array)

    def _next(self) -> Any:
        batch: Any = super()._next()
        if batch is None:
            return None
        if self._mover is not None:
            batch = self._mover(batch)
        self._last_batch = batch
        return batch.images if batch.labels is None and isinstance(batch, Batch) else batch


def _pinned(size: int) -> torch.Tensor:
    return torch.empty(size, dtype=torch.uint8, pin_memory=True)


class _Mover:
    """Moves batches to a device; to CUDA without waiting for the copy."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]
        self.allocator = None if self._stream is None else _pinned
        # Batches whose memory a copy may still read.
        self._copied_from: deque[tuple[torch.cuda.Event, Any]] = deque()

    def __call__(self, batch: Any) -> Any:
        if self._stream is None:
            return batch.to(self._device)
        while self._copied_from and self._copied_from[0][0].query():  # type: ignore[no-untyped-call]
            self._copied_from.popleft()
        computing = torch.cuda.current_stream(self._device)
        with torch.cuda.stream(self._stream):
            pinned = batch.pin_memory()  # of what is not: labels, and what a transform gave
            moved = pinned.to(self._device, non_blocking=True)
        self._copied_from.append((self._stream.record_event(), pinned))
        computing.wait_stream(self._stream)
        parts = [*moved.values(), moved.labels] if isinstance(moved, FieldBatch) else moved
        for part in parts:
            if isinstance(part, torch.Tensor):
                part.record_stream(computing)
        return moved

    def close(self) -> None:
        if self._stream is not None:
            self._stream.synchronize()
        self._copied_from.clear()
