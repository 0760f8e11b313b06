"""bucketline for JAX: batches as jax arrays."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from bucketline import loader as base
from bucketline.channel import is_sharded
from bucketline.dataset import Dataset
from bucketline.errors import InvalidArgumentError

try:
    import jax
    from jax.experimental import multihost_utils
except ImportError as missing:
    raise ImportError("bucketline.jax needs JAX: pip install bucketline[jax]") from missing

__all__ = ["Loader"]


class Loader(base.Loader):
    """bl.Loader with jax arrays, for `for images, labels in loader`; takes the same options.

    device: a jax Device or Sharding that batches go to; None: JAX's default device. With a Sharding over several
        processes, each process's batch is its part of a global array. On the CPU an array is the engine's own memory,
        without a copy. Arrays are the user's to keep; like all of JAX's they are not written.

    images: (B, H, W, C) unless the Image says otherwise. Labels are int32 unless jax_enable_x64 is set, as everything
    in JAX. Without labels, labels are None. Ranks are jax.process_index() of jax.process_count(): then all
    processes make the loader, and one that found other data or was given other options is an error for all. In a job
    whose JAX has one process they are those of the launcher, as in bl.Loader. The state is that of bl.Loader.
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
        unsaid = distributed and rank is None and world_size is None
        of_processes = unsaid and jax.process_count() > 1 and not is_sharded(dataset)
        if of_processes:
            rank, world_size = jax.process_index(), jax.process_count()
        super().__init__(
            dataset, batch_size, rank=rank, world_size=world_size, distributed=distributed, **options
        )
        if of_processes:
            _require_agreement(self._facts())

    def _convert(self, array: Any) -> jax.Array:
        if isinstance(self._device, jax.sharding.Sharding) and not self._device.is_fully_addressable:
            return jax.make_array_from_process_local_data(self._device, array)  # type: ignore[no-untyped-call]
        # The array keeps the engine's memory alive, and nobody writes it again.
        return jax.device_put(array, self._device, may_alias=True)


def _require_agreement(facts: dict[str, Any]) -> None:
    """Raises InvalidArgumentError in every process when they would not deal the same records."""
    halves = [_number(value) >> shift & 0xFFFFFFFF for value in facts.values() for shift in (0, 32)]
    everybody = multihost_utils.process_allgather(np.array(halves, dtype=np.uint32))
    for process, theirs in enumerate(everybody):
        for place, name in enumerate(facts):
            if (theirs[2 * place : 2 * place + 2] != everybody[0][2 * place : 2 * place + 2]).any():
                raise InvalidArgumentError(
                    f"the processes would not deal the same records: {name} of process {process} is not that of process "
                    "0; give all of them the same options, and where the bucket changes, open a manifest that "
                    "Dataset.save wrote once"
                )


def _number(fact: Any) -> int:
    """64 bits that tell facts apart: JAX gathers numbers only."""
    return int.from_bytes(fact.encode()[:8], "little") if isinstance(fact, str) else int(fact)
