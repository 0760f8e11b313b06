"""Batch: a loader's batch as tensors."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from bucketline import batch as base

if TYPE_CHECKING:
    from typing_extensions import Self


class TensorFacts(base.BatchFacts):
    """What a batch knows of its rows, as tensors on the CPU."""

    @cached_property
    def indices(self) -> torch.Tensor:  # type: ignore[override]
        """(B,) int64, on the CPU: the record number of each row in the dataset."""
        return torch.from_numpy(super().indices.view("int64"))

    @cached_property
    def valid(self) -> torch.Tensor:  # type: ignore[override]
        """(B,) bool, on the CPU: False marks rows that only fill up, and masked ones."""
        return torch.from_numpy(super().valid)

    @cached_property
    def geometry(self) -> torch.Tensor | None:  # type: ignore[override]
        """(B, 6) float32, on the CPU: takes a point of the image to one of its row, as bl.Batch.geometry does."""
        geometry = super().geometry
        return None if geometry is None else torch.from_numpy(geometry)

    @cached_property
    def source_sizes(self) -> torch.Tensor | None:  # type: ignore[override]
        """(B, 2) int32, on the CPU: height and width of each image before crop and resize."""
        sizes = super().source_sizes
        return None if sizes is None else torch.from_numpy(sizes)


class Batch(TensorFacts, base.Batch):
    """A tuple of exactly (images, labels) on the engine's memory, with the rest as attributes.

    images: a tensor (B, C, H, W) or (B, H, W, C), or a list of bytes without image=. labels: (B,) int64 or float32,
    (B, k) float32, or None.
    """

    def to(self, device: Any, non_blocking: bool = False) -> Self:
        """The same batch with images and labels on `device`; frameworks that move batches call it."""
        return self._with(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> Self:
        """The same batch in pinned memory."""
        return self._with(lambda tensor: tensor.pin_memory())

    def _with(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Self:
        changed = tuple.__new__(
            type(self), (change(part) if isinstance(part, torch.Tensor) else part for part in self)
        )
        changed.__dict__.update(self.__dict__)
        return changed


class FieldBatch(TensorFacts, base.FieldBatch):
    """A dict of tensors by field, on the engine's memory; raw fields are lists of bytes. The rest are attributes, as
    `labels` is."""

    def to(self, device: Any, non_blocking: bool = False) -> Self:
        """The same batch with its tensors and labels on `device`; frameworks that move batches call it."""
        return self._with(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> Self:
        """The same batch in pinned memory."""
        return self._with(lambda tensor: tensor.pin_memory())

    def _with(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Self:
        def of(part: Any) -> Any:
            return change(part) if isinstance(part, torch.Tensor) else part

        changed = type(self)(
            {name: of(part) for name, part in self.items()}, of(self.labels), self._core, self._dataset
        )
        changed.__dict__.update({name: fact for name, fact in self.__dict__.items() if name != "_labels"})
        return changed
