"""Labels: how a sample gets its label."""

from __future__ import annotations

import difflib
import json
import numbers
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bucketline import _core
from bucketline._label_columns import Column, column_of, kinds_of, plain
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
class Member:
    """What a sample's own shard says: its member (of a tar), feature (of a TFRecord) or column (of MDS and Parquet) of that
    name. `Member("json", field="category")` reads a field of the JSON object that stands there.

    Read while the shards are indexed. Text that is a number in all samples is one.
    """

    name: str
    field: str = ""


@dataclass(frozen=True)
class Labels:
    """A source of labels, with what a short form leaves to its defaults.

    source: None |
        "folder" (the first path component below the prefix) | "parent" (the last folder before the name) |
        the URI of a .json, .jsonl or .csv table | a dict | a DataFrame or a list of dicts |
        an array or a list with one label a record, in the order of `ds.keys` |
        re.compile("(?P<label>...)") searched for in the key | a function of the key | a Sidecar |
        of shards: a Member, or its name: "cls", "image/class/label".
    key, label: the columns of a table that name the sample and hold its label.
    match: a table names samples by "key" (whole URIs, keys, or keys relative to the prefix; one form for the whole
        table) or by bare file "name".
    missing: what a sample without a label is: an "error", or left out ("drop").
    classes: fixes the names and their order; an unknown label is an error. None: those that occur, sorted bytewise.
    one_hot: names become rows of 0 and 1.

    None, NaN and pandas' NA in a dict, a table or a list are no label.

    Strings become int64 (B,) by their position in `classes`, ints int64, floats float32, lists of numbers of one length
    (B, k). Anything else that Python gives (lists of boxes, dicts, names beside numbers) stays what it is, in a list;
    tables in the bucket and Sidecars hold names, numbers and lists of one length.
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

    def to_core(self) -> tuple[Any, Callable[[Any], Labelled] | None]:
        """The engine's rule, and, where Python has a part in it, what to call with the engine's dataset."""
        source = self.source
        names = choice(self.match, "match", _MATCHES)
        drop = choice(self.missing, "missing", _MISSING)
        _check(source)
        if isinstance(source, re.Pattern):
            return _core.Labels.none(), lambda dataset: self._by_function(dataset, _group_of(source))
        if callable(source):
            return _core.Labels.none(), lambda dataset: self._by_function(dataset, source)
        rule, objects = self._rule()
        if rule is None:
            return _core.Labels.none(), lambda dataset: self._by_values(dataset, source)
        if self.classes is not None:
            rule.set_classes([str(name) for name in self.classes])
        if names:
            rule.match_names()
        if drop:
            rule.drop_missing()
        if self.one_hot:
            if objects is not None:
                raise _no_names(objects)
            rule.one_hot()
        return rule, None if objects is None else lambda dataset: Labelled(dataset, 0, objects)

    def _rule(self) -> tuple[Any, list[Any] | None]:
        """The engine's rule, and the labels that its numbers stand for, if they do; None for a plain list of labels."""
        source = self.source
        if source is None:
            return _core.Labels.none(), None
        if isinstance(source, str) and source in ("folder", "parent"):
            return _core.Labels.folder() if source == "folder" else _core.Labels.parent(), None
        if isinstance(source, (str, os.PathLike)):
            if os.fspath(source).endswith(_TABLES):
                return _core.Labels.table(os.fspath(source), self.key, self.label), None
            if not isinstance(source, str) or not source or "://" in source or _is_misspelt(source):
                raise _no_source(source)
            return _core.Labels.member(source, ""), None
        if isinstance(source, Member):
            return _core.Labels.member(source.name, source.field), None
        if isinstance(source, Sidecar):
            return _core.Labels.sidecar(source.name, source.field), None
        rows = self._rows()
        if rows is None:
            return None, None
        names, labels = [os.fspath(name) for name, _ in rows], [label for _, label in rows]
        objects = labels if self.classes is None and plain(labels) is None else None
        values = labels if objects is None else range(len(labels))
        pairs = zip(names, values, strict=True)
        is_dict = isinstance(source, Mapping)
        table = dict(pairs) if is_dict else [{"file": name, "label": value} for name, value in pairs]
        return _core.Labels.table_text(_json(table)), objects

    def _rows(self) -> list[tuple[Any, Any]] | None:
        """The (name, label) of a dict's or table's rows that have a label; None when `source` is a plain list of labels."""
        source = self.source
        rows: Iterable[tuple[Any, Any]]
        if isinstance(source, Mapping):
            rows = source.items()
        elif hasattr(source, "columns"):  # a DataFrame
            absent = [name for name in (self.key, self.label) if name not in source.columns]
            if absent:
                columns = ", ".join(map(str, source.columns))
                raise InvalidArgumentError(
                    f"the table of labels has no column {absent[0]!r}; it has {columns}"
                )
            rows = zip(source[self.key].tolist(), source[self.label].tolist(), strict=True)
        elif isinstance(source, (list, tuple)) and source and isinstance(source[0], Mapping):
            for number, row in enumerate(source):
                for name in (self.key, self.label):
                    if name not in row:
                        raise InvalidArgumentError(f"row {number} of the table of labels has no {name!r}")
            rows = zip(*([row[name] for row in source] for name in (self.key, self.label)), strict=True)
        else:
            return None
        return [(name, label) for name, label in rows if not _is_absent(label)]

    def _by_function(self, dataset: Any, function: Callable[[str], Any]) -> Labelled:
        return self._by_values(dataset, [function(key) for key in dataset.keys(0, len(dataset))])

    def _by_values(self, dataset: Any, values: Any) -> Labelled:
        if len(values) != len(dataset):
            raise InvalidArgumentError(
                "labels must hold one label a record, in the order of the keys: there are "
                f"{len(dataset)} records, and {len(values)} labels were given"
            )
        if hasattr(values, "dtype") and values.dtype.kind in "biufU":
            return self._labelled(dataset, values, 0)
        values = list(values)
        there = [number for number, label in enumerate(values) if not _is_absent(label)]
        absent = len(values) - len(there)
        if absent and (self.missing == "error" or not there):
            first = next(number for number, label in enumerate(values) if _is_absent(label))
            raise InvalidArgumentError(
                f"there is no label for {dataset.keys(first, 1)[0]!r} ({absent} such keys in all)"
                + ("; missing='drop' leaves them out" if there else "")
            )
        if absent:
            dataset = dataset.select(there)
            values = [values[number] for number in there]
        return self._labelled(dataset, values, absent)

    def _labelled(self, dataset: Any, values: Any, absent: int) -> Labelled:
        column, objects = self._column(values)
        return Labelled(dataset.with_labels(column), absent, objects)

    def _column(self, values: Any) -> Column:
        column = column_of(values, self.classes)
        if not self.one_hot:
            return column
        if column.objects is not None:
            raise _no_names(column.objects)
        return Column(column.core.one_hot(), None)


class Labelled(NamedTuple):
    """An engine's dataset with its labels."""

    core: Any
    left_out: int  # records, for want of a label
    objects: list[Any] | None  # what the labels of `core` are places in; None: they are the labels


def _no_names(labels: list[Any]) -> InvalidArgumentError:
    return InvalidArgumentError(f"one_hot=True needs labels that are names; these are {kinds_of(labels)}")


def _check(source: Any) -> None:
    """Raises InvalidArgumentError for what is no source of labels: before anything is listed."""
    if isinstance(source, re.Pattern):
        if not isinstance(source.pattern, str) or source.groups == 0:
            raise InvalidArgumentError(
                "a pattern of labels must be of a text, with a group that is the label, as in "
                f"re.compile(r'(?P<label>[a-z]+)_'), not {source!r}"
            )
        return
    of_a_form = source is None or callable(source) or isinstance(source, (str, os.PathLike, Sidecar, Member))
    in_order = hasattr(source, "__len__") and not isinstance(source, (bytes, set, frozenset))
    if not (of_a_form or in_order):
        raise _no_source(source)


def _no_source(source: Any) -> InvalidArgumentError:
    return InvalidArgumentError(
        "labels must be None, 'folder', 'parent', the URI of a .json, .jsonl or .csv table, a dict, a table, an "
        f"array, a pattern, a function, a Sidecar, or the name of a shard's Member, not {source!r}"
    )


def _is_misspelt(source: str) -> bool:
    """Nearly one of the words: a member that is really called so is given as a Member."""
    return bool(difflib.get_close_matches(source, ("folder", "parent"), cutoff=0.8))


def _group_of(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    """What the group "label", or else the first one, finds in a key."""
    group: str | int = "label" if "label" in pattern.groupindex else 1

    def label(key: str) -> str | None:
        found = pattern.search(key)
        return None if found is None else found[group]

    return label


def _is_absent(label: Any) -> bool:
    """None, and what tables write where nothing is: NaN, NaT, NA."""
    if label is None or type(label).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(label, numbers.Real) and bool(label != label)


def _json(rows: Any) -> str:
    def plain(value: Any) -> Any:
        if hasattr(value, "tolist"):  # numpy's scalars and arrays
            return value.tolist()
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        raise InvalidArgumentError(f"a label must be a text, a number or a list of numbers, not {value!r}")

    return json.dumps(rows, default=plain)
