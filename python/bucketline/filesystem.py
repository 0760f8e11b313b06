"""The fsspec file system of the protocol "bucketline": "bucketline://bucket/key" is "s3://bucket/key".

    pandas.read_csv("bucketline://bucket/table.csv", storage_options={"region": "eu-central-1"})

fsspec finds it by itself where the package is installed. storage_options are the keywords of `bucketline.open`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

try:
    from fsspec.spec import AbstractFileSystem
except ImportError:
    raise ImportError("fsspec is not installed; pip install fsspec") from None

import bucketline as bl
from bucketline._connection import CONNECTION_KEYWORDS, s3_options
from bucketline._options import reject_unknown
from bucketline.objects import Object, stat


class BucketlineFileSystem(AbstractFileSystem):  # type: ignore[misc]
    """Buckets as folders. There is no way to list buckets, and folders exist as long as something is in them."""

    protocol = "bucketline"
    root_marker = ""

    def __init__(self, **options: Any) -> None:
        fsspec_options = {name: value for name, value in options.items() if name not in CONNECTION_KEYWORDS}
        reject_unknown(fsspec_options, (*CONNECTION_KEYWORDS, *_FSSPEC_KEYWORDS), "bucketline://")
        super().__init__(**fsspec_options)
        self._connection = {name: value for name, value in options.items() if name in CONNECTION_KEYWORDS}
        s3_options(**self._connection)

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(each) for each in path]
        return str(path).removeprefix("bucketline://").removeprefix("s3://").rstrip("/")

    def unstrip_protocol(self, name: str) -> str:
        return f"bucketline://{self._strip_protocol(name)}"

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        path = self._strip_protocol(path)
        found = [_info(each) for each in bl.list(f"s3://{path}/", recursive=False, **self._connection)]
        found = [
            entry for entry in found if entry["name"] != path
        ]  # an object "folder/" stands for the folder
        if not found and "/" in path:
            found = [self.info(path)]
        return found if detail else [entry["name"] for entry in found]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        path = self._strip_protocol(path)
        if "/" in path:
            try:
                return _info(stat(f"s3://{path}", **self._connection))
            except FileNotFoundError:
                pass  # a folder?
        below = next(bl.list(f"s3://{path}/", recursive=False, **self._connection), None)
        if below is None and "/" in path:
            raise bl.NotFoundError("no such object or folder", f"s3://{path}")
        return _folder(path)

    def find(
        self, path: str, maxdepth: int | None = None, withdirs: bool = False, detail: bool = False, **_: Any
    ) -> Any:
        """Everything below, by one listing."""
        path = self._strip_protocol(path)
        if maxdepth is not None or withdirs:
            return super().find(path, maxdepth=maxdepth, withdirs=withdirs, detail=detail)
        listed = bl.list(f"s3://{path}/", **self._connection)
        found = {
            entry["name"]: entry for entry in map(_info, listed) if entry["type"] == "file"
        } or self._only_itself(path)
        return found if detail else list(found)

    def _only_itself(self, path: str) -> dict[str, dict[str, Any]]:
        try:
            entry = self.info(path)
        except FileNotFoundError:
            return {}
        return {path: entry} if entry["type"] == "file" else {}

    def modified(self, path: str) -> datetime:
        modified: datetime = self.info(path)["LastModified"]
        return modified

    def ukey(self, path: str) -> str:
        """Another one when the object has changed."""
        tag: str = self.info(path)["ETag"]
        return tag

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,
        cache_options: dict[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        if not autocommit:
            raise bl.UnsupportedError(
                "transactions are not built in; an object appears whole when its file is closed anyway"
            )
        return bl.open(self._uri(path), mode, **options, **self._connection)

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        uri = self._uri(path)
        if start is None and end is None:
            return bl.get(uri, **self._connection)
        with bl.open(uri, **self._connection) as file:
            first = file.seek(0, 2) + start if start is not None and start < 0 else start or 0
            size = file.seek(0, 2)
            last = size if end is None else size + end if end < 0 else min(end, size)
            file.seek(min(max(first, 0), size))
            data: bytes = file.read(max(0, last - max(first, 0)))
            return data

    def pipe_file(self, path: str, value: Any, mode: str = "overwrite", **_: Any) -> None:
        bl.put(self._uri(path), value, if_absent=mode == "create", **self._connection)

    def cp_file(self, path1: str, path2: str, **_: Any) -> None:
        with (
            bl.open(self._uri(path1), **self._connection) as source,
            bl.open(self._uri(path2), "wb", **self._connection) as target,
        ):
            while piece := source.read(_COPY_BYTES):
                target.write(piece)

    def rm_file(self, path: str) -> None:
        bl.delete(self._uri(path), **self._connection)

    def _rm(self, path: str) -> None:
        self.rm_file(path)

    def rm(self, path: Any, recursive: bool = False, maxdepth: int | None = None) -> None:
        for each in self.expand_path(path, recursive=recursive, maxdepth=maxdepth):
            if not self.isdir(each):
                self.rm_file(each)

    def mkdir(self, path: str, create_parents: bool = True, **_: Any) -> None:
        """Nothing: a folder appears with the first object in it."""

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Nothing: a folder appears with the first object in it."""

    def rmdir(self, path: str) -> None:
        """Nothing: a folder goes with the last object in it."""

    def _uri(self, path: str) -> str:
        return f"s3://{self._strip_protocol(path)}"


_COPY_BYTES = 8 << 20
_FSSPEC_KEYWORDS = (
    "asynchronous",
    "loop",
    "skip_instance_cache",
    "use_listings_cache",
    "listings_expiry_time",
    "max_paths",
    "auto_mkdir",
)


def _info(each: Object) -> dict[str, Any]:
    name = each.uri.removeprefix("s3://")
    if each.is_folder or name.endswith("/"):
        return _folder(name.rstrip("/"))
    return {
        "name": name,
        "size": each.size,
        "type": "file",
        "ETag": each.etag,
        "LastModified": each.last_modified,
    }


def _folder(name: str) -> dict[str, Any]:
    return {"name": name, "size": 0, "type": "directory"}
