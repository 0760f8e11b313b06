"""Loaders with a transform, for the tests of it."""

from __future__ import annotations

import threading
from typing import Any

import bucketline as bl

DEADLINE = 300.0


def make(dataset: Any, transform: Any, batch_size: int = 4, **options: Any) -> bl.Loader:
    return bl.Loader(dataset, batch_size, transform=transform, distributed=False, **options)


def within(seconds: float, work: Any) -> None:
    """`work()` on a thread of its own, which must end by then: a deadlock fails a test and does not hang it."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), f"still busy after {seconds} s"
    if raised:
        raise raised[0]
