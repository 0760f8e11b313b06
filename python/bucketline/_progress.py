"""Progress while listing: a tqdm bar where tqdm is installed, else a line on a terminal, else nothing."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from bucketline import _core
from bucketline.errors import InvalidArgumentError


class ListingProgress(NamedTuple):
    """How far a listing is. `left` and `seconds_left` are estimates, by how far the pages so far went through the keys that
    there may be; None while these disagree, and for folders on a disk; 0 at the end. Keys that nothing has hinted at are not
    in them."""

    objects: int
    per_second: float
    left: int | None
    seconds_left: float | None


Tell = Callable[[ListingProgress], Any]


@contextlib.contextmanager
def listing_progress(
    progress: Any, of_objects: bool = True
) -> Iterator[Callable[[int, float, int | None, float | None], Any] | None]:
    """What to call with the numbers of a ListingProgress; None where nobody wants to know. A function that is given gets
    the objects alone, or all of it."""
    if progress is None or progress is False:
        yield None
    elif callable(progress):
        if of_objects:
            yield lambda objects, *_: progress(objects)
        else:
            yield lambda *numbers: progress(ListingProgress(*numbers))
    elif progress is True:
        with _bar() as tell:
            yield lambda *numbers: tell(ListingProgress(*numbers))
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

            def show(now: ListingProgress) -> None:
                bar.total = None if now.left is None else now.objects + now.left
                bar.set_description_str("listing, of about" if now.left else "listing", refresh=False)
                bar.update(now.objects - bar.n)

            yield show


def _tqdm() -> Any:
    with contextlib.suppress(ImportError):
        from tqdm.auto import tqdm

        return tqdm
    return None


@contextlib.contextmanager
def _line() -> Iterator[Tell]:
    shown = False

    def show(now: ListingProgress) -> None:
        nonlocal shown
        if sys.stderr.isatty():
            shown = True
            print(f"\r\x1b[Klisting: {_core.listing_text(*now)}", end="", file=sys.stderr, flush=True)

    try:
        yield show
    finally:
        if shown:
            print(file=sys.stderr)
