"""Which rank this process is, of how many."""

from __future__ import annotations

import os
import sys

from bucketline.errors import InvalidArgumentError

# Launchers, by the variables that they set: torchrun, SLURM, Open MPI, MPICH and Intel MPI.
_VARIABLES = (
    ("RANK", "WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_NTASKS"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
)


# Their variables for the rank among the processes of this host, and how many those are.
_WITHIN_HOST = (
    ("LOCAL_RANK", "LOCAL_WORLD_SIZE"),
    ("SLURM_LOCALID", "SLURM_NTASKS_PER_NODE"),
    ("OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"),
    ("MPI_LOCALRANKID", "MPI_LOCALNRANKS"),
)


def rank_within_host(hosts: int) -> tuple[int, int]:
    """This process's rank among those of its host, of a job on `hosts` hosts."""
    world_size = rank_and_world_size()[1]
    if world_size == 1:
        return 0, 1
    for rank, count in _WITHIN_HOST:
        if rank in os.environ and count in os.environ:
            return _number(rank), _number(count)
    if world_size == hosts:
        return 0, 1
    raise InvalidArgumentError(
        f"the channel's objects are sharded over {hosts} hosts, and no launcher says which of the {world_size} ranks are "
        "on this one; give rank= and world_size= of the processes of this host"
    )


def rank_and_world_size() -> tuple[int, int]:
    """From an initialised torch process group, else from the launcher's variables, else 0 of 1."""
    torch = sys.modules.get("torch")  # never imported for this
    if torch is not None and torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    for rank, world_size in _VARIABLES:
        if rank in os.environ and world_size in os.environ:
            return _number(rank), _number(world_size)
    return 0, 1


def _number(variable: str) -> int:
    text = os.environ[variable]
    if not text.isdigit():
        raise InvalidArgumentError(
            f"the environment variable {variable} should be a number, not {text!r}; unset it, or give rank= and world_size="
        )
    return int(text)
