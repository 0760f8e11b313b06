"""Writer: many objects below one prefix, written in parallel behind the caller's back."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any

import bucketline._core as _core
from bucketline._connection import place, uri_text
from bucketline._options import byte_size, flag, number, text
from bucketline.errors import Error, InternalError
from bucketline.objects import as_bytes
from bucketline.objects import list as list_objects

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from bucketline._connection import Connection


_EVER = 1e9  # seconds; every request has a deadline of its own
_INTERRUPTED = 1.0


class Writer:
    """Writes objects below `uri`, many at a time, while the caller makes the next ones.

        with bl.Writer("s3://bucket/predictions/") as writer:
            for batch in loader:
                for key, row in zip(batch.keys, predict(batch.images)):
                    writer.put(key + ".npy", row.tobytes())

    memory: bytes that objects on their way may take; an object takes twice its size, or 24 MiB more when that is less.
    parallel: objects that are written at a time.
    if_absent, content_type: as in `put`, for all objects.
    The other keywords are those of `Dataset`.

    What fails is raised by the next put, flush or close, naming the object, one failure a call; `failures` has them
    all. Leaving `with` by an exception writes what was put before it, and nothing more; by Ctrl-C, what of it can be
    written within a second. Not for several threads.
    """

    def __init__(
        self,
        uri: str | os.PathLike[str],
        *,
        memory: int | str = "256MiB",
        parallel: int = 32,
        if_absent: bool = False,
        content_type: str | None = None,
        **connection: Unpack[Connection],
    ) -> None:
        self._uri = uri_text(uri)
        if not self._uri.endswith("/"):
            self._uri += "/"
        self._connection = connection
        self._if_absent = flag(if_absent, "if_absent")
        self._content_type = text(content_type, "content_type")
        room = byte_size(memory, "memory")
        threads = number(parallel, "parallel", 1, 1024, whole=True)
        self._core = _core.Uploads(place(self._uri, "Writer", connection), room, threads)
        self._closed = False
        self._existing: frozenset[str] = frozenset()
        self._unraised: list[Error] = []
        self._failures: dict[str, Error] = {}
        _live.add(self)

    def put(self, key: str, data: Any) -> bool:
        """Takes a copy of `data`, to be written as `uri` + `key`; waits only while there is no memory for it.

        False when the object was there at `skip_existing`, so that nothing is written.
        Raises the failure of an earlier object, and ResourceExhaustedError for one that exceeds the memory by itself;
        then nothing is taken.
        """
        self._check_open()
        self._raise_failure()
        if not isinstance(key, str) or not key:
            raise TypeError(f"a key must be a text that is not empty, not {key!r}")
        if key in self._existing:
            return False
        self._core.put(key, as_bytes(data, "put"), self._if_absent, self._content_type)
        return True

    def skip_existing(self) -> frozenset[str]:
        """The keys, relative to `uri`, of the objects that are there now; from here on `put` leaves them alone.

        For work that is done again after a stop: do what is not among them.
        """
        self._check_open()
        above = len(place(self._uri, "Writer", self._connection).key)
        listed = list_objects(self._uri, **self._connection)
        self._existing = frozenset(found.key[above:] for found in listed)
        return self._existing

    def flush(self) -> None:
        """Waits until all that was put is written; raises a failure that was not raised yet."""
        self._check_open()
        self._core.flush(_EVER)
        self._raise_failure()

    def close(self) -> None:
        """As flush, and then the threads end. A second close is nothing."""
        if not self._closed:
            self._finish(_EVER)
            self._raise_failure()

    @property
    def failures(self) -> dict[str, Error]:
        """What was not written, by key, and why."""
        self._collect()
        return self._failures

    @property
    def written(self) -> int:
        """Objects that were written so far."""
        count: int = self._core.written
        return count

    def __enter__(self) -> Writer:
        self._check_open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
            return
        self._finish(_INTERRUPTED if issubclass(kind, KeyboardInterrupt) else _EVER)
        self._collect()
        for failure in self._unraised:  # the exception that is on its way is the one to be raised
            logging.getLogger("bucketline").error("%s", failure)

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        return f"Writer({self._uri!r}, {self.written} written, {state})"

    def _finish(self, seconds: float) -> None:
        self._closed = True
        try:
            self._core.flush(seconds)
        finally:
            self._core.give_up()

    def _collect(self) -> None:
        for key, failure in self._core.take_failures():
            self._failures[key] = failure
            self._unraised.append(failure)

    def _raise_failure(self) -> None:
        self._collect()
        if self._unraised:
            raise self._unraised.pop(0)

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("the writer is closed")


_live: weakref.WeakSet[Writer] = weakref.WeakSet()


@atexit.register
def _give_up_all() -> None:
    for writer in list(_live):
        with contextlib.suppress(InternalError):  # of the parent process, after a fork
            writer._core.give_up()
