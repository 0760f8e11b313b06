"""Batch: what a loader gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from typing_extensions import Self

    from bucketline.dataset import Dataset

Convert = Callable[[Any], Any]


class Batch(tuple[Any, Any]):
    """A tuple of exactly (images, labels), with the rest as attributes.

    images: (B, C, H, W) or (B, H, W, C), the loader's memory itself (no copy): it is yours to keep and to write, also
        after the loader is closed. A list of bytes where the loader has no image=.
    labels: (B,) int64 or float32, (B, k) float32, or None.
    """

    _core: Any
    _dataset: Dataset

    @classmethod
    def make(cls, core: Any, dataset: Dataset, decoded: bool, convert: Convert | None) -> Self:
        """Of an engine's batch; `convert` turns a numpy array into the framework's."""
        images = core.pixels() if decoded else core.raw()
        labels = core.labels()
        if convert is not None:
            images = convert(images) if decoded else images
            labels = None if labels is None else convert(labels)
        batch = tuple.__new__(cls, (images, labels))
        batch._core = core
        batch._dataset = dataset
        return batch

    @property
    def images(self) -> Any:
        return self[0]

    @property
    def labels(self) -> Any:
        return self[1]

    @cached_property
    def keys(self) -> list[str]:
        """The key of each row: of what is really there, also where a bad sample was replaced."""
        keys: list[str] = self._core.keys()
        return keys

    @cached_property
    def indices(self) -> np.ndarray[Any, Any]:
        """(B,) uint64: the record number of each row in the dataset."""
        indices: np.ndarray[Any, Any] = self._core.indices()
        return indices

    @cached_property
    def uris(self) -> list[str]:
        """The URI of each row."""
        uris = self._dataset.uris
        return [uris[index] for index in self.indices]

    @cached_property
    def valid(self) -> np.ndarray[Any, Any]:
        """(B,) bool: False marks rows that only fill up, and masked ones."""
        valid: np.ndarray[Any, Any] = self._core.valid()
        return valid

    @property
    def epoch(self) -> int:
        epoch: int = self._core.epoch
        return epoch

    @property
    def position(self) -> int:
        """The first position of the global step in the epoch."""
        position: int = self._core.position
        return position

    def state_dict(self) -> dict[str, Any]:
        """The loader's state after this batch was used."""
        state: dict[str, Any] = json.loads(self._core.state())
        return state

    def __repr__(self) -> str:
        rows = len(self._core)
        shape = getattr(self.images, "shape", None)
        what = f"images {tuple(shape)}" if shape is not None else f"{rows} records"
        return f"Batch({what}, epoch {self.epoch}, position {self.position})"
