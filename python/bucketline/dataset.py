"""Dataset: what is in a bucket: keys, sizes, labels, and how to read a sample."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import bucketline._core as _core
from bucketline._connection import runtime_of, s3_options, uri_text
from bucketline._dataset_options import (
    DAMAGED,
    DATASET_KEYWORDS,
    MISSING,
    PINS,
    SPLITS,
    Where,
    cache_keywords,
    extensions_of,
    formats,
    parts_of,
    uris_of,
)
from bucketline._label_columns import kinds_of
from bucketline._options import cache_place, choice, number, reject_unknown, text
from bucketline._progress import listing_progress
from bucketline._texts import Texts, position
from bucketline.errors import InvalidArgumentError, UnsupportedError
from bucketline.labels import Labels
from bucketline.runtime import Runtime

if TYPE_CHECKING:
    import numpy as np

    from bucketline.preview import Preview

IMAGE_EXTENSIONS = (".jpg", ".jpeg", ".png")


class Sample(NamedTuple):
    """One record, read. `data` is its bytes, or a dict of them for a record of several parts; `label` is None without
    labels; `uri` and `etag` are those of the (first) object that was read, `size` the bytes of all."""

    key: str
    uri: str
    data: Any
    label: Any
    size: int
    etag: str


class Mixture(NamedTuple):
    """What a mix is made of."""

    parts: list[tuple[int, int]]  # (records, weight) of each
    epoch_size: int | None  # that its counts ask for


class Dataset:
    """The records below a prefix, in the order of their keys (bytewise), listed once and frozen.

    uri: "s3://bucket/prefix/", a folder, or a manifest that `save` wrote; "s3://b/train-{000..146}/" or a list of them,
        one after the other; or {"image": uri, "mask": uri} for records of several parts, joined by their stem: the key
        below its prefix without its extension. `missing` is what a key without a partner, or a shard's sample without
        one of the parts, is: an "error", or left out ("drop").
        "channel:train", in a training job, is the channel of that name, in whichever mode it came; outside a job it is
        `default`, a URI. A channel that came as a Pipe is a stream: a Loader reads it, and it has no length, keys or
        parts. Its records have no keys either: with `labels` the second record of each sample is its label, and
        `attributes` names the records of a sample.
    labels: None | "folder" | "parent" | the URI of a .json, .jsonl or .csv table | a dict | a table | an array |
        a pattern | a function of the key | a Sidecar | a Labels, where all of them are explained.
    format: "objects", one a record; "tar" | "tfrecord" | "recordio" | "mds" | "parquet", shards of many samples each,
        which are indexed once (`save` keeps the index; Parquet whose images are compressed: bl.parquet.convert); "tfds", the folder of a version that TensorFlow Datasets prepared, of
        which `split` is read; "auto": by the ending of the URI, and of what lies below a prefix.
    parts: of shards: which members of a sample are the parts of a record, the first of several that it has:
        ("jpg;png", "seg.png"), or {"image": "jpg;png", "mask": "seg.png"}. None: one part, the sample's image.
    damaged: what damage in a shard is: an "error", or logged and left out ("skip").
    extensions: of raw objects: which keys count, by their ending, without case; None: all.
    endpoint_url, region, profile, anonymous, requester_pays: how the bucket is reached; None: as boto3 finds it, from
        the environment and the shared files.
    pin: what every read is checked against: "etag" (the state that was listed) | "version" (read by its version id) |
        "size".
    cache: folder on a local disk that keeps what is read, for all processes and jobs of this machine, if `pin` is "etag";
        None: the runtime's, if it has one. cache_size: bytes of disk that it may take ("200GiB"); None: as it was given before.
    cache_pixels: it keeps what loaders decode instead, as it is before flip, jitter and normalising: later epochs neither
        read nor decode. A loader whose image has crop="random_resized" is an error then.
    runtime: whose threads and connections to use; None: the process's own.
    progress: called while listing with the number of objects so far; True: a tqdm bar, or a line on a terminal.

    Raises NotFoundError for an empty prefix, InvalidArgumentError for labels or options that do not fit, and what the
    store says.
    """

    _mix: Mixture | None = None  # where several are mixed
    # Says how what is opened is listed, where it is not just listed: see index().
    _listing: Callable[[list[str], Any], None] | None = None
    _objects: list[Any] | None = None  # labels that Python keeps: the engine has their places here

    def __new__(cls, uri: Any = None, *_: Any, **__: Any) -> Dataset:
        from bucketline.channel import StreamDataset, place_of

        place = place_of(uri) if cls is Dataset else None
        return super().__new__(StreamDataset if place is not None and place.is_pipe else cls)

    def __init__(
        self,
        uri: Where | Sequence[Where] | Mapping[str, Where | Sequence[Where]],
        labels: Any = None,
        *,
        default: Where | None = None,
        attributes: Sequence[str] | None = None,
        format: str = "auto",
        parts: Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
        damaged: str = "error",
        split: str | None = None,
        extensions: Sequence[str] | None = IMAGE_EXTENSIONS,
        endpoint_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        anonymous: bool = False,
        requester_pays: bool = False,
        pin: str = "etag",
        join: str = "stem",
        missing: str = "error",
        cache: Where | None = None,
        cache_size: int | str | None = None,
        cache_pixels: bool = False,
        runtime: Runtime | None = None,
        progress: bool | Callable[[int], Any] | None = None,
        **unknown: Any,
    ) -> None:
        reject_unknown(unknown, DATASET_KEYWORDS, "Dataset")
        choice(format, "format", dict.fromkeys(formats()))
        choice(join, "join", {"stem": None})
        drop = choice(missing, "missing", MISSING)
        from bucketline.channel import located

        uri, self._place = located(uri, default)
        self._runtime = runtime_of(runtime)
        self._core: Any = None
        self._labels: Any = None
        self._left_out = 0  # records, by labels that Python worked out
        # What another process needs to open the same data: see bucketline.torch.
        self._reach: dict[str, Any] = {
            "endpoint_url": endpoint_url,
            "region": region,
            "profile": profile,
            "anonymous": anonymous,
            "requester_pays": requester_pays,
            "pin": pin,
        }
        self._s3 = s3_options(**{name: value for name, value in self._reach.items() if name != "pin"})
        kept = cache_place(cache, cache_size, cache_pixels)
        if cache is not None:  # with the rest of what other processes need
            self._reach = {**self._reach, **cache_keywords(cache, cache_size, cache_pixels)}
        shards = {"format": format, "parts": parts, "damaged": damaged, "missing": missing, "split": split}
        if isinstance(uri, Mapping):
            same = {**self._reach, **shards, "extensions": extensions, "runtime": self._runtime}
            joined = [
                Dataset(part, None if i else labels, progress=progress, **same)
                for i, part in enumerate(uri.values())
            ]
            if not joined:
                raise InvalidArgumentError(
                    "a dataset of parts needs at least one: {'image': uri, 'mask': uri}"
                )
            require_records(joined)
            self._left_out = joined[0]._left_out
            self._objects = joined[0]._objects
            self._core = _core.join([str(name) for name in uri], [part._core for part in joined], drop)
            return
        rule, finish = Labels.of(labels).to_core()
        options = _core.DatasetOptions()
        options.labels = rule
        options.format = format
        options.split = text(split, "split")
        options.parts = parts_of(parts)
        options.extensions = extensions_of(extensions)
        options.pin = choice(pin, "pin", PINS)
        options.s3 = self._s3
        if drop:
            options.drop_missing()
        if choice(damaged, "damaged", DAMAGED):
            options.skip_damaged()
        uris = [uri_text(uri)] if isinstance(uri, (str, os.PathLike)) else uris_of(uri)
        if self._listing is not None:
            self._listing(uris, options)
        with listing_progress(progress, of_objects=self._listing is None) as tell:
            core = _core.open_dataset(self._runtime._core, uris, options, tell)
        self._core, self._left_out, self._objects = (core, 0, None) if finish is None else finish(core)
        if cache is not None:
            self._core = self._core.cached(*kept)

    def cached(self, folder: Where, size: int | str | None = None, pixels: bool = False) -> Dataset:
        """The same records, read through the cache in this folder: see cache, cache_size and cache_pixels."""
        if folder is None:
            raise InvalidArgumentError("a cache needs a folder on a local disk")
        view = Dataset.__new__(Dataset)
        view.__dict__.update(self.__dict__)
        view._core = self._core.cached(*cache_place(folder, size, pixels))
        view._reach = {**self._reach, **cache_keywords(folder, size, pixels)}
        return view

    def _view(self, core: Any) -> Dataset:
        if self._mix is not None:
            raise UnsupportedError(
                "a mix is whole: split, filter, slice and concat datasets before they are mixed"
            )
        view = Dataset.__new__(Dataset)
        view._runtime = self._runtime
        view._core = core
        view._s3 = self._s3
        view._labels = None
        view._objects = self._objects
        view._left_out = self._left_out
        view._reach = self._reach
        view._place = self._place
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
            return self._view(self._core.slice(first, max(0, last - first)))
        number = position(index, len(self))
        names = self.part_names
        parts = [self._core.read(number, part) for part in range(len(names))]
        key, uri, data, size, etag = parts[0]
        if len(parts) > 1:
            data = {name: part[2] for name, part in zip(names, parts, strict=True)}
            size = sum(part[3] for part in parts)
        label = None if self.labels is None else self.labels[number]
        return Sample(key, uri, data, label, size, etag)

    @property
    def part_names(self) -> list[str]:
        """["data"], or the names that the parts of the records were given."""
        names: list[str] = self._core.part_names
        return names

    @property
    def keys(self) -> Texts:
        """Keys as listed, without the bucket."""
        return Texts(len(self), self._core.keys)

    @property
    def uris(self) -> Texts:
        """Whole URIs; of records of several parts those of the first."""
        return Texts(len(self), lambda first, count: self._core.uris(first, count, 0))

    @property
    def classes(self) -> list[str]:
        """Names of the labels, by their number; [] unless labels are names."""
        names: list[str] = self._core.classes
        return names

    @property
    def labels(self) -> np.ndarray[Any, Any] | list[Any] | None:
        """One a record: int64 (n,), float32 (n,) or (n, k), a list where they are neither names nor numbers nor rows of
        one length; None without labels."""
        if self._labels is None:
            self._labels = self._labels_of(self._core.labels())
        return self._labels

    def _labels_of(self, column: Any) -> Any:
        """Labels as the engine has them, of any records, as the user knows them."""
        if column is None or self._objects is None:
            return column
        return [self._objects[place] for place in column.tolist()]

    def _require_classes(self, what: str) -> None:
        if self._objects is not None:
            raise InvalidArgumentError(
                f"{what} needs labels that are names or whole numbers; these are {kinds_of(self._objects)}"
            )

    @property
    def fingerprint(self) -> int:
        """The same for the same keys, sizes and ETags, wherever they were listed."""
        number: int = self._core.fingerprint
        return number

    @property
    def dropped(self) -> int:
        """Records that were left out, for want of a label or a partner."""
        count: int = self._core.dropped
        return count + self._left_out

    def split(
        self,
        fractions: float | Sequence[float],
        seed: int = 0,
        by: str | Callable[[str], Any] = "key",
    ) -> tuple[Dataset, ...]:
        """Views with these shares of the records: `train, val = ds.split(0.8)`, or three of (0.8, 0.1, 0.1).

        by: "key": by a stable hash of the key, so that a new object never moves an old one | "label": the same share
        of each label, to within one record | a function of the key that names its group (a patient, a video), which
        stays together.
        """
        shares = [fractions, 1 - fractions] if isinstance(fractions, (int, float)) else list(fractions)
        for share in shares:
            number(share, "a split's fraction", 0, 1)
        number(seed, "seed", 0, 2**64 - 1, whole=True)
        if callable(by):
            views = self._core.split_groups(shares, seed, by)
        else:
            rule = choice(by, "by", SPLITS)
            if rule == _core.SplitBy.label:
                self._require_classes("by='label'")
            views = self._core.split(shares, seed, rule)
        return tuple(self._view(view) for view in views)

    def filter(self, keep: Callable[[str], bool]) -> Dataset:
        """A view of the records whose key `keep` says yes to."""
        return self._view(self._core.filter(keep))

    def select(self, indices: Sequence[int] | np.ndarray[Any, Any]) -> Dataset:
        """A view of these records. It keeps the dataset's order, so they must ascend, each once."""
        numbers = [number(index, "an index", 0, len(self) - 1, whole=True) for index in indices]
        return self._view(self._core.select(numbers))

    def without(self, keys: Sequence[str]) -> Dataset:
        """A view of all records but those with these keys. An unknown key is an error."""
        if isinstance(keys, str) or not all(isinstance(key, str) for key in keys):
            raise InvalidArgumentError(f"keys must be a sequence of texts, not {keys!r}")
        return self._view(self._core.without(list(keys)))

    def preview(self, n: int = 24, *, columns: int = 8, size: int = 96) -> Preview:
        """`n` images from all over the dataset on one sheet with their labels: a notebook shows it, `.save(path)` writes
        a PNG. size: the side of each, in pixels. What is no image is a red square."""
        from bucketline.preview import contact_sheet

        return contact_sheet(self, n, columns, size)

    def save(self, uri: str | os.PathLike[str]) -> None:
        """Writes the manifest to `uri`, which must end in ".manifest"; `Dataset(uri)` opens it without listing.

        Raises UnsupportedError for labels that are neither names nor numbers nor rows of numbers: it holds no others.
        """
        if self._mix is not None:
            raise UnsupportedError("a manifest holds no weights; save the datasets before they are mixed")
        if self._objects is not None:
            raise UnsupportedError(
                f"a manifest holds no labels such as these ({kinds_of(self._objects)}); save a Dataset without labels=, and "
                "give labels= where it is opened"
            )
        self._core.save(uri_text(uri), self._s3)

    def __repr__(self) -> str:
        size = _core.format_byte_size(self._core.total_bytes)
        names = self.classes
        classes = f", {len(names)} classes" if names else ""
        return f"Dataset({self._core.source!r}, {len(self)} records, {size}{classes})"

    def __reduce__(self) -> Any:
        raise UnsupportedError(
            "a Dataset holds connections and is not pickled; open it in the process that uses it, or give a "
            "DataLoader a bucketline.torch.MapDataset"
        )


# __new__ passes on what __init__ takes: that is what signatures show.
Dataset.__new__.__wrapped__ = Dataset.__init__  # type: ignore[attr-defined]


def require_records(datasets: Sequence[Dataset]) -> None:
    """Raises InvalidArgumentError for a stream, which has none to count."""
    for dataset in datasets:
        if dataset._place is not None and dataset._place.is_pipe:
            raise InvalidArgumentError(
                f"{dataset!r} is a stream, which goes together with nothing; ask for input mode FastFile"
            )
