"""open: objects as Python files, for everything that reads or writes one."""

from __future__ import annotations

import io
import os
from types import TracebackType
from typing import TYPE_CHECKING, Any

import bucketline._core as _core
from bucketline._connection import place
from bucketline._options import text
from bucketline.errors import InvalidArgumentError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from bucketline._connection import Connection

_MODES = ("rb", "wb", "xb", "r", "w", "x", "rt", "wt", "xt")
_SMALLEST_AHEAD = 256 << 10  # bytes: costs hardly more than the request itself
_LARGEST_AHEAD = 16 << 20
_WRITE_BUFFER = 1 << 20
_NO_LIMIT = 2**63 - 1


def open(
    uri: str | os.PathLike[str],
    mode: str = "rb",
    *,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    content_type: str | None = None,
    **connection: Unpack[Connection],
) -> Any:
    """An object as a file.

    mode: "rb" | "wb" | "xb" (fails with AlreadyExistsError when the object is there), or texts: "r" | "w" | "x", with
        `encoding` (UTF-8 unless given), `errors` and `newline` as in Python's own open.
    content_type: of an object that is written.
    The other keywords are those of `Dataset`.

    Reading is seekable, ahead of need where it is sequential, and pinned: an object that changes meanwhile raises
    ObjectChangedError. Raises NotFoundError at once.
    Writing: the object appears, whole, when the file is closed, and not at all after an exception inside `with`, or
    when the file is forgotten unclosed.
    """
    if mode not in _MODES:
        raise InvalidArgumentError(f"mode must be one of {', '.join(map(repr, _MODES))}, not {mode!r}")
    is_text = "b" not in mode
    given = [
        name
        for name, value in (("encoding", encoding), ("errors", errors), ("newline", newline))
        if value is not None
    ]
    if given and not is_text:
        raise InvalidArgumentError(f"{given[0]} is for texts; mode {mode!r} is for bytes")
    where = place(uri, "open", connection)
    if mode[0] == "r":
        if content_type is not None:
            raise InvalidArgumentError("content_type is for writing; this mode reads")
        reader = io.BufferedReader(ObjectReader(where), _SMALLEST_AHEAD)
        if not is_text:
            return reader
        return io.TextIOWrapper(reader, encoding or "utf-8", errors, newline)
    raw = ObjectWriter(where, if_absent=mode[0] == "x", content_type=text(content_type, "content_type"))
    writer = _BytesWriter(raw, _WRITE_BUFFER)
    if not is_text:
        return writer
    return _TextWriter(writer, encoding or "utf-8", errors, newline)


class ObjectReader(io.RawIOBase):
    """Reads ranges of one state of an object, and what probably follows them."""

    mode = "rb"

    def __init__(self, where: Any) -> None:
        super().__init__()
        self._place = where
        _, self.name, self._size, self._etag, _ = where.head()
        self._position = 0
        self._ahead = b""  # bytes that were read, from _ahead_at on
        self._ahead_at = 0
        self._window = _SMALLEST_AHEAD

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        self._check_open()
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._check_open()
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}.get(whence)
        if start is None:
            raise ValueError(f"whence must be 0, 1 or 2, not {whence!r}")
        if start + offset < 0:
            raise ValueError(f"cannot seek to {start + offset}, before the beginning")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        self._check_open()
        target = memoryview(buffer).cast("B")
        data = self._next(len(target))
        target[: len(data)] = data
        self._position += len(data)
        return len(data)

    def readall(self) -> bytes:
        self._check_open()
        found = [bytes(self._held())]
        self._position += len(found[0])
        rest = self._size - self._position
        if rest > 0:
            found.append(self._get(self._position, rest))
            self._position += rest
        return b"".join(found)

    def _next(self, wanted: int) -> memoryview:
        """Bytes from the position on: at least one, at most `wanted`, none at the end."""
        held = self._held()
        wanted = min(wanted, self._size - self._position)
        if not held and wanted > 0:
            sequential = self._position == self._ahead_at + len(self._ahead)
            self._window = min(2 * self._window, _LARGEST_AHEAD) if sequential else _SMALLEST_AHEAD
            count = min(max(wanted, self._window), self._size - self._position)
            self._ahead = b""  # not two windows at a time
            self._ahead, self._ahead_at = self._get(self._position, count), self._position
            held = memoryview(self._ahead)
        return held[: max(wanted, 0)]

    def _held(self) -> memoryview:
        """What was read ahead, from the position on."""
        at = self._position - self._ahead_at
        return memoryview(self._ahead)[at:] if at >= 0 else memoryview(b"")

    def _get(self, offset: int, length: int) -> bytes:
        data: bytes = self._place.get(offset, length, _NO_LIMIT, self._etag)
        return data

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    def close(self) -> None:
        self._ahead = b""
        super().close()


class ObjectWriter(io.RawIOBase):
    """Writes one object, which appears at close(), or never after abort()."""

    mode = "wb"

    def __init__(self, where: Any, if_absent: bool, content_type: str) -> None:
        super().__init__()
        self.name = where.uri
        self._position = 0
        self._core: Any = _core.Writer(where, if_absent, content_type)

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        if self.closed:
            raise ValueError("I/O operation on closed file")
        size = memoryview(data).nbytes
        if self._core is not None:  # else aborted: what is still buffered above goes nowhere
            try:
                self._core.write(data)
            except BaseException:
                self.abort()
                raise
        self._position += size
        return size

    def abort(self) -> None:
        """Forgets what was written."""
        core, self._core = self._core, None
        if core is not None:
            core.abort()

    def close(self) -> None:
        if self.closed:
            return
        core, self._core = self._core, None
        try:
            if core is not None:
                core.commit()
        finally:
            super().close()

    def __del__(self) -> None:
        if not self.closed:
            self.abort()


class _Aborting:
    """What buffers above an ObjectWriter add: an exception inside `with`, or being forgotten, aborts it."""

    def abort(self) -> None:
        """Closes the file without an object."""
        raw: Any = self
        while not isinstance(raw, ObjectWriter):
            raw = raw.buffer if isinstance(raw, io.TextIOWrapper) else raw.raw
        raw.abort()
        self.close()  # type: ignore[attr-defined]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()  # type: ignore[attr-defined]
        else:
            self.abort()

    def __del__(self) -> None:
        if not self.closed:  # type: ignore[attr-defined]
            self.abort()


class _BytesWriter(_Aborting, io.BufferedWriter):
    pass


class _TextWriter(_Aborting, io.TextIOWrapper):
    pass
