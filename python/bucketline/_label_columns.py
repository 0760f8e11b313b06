"""Columns of labels: what the values that Python has become in the engine.

The engine keeps names, numbers and rows of numbers. Other labels stay Python's: the engine gets their places in a list,
which views, splits and batches then carry along as they carry any number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from bucketline import _core


class Column(NamedTuple):
    """One label a record."""

    core: Any  # the engine's column
    objects: list[Any] | None  # what its numbers are places in; None: it holds the labels themselves


def column_of(values: Any, classes: Sequence[str] | None = None) -> Column:
    """The column of these labels, a list or an array. Raises InvalidArgumentError for a name that is none of `classes`."""
    import numpy as np

    if classes is not None:
        return Column(
            _core.class_labels([str(value) for value in values], [str(name) for name in classes]), None
        )
    labels = plain(values)
    if labels is None:
        return Column(_core.integer_labels(np.arange(len(values))), list(values))
    if isinstance(labels, list):
        return Column(_core.class_labels(labels, None), None)
    if labels.ndim == 2:
        return Column(_core.vector_labels(np.ascontiguousarray(labels, np.float32)), None)
    if labels.dtype.kind == "f":
        return Column(_core.float_labels(np.ascontiguousarray(labels, np.float32)), None)
    return Column(_core.integer_labels(np.ascontiguousarray(labels, np.int64)), None)


def plain(values: Any) -> Any:
    """A list of names, an array of numbers (n,) or of rows of them (n, k): what the engine can hold. None: anything
    else."""
    import numpy as np

    is_array = hasattr(values, "dtype")
    values = values if is_array else list(values)
    if not is_array and all(isinstance(value, str) for value in values):
        return values
    try:
        array = np.asarray(values)
    except (ValueError, TypeError):  # lists of several lengths
        return None
    if is_array and array.dtype.kind == "U" and array.ndim == 1:
        return [str(value) for value in array]
    if array.dtype.kind not in "biuf" or array.ndim not in (1, 2):
        return None
    beyond = array.dtype == np.uint64 and array.size > 0 and array.max() > np.iinfo(np.int64).max
    return None if beyond and array.ndim == 1 else array


def kinds_of(labels: Iterable[Any]) -> str:
    """ "dict, list": for messages."""
    return ", ".join(sorted({type(label).__name__ for label in labels}))
