"""Assembler: an engine's batch as the loop's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bucketline.batch import Batch, FieldBatch
from bucketline.dataset import Dataset
from bucketline.errors import InvalidArgumentError
from bucketline.transform import NOTHING, Made

Convert = Callable[[Any], Any]


class Assembler:
    """Makes batches of one kind.

    dataset: that of the batches. fields: (name, decoded) of each; None: one without a name. collate: the user's own, of
    the list of a batch's values. batch, fields_batch: the classes of batches.
    """

    def __init__(
        self,
        dataset: Dataset,
        decoded: bool,
        fields: Sequence[tuple[str, bool]] | None,
        collate: Callable[[list[Any]], Any] | None,
        batch: type[Batch],
        fields_batch: type[FieldBatch],
    ) -> None:
        self._dataset = dataset
        self._decoded = decoded
        self._fields = fields
        self._collate = collate
        self._batch = batch
        self._fields_batch = fields_batch
        self._pattern: Made | None = None  # what a row is like: for batches that are masked whole

    def __call__(self, core: Any, convert: Convert) -> Batch | FieldBatch:
        """`convert` makes a numpy array the framework's."""
        labels = self._dataset._labels_of(core.labels())
        labels = labels if labels is None or isinstance(labels, list) else convert(labels)
        if core.has_values:
            return self._of_values(core, core.values(), labels, convert)
        if self._fields is not None:
            fields = {
                name: _field(core, i, decoded, convert) for i, (name, decoded) in enumerate(self._fields)
            }
            return self._fields_batch(fields, labels, core, self._dataset)
        images = _field(core, 0, self._decoded, convert)
        if self._collate is not None and not self._decoded:
            images = self._collate(images)
        return self._batch(images, labels, core, self._dataset)

    def _of_values(
        self, core: Any, made: list[Made | None], labels: Any, convert: Convert
    ) -> Batch | FieldBatch:
        rows = [row for row in made if row is not None]
        if rows and self._pattern is None:
            label = NOTHING if rows[0].label is NOTHING else _blank(rows[0].label)
            self._pattern = Made(rows[0].key, _blank(rows[0].value), label)
        pattern = self._pattern
        if any((row.label is NOTHING) != (pattern.label is NOTHING) for row in rows if pattern):
            odd = next(row.key for row in rows if row.label is NOTHING)
            raise InvalidArgumentError(f"the transform gave a label for other samples and none for {odd!r}")
        if pattern is not None and pattern.label is not NOTHING:
            labels = _stack(made, pattern, "labels", lambda row: row.label, convert)
        if self._collate is not None:
            values = self._collate([None if row is None else row.value for row in made])
            return self._batch(values, labels, core, self._dataset)
        if any(isinstance(row.value, dict) for row in rows) or (pattern and isinstance(pattern.value, dict)):
            return self._fields_batch(_stack_dicts(made, pattern, convert), labels, core, self._dataset)
        images = _stack(made, pattern, "values", lambda row: row.value, convert)
        return self._batch(images, labels, core, self._dataset)


def _field(core: Any, number: int, decoded: bool, convert: Convert) -> Any:
    return convert(core.pixels(number)) if decoded else core.raw(number)


def _stack_dicts(made: list[Made | None], pattern: Any, convert: Convert) -> dict[str, Any]:
    first = next((row for row in made if row is not None), pattern)
    names = list(first.value) if isinstance(first.value, dict) else ["no dict"]
    for row in made:
        if row is not None and (not isinstance(row.value, dict) or set(row.value) != set(names)):
            raise InvalidArgumentError(
                f"the transform gave {', '.join(map(str, names))} for {first.key!r} and something else for {row.key!r}"
            )

    def of(name: str) -> Callable[[Made], Any]:
        return lambda row: row.value[name]

    return {name: _stack(made, pattern, name, of(name), convert) for name in names}


def _stack(
    made: list[Made | None], pattern: Made | None, what: str, of: Callable[[Made], Any], convert: Convert
) -> Any:
    """Arrays and numbers of one shape as one array, zero for masked rows; anything else as a list."""
    import numpy as np

    arrays = [None if row is None else _array(of(row)) for row in made]
    like = next((row for row in made if row is not None), pattern)
    first = None if like is None else _array(of(like))
    if (
        like is None
        or first is None
        or any(array is None for row, array in zip(made, arrays, strict=True) if row)
    ):
        return [None if row is None else of(row) for row in made]
    dtypes = {first.dtype}
    for row, array in zip(made, arrays, strict=True):
        if row is None or array is None:
            continue
        if array.shape != first.shape or (array.dtype != first.dtype and array.ndim > 0):
            raise InvalidArgumentError(
                f"the transform's {what} do not make one array: {first.dtype} {first.shape} for {like.key!r}, "
                f"{array.dtype} {array.shape} for {row.key!r}; make them alike, or give the Loader a collate="
            )
        dtypes.add(array.dtype)
    whole_beside_fractions = dtypes == {np.dtype(np.int64), np.dtype(np.float32)}
    dtype = np.dtype(np.float32) if whole_beside_fractions else np.result_type(*dtypes)
    stacked = np.zeros((len(made), *first.shape), dtype)
    for number, each in enumerate(arrays):
        if each is not None:
            stacked[number] = each
    return convert(stacked)


def _blank(value: Any) -> Any:
    """A zero of the same shape and type, of no size in memory; None for what is no array."""
    import numpy as np

    if isinstance(value, dict):
        return {name: _blank(part) for name, part in value.items()}
    array = _array(value)
    return None if array is None else np.broadcast_to(np.zeros((), array.dtype), array.shape)


def _array(value: Any) -> Any:
    """Numbers and arrays of numbers, those of other frameworks too, as numpy's; None for anything else. Python's floats
    are float32, as labels are."""
    import numpy as np

    if isinstance(value, float) and not isinstance(value, np.generic):
        return np.float32(value)
    if not isinstance(value, int) and not (hasattr(value, "__array__") and hasattr(value, "dtype")):
        return None
    array = np.asarray(value)
    return array if array.dtype.kind in "biufc" else None
