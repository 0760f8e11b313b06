"""Texts: keys as a sequence, which the engine holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload


class Texts(Sequence[str]):
    """The keys or URIs of a dataset, made when they are looked at: a million of them cost nothing until then."""

    _CHUNK = 1024

    def __init__(self, count: int, read: Callable[[int, int], list[str]]) -> None:
        self._count = count
        self._read = read  # of (first, how many)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            numbers = range(*index.indices(len(self)))
            if numbers.step == 1:
                return self._read(numbers.start, len(numbers))
            return [self[i] for i in numbers]
        return self._read(position(index, len(self)), 1)[0]

    def __iter__(self) -> Iterator[str]:
        for first in range(0, len(self), self._CHUNK):
            yield from self[first : first + self._CHUNK]

    def __repr__(self) -> str:
        shown = [repr(text) for text in self[:3]]
        more = [f"... {len(self)} in all"] if len(self) > 3 else []
        return f"[{', '.join(shown + more)}]"


def position(index: Any, count: int) -> int:
    place = index.__index__() if hasattr(index, "__index__") else None
    if place is None:
        raise TypeError(f"indices must be integers or slices, not {type(index).__name__}")
    if not -count <= place < count:
        raise IndexError(f"index {place} is out of range: there are {count} records")
    return int(place) % count
