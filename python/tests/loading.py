"""A dataset of small labelled images, and loaders of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from images import labelled_objects

import bucketline as bl

COUNT = 53
SMALL = bl.Image(16, dtype="uint8")


def labelled_dataset(folder: Path) -> bl.Dataset:
    """COUNT images, written there."""
    with bl.Writer(folder) as writer:
        for key, data in labelled_objects(COUNT).items():
            writer.put(key, data)
    return bl.Dataset(folder, labels="folder")


def make(dataset: bl.Dataset, **options: Any) -> bl.Loader:
    return bl.Loader(dataset, **{"batch_size": 8, "image": SMALL, "distributed": False, **options})


def epoch_of(loader: bl.Loader) -> list[int]:
    return [int(index) for batch in loader for index in batch.indices[batch.valid]]
