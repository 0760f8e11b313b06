"""Opener: a Dataset that each process opens for itself, without listing again."""

from __future__ import annotations

import os
import tempfile
from typing import Any, NamedTuple

from bucketline import _core
from bucketline.dataset import Dataset

_left_behind: list[Any] = []  # of a parent process: its threads are not here, so nothing may be destroyed


class _Frozen(NamedTuple):
    """What opens a Dataset again."""

    manifest: bytes  # the whole one
    records: Any  # their numbers in it, of a view; None: all
    reach: dict[str, Any]  # how the bucket is reached
    objects: list[Any] | None  # labels that Python keeps


class Opener:
    """Gives the process's own Dataset: the one it was made of, or, in a forked child and where it was unpickled, the
    same records opened anew from their manifest, with the process's default Runtime."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset: Dataset | None = dataset
        self._frozen: _Frozen | None = None
        self._pid = os.getpid()

    def __call__(self) -> Dataset:
        if self._dataset is None or self._pid != os.getpid():
            frozen = self._freeze()
            if self._dataset is not None:
                _left_behind.append(self._dataset)
            self._dataset = _thaw(frozen)
            self._pid = os.getpid()
        return self._dataset

    def __getstate__(self) -> dict[str, Any]:
        return {"_dataset": None, "_frozen": self._freeze(), "_pid": 0}

    def _freeze(self) -> _Frozen:
        """In a forked child too: it touches no thread, lock or connection of the parent."""
        if self._frozen is not None:
            return self._frozen
        assert self._dataset is not None
        core = self._dataset._core
        return _Frozen(
            _core.manifest_bytes(core),
            _core.manifest_indices(core),
            self._dataset._reach,
            self._dataset._objects,
        )


def _thaw(frozen: _Frozen) -> Dataset:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "data.manifest")
        with open(path, "wb") as file:
            file.write(frozen.manifest)
        whole = Dataset(path, **frozen.reach)
    whole._objects = frozen.objects
    return whole if frozen.records is None else whole.select(frozen.records)
