"""Progress while listing: a tqdm bar where tqdm is installed, else a line on a terminal, else nothing."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable


def listing_bar() -> Callable[[int], None]:
    """Something to call with the number of objects so far."""
    with contextlib.suppress(ImportError):
        from tqdm.auto import tqdm

        bar = tqdm(desc="listing", unit=" objects")

        def show_bar(objects: int) -> None:
            bar.update(objects - bar.n)

        return show_bar

    def show_line(objects: int) -> None:
        if sys.stderr.isatty():
            print(f"\rlisting: {objects} objects", end="", file=sys.stderr, flush=True)

    return show_line
