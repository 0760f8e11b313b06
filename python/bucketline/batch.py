"""Batch: what a loader gives."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from bucketline.dataset import Dataset


class BatchFacts:
    """What a batch knows of its rows. Arrays are views of the engine's memory, which they keep alive."""

    _core: Any
    _dataset: Dataset
    _labels: Any

    @property
    def labels(self) -> Any:
        """(B,) int64 or float32, (B, k) float32, or None; a list of labels that are none of these."""
        return self._labels

    @cached_property
    def record_keys(self) -> list[str]:
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

    @cached_property
    def geometry(self) -> np.ndarray[Any, Any] | None:
        """(B, 6) float32, for boxes and key points: (a, b, c, d, e, f) takes a point (x, y) of the image to
        (a x + b y + c, d x + e y + f) of its row; the middle of the first pixel is (0.5, 0.5). 0 for masked rows. Of
        several fields that of the first image; None where none is decoded."""
        geometry: np.ndarray[Any, Any] | None = self._core.geometry()
        return geometry

    @cached_property
    def source_sizes(self) -> np.ndarray[Any, Any] | None:
        """(B, 2) int32: height and width of each image before crop and resize, of the images that `geometry` is of."""
        sizes: np.ndarray[Any, Any] | None = self._core.source_sizes()
        return sizes

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


class Batch(BatchFacts, tuple[Any, Any]):
    """A tuple of exactly (images, labels), with the rest as attributes.

    images: (B, C, H, W) or (B, H, W, C), the loader's memory itself (no copy): it is yours to keep and to write, also
        after the loader is closed. A list of bytes where the loader has no image=; what collate= made, if any.
    """

    def __new__(cls, images: Any, labels: Any, core: Any, dataset: Dataset) -> Batch:
        batch = tuple.__new__(cls, (images, labels))
        batch._core = core
        batch._dataset = dataset
        batch._labels = labels
        return batch

    @property
    def images(self) -> Any:
        return self[0]

    @property
    def keys(self) -> list[str]:
        """`record_keys`."""
        return self.record_keys

    @property
    def labels(self) -> Any:
        return self[1]

    def __repr__(self) -> str:
        shape = getattr(self.images, "shape", None)
        what = f"images {tuple(shape)}" if shape is not None else f"{len(self._core)} records"
        return f"Batch({what}, epoch {self.epoch}, position {self.position})"


class FieldBatch(BatchFacts, dict[str, Any]):
    """A dict of the loader's fields, or of what a transform's dicts hold, with the rest as attributes.

    Decoded fields are (B, C, H, W) or (B, H, W, C), raw ones lists of bytes. `keys()` are the names of the fields,
    `record_keys` those of the records.
    """

    def __init__(self, fields: dict[str, Any], labels: Any, core: Any, dataset: Dataset) -> None:
        super().__init__(fields)
        self._core = core
        self._dataset = dataset
        self._labels = labels

    def __repr__(self) -> str:
        return f"FieldBatch({', '.join(self)}, epoch {self.epoch}, position {self.position})"
