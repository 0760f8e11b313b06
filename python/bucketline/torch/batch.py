"""Batch: a loader's batch as tensors."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch

from bucketline import batch as base

if TYPE_CHECKING:
    from typing_extensions import Self

B = TypeVar("B", bound="base.Batch | base.FieldBatch")


class Batch(base.Batch):
    """A tuple of exactly (images, labels) on the engine's memory, with the rest as attributes.

    images: a tensor (B, C, H, W) or (B, H, W, C), or a list of bytes without image=. labels: (B,) int64 or float32,
    (B, k) float32, or None.
    """

    @cached_property
    def indices(self) -> torch.Tensor:  # type: ignore[override]
        """(B,) int64, on the CPU: the record number of each row in the dataset."""
        return torch.from_numpy(super().indices.view("int64"))

    @cached_property
    def valid(self) -> torch.Tensor:  # type: ignore[override]
        """(B,) bool, on the CPU: False marks rows that only fill up, and masked ones."""
        return torch.from_numpy(super().valid)

    def to(self, device: Any, non_blocking: bool = False) -> Self:
        """The same batch with images and labels on `device`; frameworks that move batches call it."""
        return with_tensors(self, lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> Self:
        """The same batch in pinned memory."""
        return with_tensors(self, lambda tensor: tensor.pin_memory())


def with_tensors(batch: B, change: Callable[[torch.Tensor], torch.Tensor]) -> B:
    """The same batch, of which what is a tensor, images or fields and labels, is changed."""

    def changed(part: Any) -> Any:
        return change(part) if isinstance(part, torch.Tensor) else part

    copied: Any
    if isinstance(batch, base.FieldBatch):
        copied = copy.copy(batch)
        copied.update({name: changed(part) for name, part in batch.items()})
        copied._labels = changed(batch.labels)
    else:
        copied = tuple.__new__(type(batch), map(changed, batch))
        copied.__dict__.update(batch.__dict__)
    return cast("B", copied)
