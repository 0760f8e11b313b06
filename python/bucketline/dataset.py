"""Dataset: what is in a bucket: keys, sizes, labels, and how to read a sample."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import bucketline._core as _core
from bucketline._connection import runtime_of, s3_options, uri_text
from bucketline._options import choice, reject_unknown
from bucketline._progress import listing_progress
from bucketline.errors import InvalidArgumentError, UnsupportedError
from bucketline.labels import Labels
from bucketline.runtime import Runtime

if TYPE_CHECKING:
    import numpy as np

    from bucketline.preview import Preview

IMAGE_EXTENSIONS = (".jpg", ".jpeg", ".png")
_PINS = {"etag": _core.PinMode.etag, "size": _core.PinMode.size}


class Sample(NamedTuple):
    """One record, read. `label` is None without labels; `etag` is the state that was read."""

    key: str
    uri: str
    data: bytes
    label: Any
    size: int
    etag: str


class Texts(Sequence[str]):
    """The keys or URIs of a dataset, made when they are looked at: a million of them cost nothing until then."""

    _CHUNK = 1024

    def __init__(self, core: Any, whole: bool) -> None:
        self._core = core
        self._whole = whole

    def __len__(self) -> int:
        return len(self._core)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            numbers = range(*index.indices(len(self)))
            if numbers.step == 1:
                texts: list[str] = self._core.keys(numbers.start, len(numbers), self._whole)
                return texts
            return [self[i] for i in numbers]
        text: str = self._core.keys(_position(index, len(self)), 1, self._whole)[0]
        return text

    def __iter__(self) -> Iterator[str]:
        for first in range(0, len(self), self._CHUNK):
            yield from self[first : first + self._CHUNK]

    def __repr__(self) -> str:
        shown = [repr(text) for text in self[:3]]
        more = [f"... {len(self)} in all"] if len(self) > 3 else []
        return f"[{', '.join(shown + more)}]"


class Dataset:
    """The records below a prefix, in the order of their keys (bytewise), listed once and frozen.

    uri: "s3://bucket/prefix/", a folder, or a manifest that `save` wrote.
    labels: None | "folder" | "parent" | the URI of a .json, .jsonl or .csv table | a `Labels`.
    extensions: which keys count, by their ending, without case; None: all.
    endpoint_url, region, profile, anonymous, requester_pays: how the bucket is reached; None: as boto3 finds it, from
        the environment and the shared files.
    pin: what every read is checked against: "etag" (the state that was listed) | "size".
    runtime: whose threads and connections to use; None: the process's own.
    progress: called while listing with the number of objects so far; True: a tqdm bar, or a line on a terminal.

    Raises NotFoundError for an empty prefix, InvalidArgumentError for labels or options that do not fit, and what the
    store says.
    """

    def __init__(
        self,
        uri: str | os.PathLike[str],
        labels: Any = None,
        *,
        extensions: Sequence[str] | None = IMAGE_EXTENSIONS,
        endpoint_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        anonymous: bool = False,
        requester_pays: bool = False,
        pin: str = "etag",
        runtime: Runtime | None = None,
        progress: bool | Callable[[int], Any] | None = None,
        **unknown: Any,
    ) -> None:
        reject_unknown(unknown, DATASET_KEYWORDS, "Dataset")
        self._runtime = runtime_of(runtime)
        rule = labels if isinstance(labels, Labels) else Labels(labels)
        self._s3 = s3_options(
            endpoint_url=endpoint_url,
            region=region,
            profile=profile,
            anonymous=anonymous,
            requester_pays=requester_pays,
        )
        with listing_progress(progress) as tell:
            self._core = _core.open_dataset(
                self._runtime._core,
                uri_text(uri),
                rule.to_core(),
                _extensions(extensions),
                choice(pin, "pin", _PINS),
                self._s3,
                tell,
            )
        self._labels: Any = None

    @classmethod
    def _view(cls, of: Dataset, core: Any) -> Dataset:
        view = cls.__new__(cls)
        view._runtime = of._runtime
        view._core = core
        view._s3 = of._s3
        view._labels = None
        return view

    def __len__(self) -> int:
        return len(self._core)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> Dataset: ...
    def __getitem__(self, index: int | slice) -> Sample | Dataset:
        """`ds[i]` reads a sample now; `ds[100:200]` is a view."""
        if isinstance(index, slice):
            first, last, step = index.indices(len(self))
            if step != 1:
                raise InvalidArgumentError("a dataset's slice takes every record: give it no step")
            return self._view(self, self._core.slice(first, max(0, last - first)))
        number = _position(index, len(self))
        key, uri, data, size, etag = self._core.read(number)
        label = None if self.labels is None else self.labels[number]
        return Sample(key, uri, data, label, size, etag)

    @property
    def keys(self) -> Texts:
        """Keys as listed, without the bucket."""
        return Texts(self._core, whole=False)

    @property
    def uris(self) -> Texts:
        """Whole URIs."""
        return Texts(self._core, whole=True)

    @property
    def classes(self) -> list[str]:
        """Names of the labels, by their number; [] unless labels are names."""
        names: list[str] = self._core.classes
        return names

    @property
    def labels(self) -> np.ndarray[Any, Any] | None:
        """One a record: int64 (n,), float32 (n,) or (n, k); None without labels."""
        if self._labels is None:
            self._labels = self._core.labels()
        return self._labels

    @property
    def fingerprint(self) -> int:
        """The same for the same keys, sizes and ETags, wherever they were listed."""
        number: int = self._core.fingerprint
        return number

    def split(self, fraction: float, seed: int = 0) -> tuple[Dataset, Dataset]:
        """Two views, the first with about `fraction` of the records, by a stable hash of each key: a new object never
        moves an old one."""
        first, second = self._core.split(fraction, seed)
        return self._view(self, first), self._view(self, second)

    def filter(self, keep: Callable[[str], bool]) -> Dataset:
        """A view of the records whose key `keep` says yes to."""
        return self._view(self, self._core.filter(keep))

    def preview(self, n: int = 24, *, columns: int = 8, size: int = 96) -> Preview:
        """`n` images from all over the dataset on one sheet with their labels: a notebook shows it, `.save(path)` writes
        a PNG. size: the side of each, in pixels. What is no image is a red square."""
        from bucketline.preview import contact_sheet

        return contact_sheet(self, n, columns, size)

    def save(self, uri: str | os.PathLike[str]) -> None:
        """Writes the manifest to `uri`, which must end in ".manifest"; `Dataset(uri)` opens it without listing."""
        self._core.save(uri_text(uri), self._s3)

    def __repr__(self) -> str:
        size = _human(self._core.total_bytes)
        names = self.classes
        classes = f", {len(names)} classes" if names else ""
        return f"Dataset({self._core.source!r}, {len(self)} records, {size}{classes})"

    def __reduce__(self) -> Any:
        raise UnsupportedError(
            "a Dataset holds connections and is not pickled; open it in the process that uses it, or give a "
            "DataLoader a bucketline.torch.MapDataset"
        )


DATASET_KEYWORDS = (
    "labels",
    "extensions",
    "endpoint_url",
    "region",
    "profile",
    "anonymous",
    "requester_pays",
    "pin",
    "runtime",
    "progress",
)


def _extensions(given: Sequence[str] | None) -> list[str]:
    if given is None:
        return []
    if isinstance(given, str) or not all(isinstance(each, str) for each in given):
        raise InvalidArgumentError(
            f"extensions must be a sequence of texts such as ('.jpg', '.png'), or None for all keys, not {given!r}"
        )
    return list(given)


def _position(index: Any, count: int) -> int:
    number = index.__index__() if hasattr(index, "__index__") else None
    if number is None:
        raise TypeError(f"indices must be integers or slices, not {type(index).__name__}")
    if not -count <= number < count:
        raise IndexError(f"index {number} is out of range: there are {count} records")
    return int(number) % count


def _human(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
