"""What is opened to be read in worker processes: a Dataset, by its keywords."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

from bucketline import _loader_options
from bucketline._dataset_options import DATASET_KEYWORDS
from bucketline._options import reject_unknown
from bucketline.dataset import Dataset
from bucketline.errors import InvalidArgumentError, UnsupportedError

SAMPLER_KEYWORDS = (
    "batch_size",
    "global_batch_size",
    "shuffle",
    "seed",
    "last",
    "rank",
    "world_size",
    "distributed",
)
SAMPLE_KEYWORDS = ("image", "threads", "memory", "max_requests", "on_error", "max_skipped")


def open_dataset(given: Any, options: dict[str, Any]) -> Dataset:
    """Of a Dataset, or of one URI (workers open it anew, which several cannot be) with the Dataset's keywords."""
    if not isinstance(given, (Dataset, str, os.PathLike)):
        raise InvalidArgumentError(f"dataset must be a bucketline.Dataset or a URI, not {given!r}")
    dataset = _loader_options.open_dataset(given, options)
    if dataset._mix is not None:
        raise UnsupportedError("samples by number are of one dataset: give a mix to bucketline.torch.Loader")
    return dataset


def dataset_options(options: dict[str, Any], known: Collection[str], where: str) -> dict[str, Any]:
    """Those of the Dataset. Raises for the others: `where` takes `known` besides."""
    for name in options:
        if name in _loader_options.LOADER_KEYWORDS and name not in known:
            there = "BatchSampler" if name in SAMPLER_KEYWORDS else "Loader"
            raise UnsupportedError(f"{where} has no {name}=; bucketline.torch.{there} has")
    reject_unknown(options, (*DATASET_KEYWORDS, *known), where)
    return options
