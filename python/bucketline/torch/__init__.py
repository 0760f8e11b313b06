"""bucketline for PyTorch.

`Loader` is the fast path: one process, no workers, tensors on the engine's own memory. `MapDataset` with
`BatchSampler`, or `IterableDataset`, feed a `torch.utils.data.DataLoader` that you have already; `Resumable` counts what
was really used of it, so that a run resumes in the middle of an epoch.
"""

from __future__ import annotations

try:
    import torch as _torch
except ImportError as missing:
    raise ImportError("bucketline.torch needs PyTorch: pip install bucketline[torch]") from missing

from bucketline.torch.batch import Batch, FieldBatch
from bucketline.torch.batch_sampler import BatchSampler
from bucketline.torch.iterable_dataset import IterableDataset
from bucketline.torch.loader import Loader
from bucketline.torch.map_dataset import Index, MapDataset
from bucketline.torch.resumable import Resumable

__all__ = [
    "Batch",
    "BatchSampler",
    "FieldBatch",
    "Index",
    "IterableDataset",
    "Loader",
    "MapDataset",
    "Resumable",
]

del _torch
