"""Labels: how a sample gets its label."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bucketline import _core
from bucketline.errors import InvalidArgumentError

_TABLES = (".json", ".jsonl", ".csv")


@dataclass(frozen=True)
class Labels:
    """A source of labels, with what a short form leaves to its defaults.

    source: None | "folder" (the first path component below the prefix) | "parent" (the last folder before the name) |
        the URI of a .json, .jsonl or .csv table.
    key, label: the columns of a table that name the sample and hold its label.
    classes: fixes the names and their order; an unknown label is an error. None: those that occur, sorted bytewise.

    Strings become int64 by their position in `classes`, ints int64, floats float32, lists of equal length rows.
    """

    source: Any = None
    key: str = "file"
    label: str = "label"
    classes: Sequence[str] | None = None

    def to_core(self) -> Any:
        """The engine's rule."""
        core = self._rule()
        if self.classes is not None:
            core.classes(list(self.classes))
        return core

    def _rule(self) -> Any:
        if self.source is None:
            return _core.Labels.none()
        if self.source == "folder":
            return _core.Labels.folder()
        if self.source == "parent":
            return _core.Labels.parent()
        if isinstance(self.source, (str, os.PathLike)) and os.fspath(self.source).endswith(_TABLES):
            return _core.Labels.table(os.fspath(self.source), self.key, self.label)
        raise InvalidArgumentError(
            f"labels must be None, 'folder', 'parent', or the URI of a .json, .jsonl or .csv table, not {self.source!r}"
        )
