"""Ranks of one process group must deal the same records in the same order."""

from __future__ import annotations

from typing import Any

import torch.distributed

from bucketline.errors import InvalidArgumentError


def require_agreement(**facts: Any) -> None:
    """Raises InvalidArgumentError on every rank when they differ. All ranks call it, as a collective; without a process
    group it does nothing."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return
    everybody: list[dict[str, Any]] = [{}] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(everybody, facts)
    for rank, theirs in enumerate(everybody):
        for name, value in theirs.items():
            if value != everybody[0][name]:
                raise InvalidArgumentError(
                    f"the ranks would not deal the same records: {name} is {everybody[0][name]!r} on rank 0 and "
                    f"{value!r} on rank {rank}; give all of them the same options, and where the bucket changes, open a "
                    "manifest that Dataset.save wrote once"
                )
