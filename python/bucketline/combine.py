"""Datasets put together: one after the other, or in proportions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from bucketline import _core
from bucketline._options import flag, number
from bucketline.dataset import Dataset, require_records
from bucketline.errors import InvalidArgumentError, UnsupportedError


def concat(datasets: Sequence[Dataset], repeats: bool = False) -> Dataset:
    """The records of the first, then those of the second, and so on; other buckets and views are fine.

    Classes are merged by name. repeats: the same object may come more than once. Raises InvalidArgumentError for labels
    of different kinds.
    """
    if not datasets or not all(isinstance(dataset, Dataset) for dataset in datasets):
        raise InvalidArgumentError(f"concat and mix take a list of Datasets, not {datasets!r}")
    require_records(datasets)
    if any(dataset._mix is not None for dataset in datasets):
        raise UnsupportedError("a mix is whole: give all datasets and their weights to one mix")
    cores, objects = _renumbered(datasets)
    whole = datasets[0]._view(_core.concat(cores, flag(repeats, "repeats")))
    whole._objects = objects
    whole._left_out = sum(dataset._left_out for dataset in datasets)
    return whole


def mix(datasets: Sequence[Dataset], weights: Sequence[float]) -> Dataset:
    """Records of several datasets in the proportions of their weights: of `mix([a, b], weights=[3, 1])` three of four are
    a's.

    A Loader of it draws, whatever its shuffle: with whole weights of sum W, every W positions have as many of each dataset
    as its weight says. A dataset goes through its records in a random order, and then through another one: none comes
    again before all have come. epoch_size= is how long an epoch is (None: as many as all datasets have records); the order
    is a function of (seed, epoch, position), so that a run resumes anywhere.

    weights: positive numbers; fractions are taken as they are written (0.7 is 7/10). The records stand as `concat` puts
    them, labels are merged as there. Views are taken of the datasets, before they are mixed.
    """
    whole = concat(datasets, repeats=True)
    shares = _whole_numbers(weights)
    if len(shares) != len(datasets):
        raise InvalidArgumentError(
            f"weights must hold one number a dataset: there are {len(datasets)}, and {len(shares)} weights"
        )
    for dataset in datasets:
        if len(dataset) == 0:
            raise InvalidArgumentError(f"{dataset!r} has no records that could be mixed in")
    whole._mix = [(len(dataset), share) for dataset, share in zip(datasets, shares, strict=True)]
    return whole


def _whole_numbers(weights: Sequence[float]) -> list[int]:
    """In the same proportions, as small as can be."""
    parts = [Fraction(str(number(weight, "a weight", 0, 2**32))) for weight in weights]
    if not all(part > 0 for part in parts):
        raise InvalidArgumentError(f"weights must be above 0, not {list(weights)!r}")
    whole = [int(part * math.lcm(*(part.denominator for part in parts))) for part in parts]
    return [part // math.gcd(*whole) for part in whole]


def _renumbered(datasets: Sequence[Dataset]) -> tuple[list[Any], list[Any] | None]:
    """The engine's datasets, and one list of the labels that Python keeps for all of them, which their places fit."""
    kept = [dataset._objects for dataset in datasets]
    if not any(objects is not None for objects in kept):
        return [dataset._core for dataset in datasets], None
    cores: list[Any] = []
    together: list[Any] = []
    for dataset, objects in zip(datasets, kept, strict=True):
        if objects is None:
            raise InvalidArgumentError(
                f"the labels of {dataset._core.source} are not of the kind of the others', which are objects of Python; "
                "datasets can be put together when their labels are of one kind"
            )
        places = _core.integer_labels(dataset._core.labels() + len(together))
        cores.append(dataset._core.with_labels(places))
        together += objects
    return cores, together
