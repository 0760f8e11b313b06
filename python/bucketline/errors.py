"""Errors: one class for each code of the engine; `except bl.Error` catches them all.

Where Python has a class of the same meaning, ours is one too: a missing object is a `FileNotFoundError`.
"""

from __future__ import annotations

import builtins


class Error(Exception):
    """What went wrong, with which object, and what can be done about it.

    `message` says what happened and what to do; `uri` is the object concerned ("" when none is); `http_status` is 0
    where there was no answer; `request_id` is what the store's own support asks for. No secret is in any of them.
    """

    code = "Internal"

    def __init__(self, message: str, uri: str = "", http_status: int = 0, request_id: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.uri = uri
        self.http_status = http_status
        self.request_id = request_id

    def __str__(self) -> str:
        details = []
        if self.http_status:
            details.append(f"HTTP {self.http_status}")
        if self.request_id:
            details.append(f"request id {self.request_id}")
        text = f"{self.uri}: {self.message}" if self.uri else self.message
        return f"{text} ({', '.join(details)})" if details else text

    def __reduce__(self) -> tuple[type[Error], tuple[str, str, int, str]]:
        return type(self), (self.message, self.uri, self.http_status, self.request_id)


class InvalidArgumentError(Error, ValueError):
    """The caller's input is wrong; trying again cannot help."""

    code = "InvalidArgument"


class NotFoundError(Error, FileNotFoundError):
    """No such object, bucket or file."""

    code = "NotFound"


class PermissionDeniedError(Error, PermissionError):
    """The store knows us and says no, or the file system does."""

    code = "PermissionDenied"


class UnauthenticatedError(Error, PermissionError):
    """No credentials, or the store does not know these."""

    code = "Unauthenticated"


class AlreadyExistsError(Error, FileExistsError):
    """A conditional write found the object there."""

    code = "AlreadyExists"


class ObjectChangedError(Error):
    """The object is not the one that was listed."""

    code = "ObjectChanged"


class ThrottledError(Error):
    """The store asks for fewer requests."""

    code = "Throttled"


class UnavailableError(Error):
    """The store failed on its side, or answered nonsense."""

    code = "Unavailable"


class ConnectionError(Error, builtins.ConnectionError):
    """Name resolution, connect, TLS, reset."""

    code = "Connection"


class TimeoutError(Error, builtins.TimeoutError):
    """A deadline passed."""

    code = "Timeout"


class CorruptDataError(Error, ValueError):
    """Bytes are there but wrong: a short body, a bad checksum, an undecodable image."""

    code = "CorruptData"


class ResourceExhaustedError(Error):
    """A memory budget, disk or limit is too small for what was asked."""

    code = "ResourceExhausted"


class CancelledError(Error):
    """Stopped on request: the loader was closed, say."""

    code = "Cancelled"


class IoError(Error, OSError):
    """The local file system failed."""

    code = "Io"


class UnsupportedError(Error):
    """A valid request that this store, format or build cannot serve."""

    code = "Unsupported"


class InternalError(Error):
    """A bug in bucketline, or a use that it cannot survive, such as threads carried over a fork."""

    code = "Internal"


_BY_CODE: dict[str, type[Error]] = {
    cls.code: cls
    for cls in (
        InvalidArgumentError,
        NotFoundError,
        PermissionDeniedError,
        UnauthenticatedError,
        AlreadyExistsError,
        ObjectChangedError,
        ThrottledError,
        UnavailableError,
        ConnectionError,
        TimeoutError,
        CorruptDataError,
        ResourceExhaustedError,
        CancelledError,
        IoError,
        UnsupportedError,
        InternalError,
    )
}


def from_core(code: str, message: str, uri: str, http_status: int, request_id: str) -> Error:
    """The exception of an engine's error. Called by the extension module."""
    return _BY_CODE[code](message, uri, http_status, request_id)
