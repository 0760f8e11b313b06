"""pack: a dataset's records into shards, once, so that every epoch after it reads large objects."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from bucketline import _core
from bucketline._connection import uri_text
from bucketline._dataset_options import DATASET_KEYWORDS
from bucketline._options import byte_size, choice, flag, number, reject_unknown, text
from bucketline.dataset import Dataset, require_records
from bucketline.errors import InvalidArgumentError, UnsupportedError

_ON_ERROR = {"raise": False, "skip": True}


class PackSettings(NamedTuple):
    """What the engine is told, checked."""

    format: str
    shard_size: int
    shuffle: int | None
    short_side: int
    quality: int
    skip_bad: bool
    max_skipped: float
    memory: int
    threads: int
    max_requests: int
    max_shards: int
    verify: bool


@dataclass(frozen=True)
class PackReport:
    """What a pack did; `index` is "" for some of the shards. `records` and `shard_bytes` are of all shards, `kept_shards` of them were there already, and the
    bytes read and written are this call's. `Dataset(index)` opens the pack; `bad` are (uri, reason) of what it left out."""

    records: int
    skipped: int
    shards: int
    kept_shards: int
    bytes_read: int
    bytes_written: int
    shard_bytes: int
    index: str
    bad: list[tuple[str, str]]


def pack(
    dataset: Any,
    out: str | os.PathLike[str],
    *,
    format: str = "tar",
    shard_size: int | str = "256MiB",
    shuffle: int | None = None,
    resize: int | None = None,
    quality: int = 90,
    on_error: str = "raise",
    max_skipped: float = 0.01,
    memory: int | str = "1GiB",
    threads: int | None = None,
    max_requests: int = 64,
    parallel: int = 4,
    verify: bool = True,
    shards: str | None = None,
    ray: bool = False,
    ray_address: str | None = None,
    ray_cpus: int = 1,
    progress: Callable[[int, int], Any] | None = None,
    input_format: str = "auto",
    **options: Any,
) -> PackReport:
    """Writes the records of `dataset`, a Dataset or what opens one (then with its keywords too, `format` as
    `input_format`), below `out` as shards with their index; `Dataset(report.index)` has the same keys, labels, splits and
    batches. Killed, the same call goes on; shards that are whole are not read again.

    out: "s3://bucket/packed/" or a folder that is empty or holds the same pack, unfinished. It is reached as the dataset is.
    format: "tar" (WebDataset) | "tfrecord" (tf.train.Example) | "mds" (MosaicML Streaming). shard_size: the most bytes of
        one.
    shuffle: the seed of an exact global shuffle of what the shards hold; None: the order of the keys.
    resize: images as JPEGs of `quality` whose short side has so many pixels, none larger than it is; None: bytes as they are.
    on_error: a record with a wrong checksum, or, with resize, one that is no image: "raise" | "skip", up to `max_skipped` of
        all records.
    memory: what records, uploads and pixels may take. threads: for resize; None: one per CPU. max_requests: reads in flight.
        parallel: shards that are written at a time, where memory allows.
    verify: read each shard back and compare checksums.
    shards: these alone, and no index: "3/16", the fourth of sixteen shares, or "0-9,17". A call without it then keeps what is
        there, makes what is missing, and writes the index.
    ray: groups of shards are tasks of a Ray cluster: the one that this process is connected to, else the one at `ray_address`,
        else the one that Ray finds, or starts. A lost task is tried again. Each takes `ray_cpus` CPUs and `memory`; its nodes need
        the package, and reach the data and `out` as this process does. The bytes of the shards are the same.
    progress: called with the records and bytes so far.

    Raises UnsupportedError for ray where it is not installed; AlreadyExistsError when something else is there, naming what differs; InvalidArgumentError for a record that is
    larger than a shard and for a place inside the dataset; ResourceExhaustedError for too little memory, naming the least.
    """
    reject_unknown(options, DATASET_KEYWORDS, "pack")
    if not isinstance(dataset, Dataset):
        dataset = Dataset(dataset, format=input_format, **options)
    elif options or input_format != "auto":
        given = sorted(options) or ["input_format"]
        raise InvalidArgumentError(
            f"{', '.join(given)}: a Dataset has been opened already; give it to the Dataset"
        )
    require_records([dataset])
    if dataset._mix is not None:
        raise UnsupportedError("a mix repeats records; pack the datasets before they are mixed")
    if dataset._objects is not None:
        raise UnsupportedError(
            "shards hold labels that are names, numbers or rows of numbers; these are others"
        )
    if ray and shards is not None:
        raise InvalidArgumentError("ray deals the shards itself: give no shards= with it")
    if ray_address is not None and not ray:
        raise InvalidArgumentError("ray_address is of ray=True")
    cpus = number(ray_cpus, "ray_cpus", 1, 1024, whole=True)
    own_threads = cpus if flag(ray, "ray") else 0
    settings = PackSettings(
        format=choice(format, "format", {name: name for name in _core.pack_formats().split(" | ")}),
        shard_size=byte_size(shard_size, "shard_size"),
        shuffle=None if shuffle is None else number(shuffle, "shuffle", 0, 2**64 - 1, whole=True),
        short_side=0 if resize is None else number(resize, "resize", 1, 65500, whole=True),
        quality=number(quality, "quality", 1, 100, whole=True),
        skip_bad=choice(on_error, "on_error", _ON_ERROR),
        max_skipped=number(max_skipped, "max_skipped", 0, 1),
        memory=byte_size(memory, "memory"),
        threads=own_threads if threads is None else number(threads, "threads", 1, 1024, whole=True),
        max_requests=number(max_requests, "max_requests", 1, 65536, whole=True),
        max_shards=number(parallel, "parallel", 1, 64, whole=True),
        verify=flag(verify, "verify"),
    )
    if not ray:
        return pack_shards(dataset, uri_text(out), settings, text(shards, "shards"), progress)
    from bucketline.ray_packing import pack_on_ray

    return pack_on_ray(dataset, uri_text(out), settings, address=ray_address, cpus=cpus, progress=progress)


def pack_shards(
    dataset: Dataset,
    out: str,
    settings: PackSettings,
    only: str,
    progress: Callable[[int, int], Any] | None = None,
) -> PackReport:
    """The engine's pack, of these shards or, for "", of all."""
    bad: list[tuple[str, str]] = []
    done = _core.pack(
        dataset._core,
        out,
        s3=dataset._s3,
        **settings._asdict(),
        only=only,
        progress=progress,
        skipped=lambda *one: bad.append(one),
    )
    return PackReport(**done, bad=bad)


def count_shards(dataset: Dataset, settings: PackSettings) -> int:
    """How many shards the pack has."""
    count: int = _core.count_pack_shards(
        dataset._core,
        format=settings.format,
        shard_size=settings.shard_size,
        shuffle=settings.shuffle,
        short_side=settings.short_side,
        quality=settings.quality,
    )
    return count
