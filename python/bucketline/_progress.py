"""Progress while listing: a tqdm bar where tqdm is installed, else a line on a terminal, else nothing."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from bucketline.errors import InvalidArgumentError

Tell = Callable[[int], Any]


@contextlib.contextmanager
def listing_progress(progress: bool | Tell | None) -> Iterator[Tell | None]:
    """What to call with the number of objects so far; None where nobody wants to know."""
    if progress is None or progress is False:
        yield None
    elif callable(progress):
        yield progress
    elif progress is True:
        with _bar() as tell:
            yield tell
    else:
        raise InvalidArgumentError(f"progress must be True, False or something to call, not {progress!r}")


@contextlib.contextmanager
def _bar() -> Iterator[Tell]:
    tqdm = _tqdm()
    if tqdm is None:
        with _line() as tell:
            yield tell
    else:
        with tqdm(desc="listing", unit=" objects") as bar:
            yield lambda objects: bar.update(objects - bar.n)


def _tqdm() -> Any:
    with contextlib.suppress(ImportError):
        from tqdm.auto import tqdm

        return tqdm
    return None


@contextlib.contextmanager
def _line() -> Iterator[Tell]:
    shown = False

    def show(objects: int) -> None:
        nonlocal shown
        if sys.stderr.isatty():
            shown = True
            print(f"\rlisting: {objects} objects", end="", file=sys.stderr, flush=True)

    try:
        yield show
    finally:
        if shown:
            print(file=sys.stderr)
