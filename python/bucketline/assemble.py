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
    the list of a batch's values. batch: the class of plain batches.
    """

    def __init__(
        self,
        dataset: Dataset,
        decoded: bool,
        fields: Sequence[tuple[str, bool]] | None,
        collate: Callable[[list[Any]], Any] | None,
        batch: type[Batch],
    ) -> None:
        self._dataset = dataset
        self._decoded = decoded
        self._fields = fields
        self._collate = collate
        self._batch = batch

    def __call__(self, core: Any, convert: Convert) -> Batch | FieldBatch:
        """`convert` makes a numpy array the framework's."""
        labels = core.labels()
        labels = None if labels is None else convert(labels)
        if core.has_values:
            return self._of_values(core, core.values(), labels, convert)
        if self._fields is not None:
            fields = {
                name: _field(core, i, decoded, convert) for i, (name, decoded) in enumerate(self._fields)
            }
            return FieldBatch(fields, labels, core, self._dataset)
        images = _field(core, 0, self._decoded, convert)
        if self._collate is not None and not self._decoded:
            images = self._collate(images)
        return self._batch(images, labels, core, self._dataset)

    def _of_values(
        self, core: Any, made: list[Made | None], labels: Any, convert: Convert
    ) -> Batch | FieldBatch:
        given = [row.label for row in made if row is not None]
        if given and all(label is not NOTHING for label in given):
            rows = [Made(row.key, row.label, NOTHING) if row is not None else None for row in made]
            labels = _stack(rows, "labels", convert)
        elif any(label is not NOTHING for label in given):
            odd = next(row.key for row in made if row is not None and row.label is NOTHING)
            raise InvalidArgumentError(f"the transform gave a label for other samples and none for {odd!r}")
        if self._collate is not None:
            values = self._collate([None if row is None else row.value for row in made])
            return self._batch(values, labels, core, self._dataset)
        if any(isinstance(row.value, dict) for row in made if row is not None):
            return FieldBatch(_stack_dicts(made, convert), labels, core, self._dataset)
        return self._batch(_stack(made, "values", convert), labels, core, self._dataset)


def _field(core: Any, number: int, decoded: bool, convert: Convert) -> Any:
    return convert(core.pixels(number)) if decoded else core.raw(number)


def _stack_dicts(made: list[Made | None], convert: Convert) -> dict[str, Any]:
    rows = [row for row in made if row is not None]
    names = list(rows[0].value)
    for row in rows:
        if not isinstance(row.value, dict) or set(row.value) != set(names):
            raise InvalidArgumentError(
                f"the transform gave {', '.join(names)} for {rows[0].key!r} and something else for {row.key!r}"
            )
    return {
        name: _stack(
            [None if row is None else Made(row.key, row.value[name], NOTHING) for row in made], name, convert
        )
        for name in names
    }


def _stack(made: list[Made | None], what: str, convert: Convert) -> Any:
    """Arrays and numbers of one shape as one array, zero for masked rows; anything else as a list."""
    import numpy as np

    rows = [row for row in made if row is not None]
    if not rows or not all(isinstance(row.value, (np.ndarray, np.generic, int, float)) for row in rows):
        return [None if row is None else row.value for row in made]
    first = np.asarray(rows[0].value)
    for row in rows:
        array = np.asarray(row.value)
        if array.shape == first.shape and (array.dtype == first.dtype or array.ndim == 0):
            continue
        raise InvalidArgumentError(
            f"the transform's {what} do not make one array: {first.dtype} {first.shape} for {rows[0].key!r}, "
            f"{array.dtype} {array.shape} for {row.key!r}; make them alike, or give the Loader a collate="
        )
    dtype = np.result_type(*(np.asarray(row.value).dtype for row in rows)) if first.ndim == 0 else first.dtype
    if first.ndim == 0 and dtype == np.float64 and isinstance(rows[0].value, float):
        dtype = np.dtype(np.float32)
    stacked = np.zeros((len(made), *first.shape), dtype)
    for number, each in enumerate(made):
        if each is not None:
            stacked[number] = each.value
    return convert(stacked)
