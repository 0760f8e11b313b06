"""bucketline for JAX: batches as jax arrays."""

from __future__ import annotations

import os
from typing import Any

from bucketline import loader as base
from bucketline.dataset import Dataset
from bucketline.distributed import rank_and_world_size

try:
    import jax
except ImportError as missing:
    raise ImportError("bucketline.jax needs JAX: pip install bucketline[jax]") from missing

__all__ = ["Loader"]


class Loader(base.Loader):
    """bl.Loader with jax arrays, for `for images, labels in loader`; takes the same options.

    device: a jax Device or Sharding that batches go to; None: JAX's default device. With a Sharding over several
        processes, each process's batch is its part of a global array. On the CPU an array is the engine's own memory,
        without a copy. Arrays are the user's to keep; like all of JAX's they are not written.

    images: (B, H, W, C) unless the Image says otherwise. Labels are int32 unless jax_enable_x64 is set, as everything
    in JAX. Without labels, labels are None. Ranks are jax.process_index() of jax.process_count(); in a job whose JAX
    has one process, those of the launcher, as in bl.Loader. The state is that of bl.Loader.
    """

    _layout = "NHWC"

    def __init__(
        self,
        dataset: Dataset | str | os.PathLike[str],
        batch_size: int | None = None,
        *,
        device: Any = None,
        rank: int | None = None,
        world_size: int | None = None,
        distributed: bool = True,
        **options: Any,
    ) -> None:
        self._device = device
        if distributed and rank is None and world_size is None:
            rank, world_size = _process()
        super().__init__(
            dataset, batch_size, rank=rank, world_size=world_size, distributed=distributed, **options
        )

    def _convert(self, array: Any) -> jax.Array:
        if isinstance(self._device, jax.sharding.Sharding) and not self._device.is_fully_addressable:
            return jax.make_array_from_process_local_data(self._device, array)  # type: ignore[no-untyped-call]
        # The array keeps the engine's memory alive, and nobody writes it again.
        return jax.device_put(array, self._device, may_alias=True)


def _process() -> tuple[int, int]:
    if jax.process_count() > 1:
        return jax.process_index(), jax.process_count()
    return rank_and_world_size()
