"""Datasets put together: one after the other, or in proportions."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from bucketline import _core
from bucketline._options import choice, flag, number
from bucketline.dataset import Dataset, Mixture, require_records
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


def mix(
    datasets: Sequence[Dataset],
    weights: Sequence[float] | str | None = None,
    *,
    temperature: float | None = None,
    counts: Sequence[int] | None = None,
) -> Dataset:
    """Records of several datasets in the proportions of their weights: of `mix([a, b], weights=[3, 1])` three of four are
    a's.

    A Loader of it draws, whatever its shuffle: with whole weights of sum W, every W positions have as many of each dataset
    as its weight says. A dataset goes through its records in a random order, and then through another one: none comes
    again before all have come. epoch_size= is how long an epoch is (None: as many as all datasets have records); the order
    is a function of (seed, epoch, position), so that a run resumes anywhere.

    Give one of these:
    weights: positive numbers; fractions are taken as they are written (0.7 is 7/10). Or "proportional": by the number of
        records, as if all were shuffled together.
    temperature: T above 0: a dataset of n records gets a share in proportion to n^(1/T), as multilingual training has it. 1
        is proportional; above it small datasets come more often, towards infinity all equally often. Each share is within
        1 % of that.
    counts: how many records of each an epoch has, exactly, from 1 on: `counts=[1000, 500]`. An epoch is as long as they
        are together.

    The records stand as `concat` puts them, labels are merged as there. Views are taken of the datasets, before they are
    mixed.
    """
    whole = concat(datasets, repeats=True)
    for dataset in datasets:
        if len(dataset) == 0:
            raise InvalidArgumentError(f"{dataset!r} has no records that could be mixed in")
    given = {"weights": weights, "temperature": temperature, "counts": counts}
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        raise InvalidArgumentError(
            f"mix takes one of weights, temperature and counts, not {' and '.join(named) or 'none of them'}"
        )
    sizes = [len(dataset) for dataset in datasets]
    epoch_size = None
    if temperature is not None:
        shares = _core.temperature_weights(sizes, _temperature(temperature))
    elif counts is not None:
        shares = _whole_numbers(counts, "counts")
        epoch_size = sum(counts)
    elif isinstance(weights, str):
        choice(weights, "weights", {"proportional": True})
        shares = _core.proportional_weights(sizes)
    else:
        assert weights is not None
        shares = _whole_numbers(weights, "weights")
    if len(shares) != len(datasets):
        raise InvalidArgumentError(
            f"{named[0]} must hold one number a dataset: there are {len(datasets)}, and {len(shares)} {named[0]}"
        )
    whole._mix = Mixture(list(zip(sizes, shares, strict=True)), epoch_size)
    return whole


def _temperature(value: float) -> float:
    """Not yet its range, which the engine knows."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise InvalidArgumentError(f"temperature must be a number, not {value!r}")
    return float(value)


def _whole_numbers(given: Sequence[float], option: str) -> list[int]:
    """In the same proportions, as small as can be."""
    one = f"a {option.removesuffix('s')}"
    parts = [Fraction(str(number(value, one, 0, 2**32, whole=option == "counts"))) for value in given]
    if parts and not any(parts):
        raise InvalidArgumentError(f"{option} sum to zero, so nothing would come: {list(given)!r}")
    if not all(part > 0 for part in parts):
        raise InvalidArgumentError(
            f"{option} must be above 0, not {list(given)!r}; leave a dataset out that should never come"
        )
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
