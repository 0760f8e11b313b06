"""What a Loader is told: its keywords, and what they become for the engine."""

from __future__ import annotations

from typing import Any

import bucketline._core as _core
from bucketline._dataset_options import DATASET_KEYWORDS
from bucketline._options import cache_place, flag, number, reject_unknown
from bucketline.dataset import Dataset
from bucketline.distributed import rank_and_world_size, rank_within_host
from bucketline.errors import InvalidArgumentError
from bucketline.image import Image

ON_ERROR = {"raise": _core.OnError.error, "skip": _core.OnError.skip, "mask": _core.OnError.mask}
SAMPLINGS = {name: getattr(_core.Sampling, name) for name in ("all", "balanced", "replacement")}
_WINDOW = 16  # shards that shuffle="window" has open unless told
LAST = {name: getattr(_core.LastPolicy, name) for name in ("drop", "partial", "pad")}

LOADER_KEYWORDS = (
    "batch_size",
    "global_batch_size",
    "image",
    "fields",
    "transform",
    "collate",
    "shuffle",
    "window",
    "seed",
    "sampling",
    "epoch_size",
    "last",
    "epochs",
    "rank",
    "world_size",
    "distributed",
    "threads",
    "pin_threads",
    "memory",
    "max_requests",
    "on_error",
    "max_skipped",
)


def open_dataset(given: Any, options: dict[str, Any]) -> Dataset:
    """A Dataset as it is, a URI opened with the Dataset's keywords."""
    reject_unknown(options, (*DATASET_KEYWORDS, *LOADER_KEYWORDS), "Loader")
    if not isinstance(given, Dataset):
        return Dataset(given, **options)
    folder, size = options.pop("cache", None), options.pop("cache_size", None)
    pixels = options.pop("cache_pixels", False)
    cache_place(folder, size, pixels)
    if folder is not None:
        given = given.cached(folder, size, pixels)
    if options:  # a keyword of Dataset, which is open already
        raise TypeError(f"{next(iter(options))} belongs to the Dataset, which is open already; give it there")
    return given


def image_of(given: Any, option: str) -> Image:
    if not isinstance(given, Image):
        raise InvalidArgumentError(f"{option} must be a bucketline.Image or None, not {given!r}")
    return given


def collate_of(given: Any) -> Any:
    if not (given is None or callable(given)):
        raise InvalidArgumentError(f"collate must be a function of a list, or None, not {given!r}")
    return given


def ranks_of(
    rank: int | None, world_size: int | None, distributed: bool, place: Any = None
) -> tuple[int, int]:
    """`place`: of a channel, whose ranks may be those within the host."""
    if (rank is None) != (world_size is None):
        raise InvalidArgumentError("rank and world_size go together: give both or none")
    if rank is None or world_size is None:
        if not flag(distributed, "distributed"):
            return 0, 1
        return rank_within_host(place.hosts) if place is not None and place.sharded else rank_and_world_size()
    number(world_size, "world_size", 1, whole=True)
    return number(rank, "rank", 0, world_size - 1, whole=True), world_size


def shuffle_of(shuffle: bool | str, window: int | None) -> tuple[bool, int]:
    """Whether records come in a random order, and how many shards are open at a time; 0: all."""
    if isinstance(shuffle, bool):
        if window is not None:
            raise InvalidArgumentError(f"window={window!r} is of shuffle='window', not of shuffle={shuffle}")
        return shuffle, 0
    if shuffle != "window":
        raise InvalidArgumentError(f"shuffle must be True, False or 'window', not {shuffle!r}")
    return True, _WINDOW if window is None else number(window, "window", 1, 2**32 - 1, whole=True)


def mixed_epoch(epoch_size: int | None, counted: int | None) -> int | None:
    if counted is not None and epoch_size not in (None, counted):
        raise InvalidArgumentError(
            f"the counts of this mix make epochs of {counted} rows: leave epoch_size={epoch_size!r} out, or mix by weights"
        )
    return epoch_size if counted is None else counted


def rows_of(batch_size: int | None, global_batch_size: int | None, world_size: int) -> int:
    if global_batch_size is None:
        rows: int = number(32 if batch_size is None else batch_size, "batch_size", 1, 2**32 - 1, whole=True)
        return rows
    if batch_size is not None:
        raise InvalidArgumentError("give batch_size (per rank) or global_batch_size, not both")
    whole: int = number(global_batch_size, "global_batch_size", 1, whole=True)
    if whole % world_size:
        raise InvalidArgumentError(f"global_batch_size {whole} is not a multiple of the {world_size} ranks")
    return whole // world_size
