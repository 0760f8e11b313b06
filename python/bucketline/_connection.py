"""How a bucket is reached: the keywords that everything that opens a URI shares."""

from __future__ import annotations

import os
from typing import Any, TypedDict

from bucketline import _core
from bucketline._options import flag, reject_unknown, text
from bucketline.errors import InvalidArgumentError
from bucketline.runtime import Runtime, default_runtime


class Connection(TypedDict, total=False):
    """endpoint_url, region, profile: None: as boto3 finds them, from the environment and the shared files.
    anonymous: requests are not signed. requester_pays: we pay for what we read.
    runtime: whose threads and connections to use; None: the process's own.
    """

    endpoint_url: str | None
    region: str | None
    profile: str | None
    anonymous: bool
    requester_pays: bool
    runtime: Runtime | None


CONNECTION_KEYWORDS = tuple(Connection.__annotations__)
_TEXTS = ("endpoint_url", "region", "profile")
_FLAGS = ("anonymous", "requester_pays")


def s3_options(**given: Any) -> Any:
    """The engine's S3Options of these keywords, each checked."""
    options = _core.S3Options()
    for name in _TEXTS:
        setattr(options, name, text(given.get(name), name))
    for name in _FLAGS:
        setattr(options, name, flag(given.get(name, False), name))
    return options


def runtime_of(given: Runtime | None) -> Runtime:
    """The one given, or the process's own."""
    if given is None:
        return default_runtime()
    if not isinstance(given, Runtime):
        raise InvalidArgumentError(f"runtime must be a bucketline.Runtime or None, not {given!r}")
    return given


def uri_text(uri: str | os.PathLike[str]) -> str:
    """A URI as text; paths are taken too."""
    path = os.fspath(uri) if isinstance(uri, (str, os.PathLike)) else None
    if not isinstance(path, str):
        raise InvalidArgumentError(f"a URI must be a text or a path, not {uri!r}")
    return path


def place(uri: str | os.PathLike[str], where: str, connection: Connection) -> Any:
    """The engine's Place of a URI: its store, and the key there. `where` names the caller in errors."""
    reject_unknown(connection, CONNECTION_KEYWORDS, where)
    runtime = runtime_of(connection.get("runtime"))
    return _core.Place(runtime._core, uri_text(uri), s3_options(**connection))
