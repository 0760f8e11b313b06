"""Runtime: the owner of the engine's threads, connections and limits."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Any

from bucketline import _core
from bucketline._options import byte_size, cache_place, flag, number
from bucketline.errors import InvalidArgumentError

# Where systems keep the certificates that they trust; the wheel's libcurl may have been built for another place.
_CA_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class Runtime:
    """Threads, connections and limits that datasets and loaders share. There is one by default; make another to cap
    the memory of several loaders together, or to keep their connections apart.

    memory: bytes that all its loaders together may hold ("4GiB"); None: no common cap.
    network_threads: threads that move bytes.
    connections: kept alive in all, and the most requests at a time to one first folder of a bucket.
    hedge: ask again for small reads that are late (at most 3 % of all requests).
    cache: folder on a local disk that keeps what datasets in S3 are read of, for all processes and jobs of this machine;
        cache_size: bytes of disk that it may take ("200GiB"), None: as it was given before; cache_pixels: it keeps decoded
        pixels instead of the objects (see Dataset).
    ca_bundle: PEM file of trusted certificates; None: AWS_CA_BUNDLE, SSL_CERT_FILE, the system's, certifi's.
    """

    def __init__(
        self,
        *,
        memory: int | str | None = None,
        network_threads: int = 1,
        connections: int = 256,
        hedge: bool = True,
        cache: str | os.PathLike[str] | None = None,
        cache_size: int | str | None = None,
        cache_pixels: bool = False,
        ca_bundle: str | os.PathLike[str] | None = None,
    ) -> None:
        folder, size, pixels = cache_place(cache, cache_size, cache_pixels)
        self._core = _core.Runtime(
            memory=0 if memory is None else byte_size(memory, "memory"),
            network_threads=number(network_threads, "network_threads", 1, 256, whole=True),
            connections=number(connections, "connections", 1, 65536, whole=True),
            hedge=flag(hedge, "hedge"),
            ca_bundle=find_ca_bundle() if ca_bundle is None else _existing(ca_bundle),
            cache=folder,
            cache_size=size,
            cache_pixels=pixels,
        )

    def stats(self) -> dict[str, int]:
        """Requests, retries, throttled, hedges, hedges_won, bytes_read and bytes_written so far; of its caches cache_hits,
        cache_misses, what they stored, how often they were full, failed or found damage, and bytes; cache_pixel_hits and
        cache_pixel_misses, images whose pixels were there or were decoded. A loader's stats() has its own share."""
        figures: dict[str, int] = self._core.figures()
        return figures

    def __repr__(self) -> str:
        figures = self.stats()
        return f"Runtime({figures['requests']} requests, {figures['bytes_read']} bytes read)"


def _existing(ca_bundle: str | os.PathLike[str]) -> str:
    path = os.fspath(ca_bundle) if isinstance(ca_bundle, (str, os.PathLike)) else None
    if path is None or not os.path.isfile(path):
        raise InvalidArgumentError(f"ca_bundle must be a file of certificates, not {ca_bundle!r}")
    return path


def find_ca_bundle() -> str:
    """The certificates to trust; "" leaves it to the engine, which looks at AWS_CA_BUNDLE and SSL_CERT_FILE first."""
    if os.environ.get("AWS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE"):
        return ""
    for path in _CA_BUNDLES:
        if os.path.exists(path):
            return path
    with contextlib.suppress(ImportError):
        import certifi

        return str(certifi.where())
    return ""


_lock = threading.Lock()
_default: tuple[int, Runtime] | None = None
_left_behind: list[Any] = []  # of a parent process: its threads are not here, so nothing may be destroyed


def default_runtime() -> Runtime:
    """The Runtime that is used where none is given: one for each process, made on first use, also after a fork."""
    global _default
    with _lock:
        if _default is None or _default[0] != os.getpid():
            if _default is not None:
                _left_behind.append(_default[1])
            _default = (os.getpid(), Runtime())
        return _default[1]


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
