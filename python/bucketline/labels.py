"""Labels: how a sample gets its label."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bucketline import _core
from bucketline._options import choice
from bucketline.errors import InvalidArgumentError

_TABLES = (".json", ".jsonl", ".csv")
_MATCHES = {"key": False, "name": True}
_MISSING = {"error": False, "drop": True}


@dataclass(frozen=True)
class Sidecar:
    """One JSON object per sample: `Sidecar("{stem}.json", field="label")` reads a/1.json for a/1.jpg.

    name: a URI, or a path from the sample's folder ("../labels/{stem}.json"). {stem} is the sample's name without its
        last extension, {name} its name, {folder} what is before that.
    """

    name: str
    field: str = "label"


@dataclass(frozen=True)
class Labels:
    """A source of labels, with what a short form leaves to its defaults.

    source: None |
        "folder" (the first path component below the prefix) | "parent" (the last folder before the name) |
        the URI of a .json, .jsonl or .csv table | a dict | a DataFrame or a list of dicts |
        an array or a list with one label a record, in the order of `ds.keys` |
        re.compile("(?P<label>...)") searched for in the key | a function of the key | a Sidecar.
    key, label: the columns of a table that name the sample and hold its label.
    match: a table names samples by "key" (whole URIs, keys, or keys relative to the prefix; one form for the whole
        table) or by bare file "name".
    missing: what a sample without a label is: an "error", or left out ("drop").
    classes: fixes the names and their order; an unknown label is an error. None: those that occur, sorted bytewise.
    one_hot: names become rows of 0 and 1.

    Strings become int64 (B,) by their position in `classes`, ints int64, floats float32, lists of one length (B, k).
    """

    source: Any = None
    key: str = "file"
    label: str = "label"
    match: str = "key"
    missing: str = "error"
    classes: Sequence[str] | None = None
    one_hot: bool = False

    @classmethod
    def of(cls, given: Any) -> Labels:
        """`given`, or the Labels that a short form stands for."""
        return given if isinstance(given, Labels) else cls(given)

    def to_core(self) -> tuple[Any, Callable[[Any], Any] | None]:
        """The engine's rule, and, where Python has to work the labels out, what to call with the engine's dataset."""
        source = self.source
        names = choice(self.match, "match", _MATCHES)
        drop = choice(self.missing, "missing", _MISSING)
        if callable(source):
            return _core.Labels.none(), lambda dataset: self._by_function(dataset, source)
        rule = self._rule()
        if rule is None:
            return _core.Labels.none(), lambda dataset: self._by_values(dataset, source)
        if self.classes is not None:
            rule.set_classes([str(name) for name in self.classes])
        if names:
            rule.match_names()
        if drop:
            rule.drop_missing()
        if self.one_hot:
            rule.one_hot()
        return rule, None

    def _rule(self) -> Any:
        source = self.source
        if source is None:
            return _core.Labels.none()
        if isinstance(source, str) and source in ("folder", "parent"):
            return _core.Labels.folder() if source == "folder" else _core.Labels.parent()
        if isinstance(source, (str, os.PathLike)):
            if os.fspath(source).endswith(_TABLES):
                return _core.Labels.table(os.fspath(source), self.key, self.label)
            raise InvalidArgumentError(
                "labels must be None, 'folder', 'parent', the URI of a .json, .jsonl or .csv table, a dict, a table, an "
                f"array, a pattern, a function or a Sidecar, not {source!r}"
            )
        if isinstance(source, re.Pattern):
            return _core.Labels.pattern(source.pattern)
        if isinstance(source, Sidecar):
            return _core.Labels.sidecar(source.name, source.field)
        rows = self._rows()
        return None if rows is None else _core.Labels.table_text(_json(rows))

    def _rows(self) -> Any:
        """A dict or table as what a .json would hold; None when `source` is a plain list of labels."""
        source = self.source
        if isinstance(source, Mapping):
            return {os.fspath(key): label for key, label in source.items() if label is not None}
        if hasattr(source, "columns"):  # a DataFrame
            absent = [name for name in (self.key, self.label) if name not in source.columns]
            if absent:
                columns = ", ".join(map(str, source.columns))
                raise InvalidArgumentError(
                    f"the table of labels has no column {absent[0]!r}; it has {columns}"
                )
            rows = zip(source[self.key].tolist(), source[self.label].tolist(), strict=True)
            return [{"file": key, "label": label} for key, label in rows]
        if isinstance(source, (list, tuple)) and source and isinstance(source[0], Mapping):
            for number, row in enumerate(source):
                for name in (self.key, self.label):
                    if name not in row:
                        raise InvalidArgumentError(f"row {number} of the table of labels has no {name!r}")
            return [{"file": row[self.key], "label": row[self.label]} for row in source]
        return None

    def _by_function(self, dataset: Any, function: Callable[[str], Any]) -> Any:
        keys = dataset.keys(0, len(dataset))
        labels = [function(key) for key in keys]
        absent = [number for number, label in enumerate(labels) if label is None]
        if absent and self.missing == "error":
            raise InvalidArgumentError(
                f"labels gave None for {keys[absent[0]]!r} ({len(absent)} keys in all); missing='drop' leaves them out"
            )
        if absent:
            dataset = dataset.select([number for number, label in enumerate(labels) if label is not None])
            labels = [label for label in labels if label is not None]
        return dataset.with_labels(self._column(labels))

    def _by_values(self, dataset: Any, values: Any) -> Any:
        if not hasattr(values, "__len__") or len(values) != len(dataset):
            count = f"{len(values)} labels" if hasattr(values, "__len__") else repr(values)
            raise InvalidArgumentError(
                f"labels must hold one label a record, in the order of the keys: there are {len(dataset)} records, "
                f"and {count} were given"
            )
        return dataset.with_labels(self._column(values))

    def _column(self, values: Iterable[Any]) -> Any:
        column = column_of(values, self.classes)
        return column.one_hot() if self.one_hot else column


def column_of(values: Any, classes: Sequence[str] | None = None) -> Any:
    """The engine's column of labels. Raises InvalidArgumentError for labels that do not go together."""
    import numpy as np

    if classes is not None:
        return _core.class_labels([str(value) for value in values], [str(name) for name in classes])
    values = values if hasattr(values, "dtype") else list(values)
    if not hasattr(values, "dtype") and all(isinstance(value, str) for value in values):
        return _core.class_labels(values, None)
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.empty(0, object)
    if array.dtype.kind in "US" and array.ndim == 1:
        return _core.class_labels([str(value) for value in array], None)
    if array.dtype.kind in "biu" and array.ndim == 1:
        return _core.integer_labels(np.ascontiguousarray(array, np.int64))
    if array.dtype.kind == "f" and array.ndim == 1:
        return _core.float_labels(np.ascontiguousarray(array, np.float32))
    if array.dtype.kind in "biuf" and array.ndim == 2:
        return _core.vector_labels(np.ascontiguousarray(array, np.float32))
    kinds = sorted({type(value).__name__ for value in values})
    raise InvalidArgumentError(
        f"labels must be all names, all numbers, or all lists of one length; these are {', '.join(kinds)}"
    )


def _json(rows: Any) -> str:
    def plain(value: Any) -> Any:
        if hasattr(value, "tolist"):  # numpy's scalars and arrays
            return value.tolist()
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        raise InvalidArgumentError(f"a label must be a text, a number or a list of numbers, not {value!r}")

    return json.dumps(rows, default=plain)
