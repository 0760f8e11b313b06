"""Single objects: get, put, list, delete, exists.

Each takes a URI ("s3://bucket/key", or a path) and the keywords that say how the bucket is reached: endpoint_url,
region, profile, anonymous, requester_pays, runtime, as in `Dataset`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from bucketline._connection import place
from bucketline._options import flag, number, text
from bucketline.errors import NotFoundError, UnavailableError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from bucketline._connection import Connection

_NO_LIMIT = 2**63 - 1


class Object(NamedTuple):
    """What a listing says of an object. A folder, in a listing that is not recursive, has a key that ends with "/", no
    etag and no time."""

    key: str
    uri: str
    size: int
    etag: str
    last_modified: datetime | None

    @property
    def is_folder(self) -> bool:
        return self.last_modified is None


def get(
    uri: str | os.PathLike[str],
    *,
    offset: int = 0,
    length: int | None = None,
    **connection: Unpack[Connection],
) -> bytes:
    """The object's bytes, or `length` of them from `offset`; large ones come in parallel ranges of one state.

    Raises NotFoundError, InvalidArgumentError for a range beyond the end, and what the store says.
    """
    first = number(offset, "offset", 0, whole=True)
    count = None if length is None else number(length, "length", 0, whole=True)
    data: bytes = place(uri, "get", connection).get(first, count, _NO_LIMIT, "")
    return data


def put(
    uri: str | os.PathLike[str],
    data: Any,
    *,
    if_absent: bool = False,
    content_type: str | None = None,
    **connection: Unpack[Connection],
) -> Object:
    """Writes an object, whole or not at all, and says what was written. `data`: bytes or anything like them.

    if_absent: raise AlreadyExistsError, and write nothing, when the object is there.
    """
    where = place(uri, "put", connection)
    return as_object(
        where.put(as_bytes(data, "put"), flag(if_absent, "if_absent"), text(content_type, "content_type"))
    )


def list(
    uri: str | os.PathLike[str], *, recursive: bool = True, **connection: Unpack[Connection]
) -> Iterator[Object]:
    """The objects whose keys begin with the URI's, however many, in the order of their keys, a page when it is needed.

    recursive=False: what lies below a folder further down is one `Object` that stands for that folder.
    Raises NotFoundError for a missing bucket; a prefix without objects is an empty listing.
    """
    return _pages(place(uri, "list", connection), "" if recursive else "/")


def delete(uri: str | os.PathLike[str], **connection: Unpack[Connection]) -> None:
    """Deletes an object; one that is not there is no error."""
    place(uri, "delete", connection).delete()


def exists(uri: str | os.PathLike[str], **connection: Unpack[Connection]) -> bool:
    """Whether there is an object of exactly this key. A store that forbids the question raises."""
    try:
        _head(uri, "exists", connection)
    except NotFoundError:
        return False
    return True


def stat(uri: str | os.PathLike[str], **connection: Unpack[Connection]) -> Object:
    """What the store says of an object, without reading it."""
    return _head(uri, "stat", connection)


def _head(uri: str | os.PathLike[str], where: str, connection: Connection) -> Object:
    return as_object(place(uri, where, connection).head())


def as_object(found: tuple[str, str, int, str, float]) -> Object:
    """Of the engine's tuple."""
    key, uri, size, etag, seconds = found
    return Object(key, uri, size, etag, datetime.fromtimestamp(seconds, timezone.utc))


def as_bytes(data: Any, where: str) -> Any:
    """What has a buffer; texts are a mistake that deserves its remedy."""
    if isinstance(data, str):
        raise TypeError(f"{where} takes bytes, not a text; encode it: text.encode()")
    try:
        memoryview(data)
    except TypeError:
        raise TypeError(f"{where} takes bytes or anything like them, not {type(data).__name__}") from None
    return data


def _pages(where: Any, delimiter: str) -> Iterator[Object]:
    token = ""
    while True:
        found, folders, next_token = where.list(delimiter, token)
        objects = [as_object(each) for each in found]
        objects += [Object(key, where.uri_of(key), 0, "", None) for key in folders]
        yield from sorted(objects, key=_bytewise) if folders else objects
        if not next_token:
            return
        if next_token == token:
            raise UnavailableError(
                "the listing does not advance: the store gave the same token twice", where.uri
            )
        token = next_token


def _bytewise(entry: Object) -> bytes:
    return entry.key.encode(errors="surrogateescape")
