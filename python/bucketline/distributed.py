"""Which rank this process is, of how many."""

from __future__ import annotations

import sys
import warnings
from typing import Any

from bucketline import _core
from bucketline.errors import InvalidArgumentError


def rank_within_host(hosts: int) -> tuple[int, int]:
    """This process's rank among those of its host, of a job on `hosts` hosts."""
    world_size = rank_and_world_size()[1]
    if world_size == 1:
        return 0, 1
    within = _core.launcher_rank_within_host()
    if within is not None:
        return within
    if world_size == hosts:
        return 0, 1
    raise InvalidArgumentError(
        f"the channel's objects are sharded over {hosts} hosts, and no launcher says which of the {world_size} ranks are "
        "on this one; give rank= and world_size= of the processes of this host"
    )


def rank_and_world_size() -> tuple[int, int]:
    """From an initialised torch process group, else from Ray Train, else from the variables of torchrun, SLURM or MPI,
    else 0 of 1."""
    torch = sys.modules.get("torch")  # never imported for this
    if torch is not None and torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return _of_ray_train() or _core.launcher_rank() or (0, 1)


def _of_ray_train() -> tuple[int, int] | None:
    """Of a worker of a Ray trainer, whichever framework it is for; None anywhere else."""
    train: Any = sys.modules.get("ray.train")  # a worker's function imports it for its context
    if train is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # where its older versions say that this is no worker, and give 0 of 1
            context = train.get_context()
            rank, world_size = context.get_world_rank(), context.get_world_size()
    except RuntimeError:  # where its newer ones do
        return None
    return None if world_size is None or world_size == 1 else (rank, world_size)
